"""Files as sellers' spreadsheets write them, and what is said about those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.csv_rows import MOST, CsvFile, ImportFileError, RowError, in_chunks, whole_number


def a_file(tmp_path: Path, content: str | bytes) -> CsvFile:
    path = tmp_path / "goods.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return CsvFile(path, ("sku",), ("title", "units"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_the_delimiter_and_a_bom_are_found_out(tmp_path: Path, delimiter: str, bom: str) -> None:
    content = f'{bom} SKU {delimiter}"Title"\r\nA{delimiter}"x{delimiter}y"\r\n'

    rows = list(a_file(tmp_path, content))

    assert rows == [(2, {"sku": "A", "title": f"x{delimiter}y"})]


def test_a_title_full_of_commas_does_not_make_a_semicolon_file_one_of_commas(tmp_path: Path) -> None:
    rows = list(a_file(tmp_path, 'sku;title;"size, colour, shape, weight"\nA;B;C\n'))

    assert rows[0] == (2, {"sku": "A", "title": "B", "size, colour, shape, weight": "C"})


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert list(a_file(tmp_path, "sku\nA\nB")) == [(2, {"sku": "A"}), (3, {"sku": "B"})]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    content = '\n\nsku,title\n\nA,"two\nlines"\n,\nB,one\n'

    rows = list(a_file(tmp_path, content))

    assert rows == [(5, {"sku": "A", "title": "two\nlines"}), (8, {"sku": "B", "title": "one"})]


def test_a_short_row_ends_in_empty_cells_and_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    assert list(a_file(tmp_path, "sku,title,\nA\nB,C,,\n")) == [
        (2, {"sku": "A", "title": ""}),
        (3, {"sku": "B", "title": "C"}),
    ]


def test_columns_that_nobody_asked_for_are_named(tmp_path: Path) -> None:
    assert a_file(tmp_path, "sku,Shelf  Mark\n").ignored == ("shelf mark",)


def test_a_row_with_too_many_cells_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    wrong, right = a_file(tmp_path, "sku,title\nA,5,5 inches\nB,x\n")

    assert isinstance(wrong, RowError)
    assert str(wrong) == ("line 2: it has 3 cells, the header has 2. Put quotes around a text that contains a comma")
    assert right == (3, {"sku": "B", "title": "x"})


def test_a_stray_quote_is_told_and_the_next_row_is_read(tmp_path: Path) -> None:
    wrong, right = a_file(tmp_path, 'sku,title\nA,"5" pipe\nB,x\n')

    assert isinstance(wrong, RowError)
    assert wrong.line == 2
    assert right == (3, {"sku": "B", "title": "x"})


@pytest.mark.parametrize("swallowed", [10, 20_000])
def test_a_quote_never_closed_is_told_where_it_opens(tmp_path: Path, swallowed: int) -> None:
    first, wrong, *_ = a_file(tmp_path, 'sku,title\nA,x\nB,"open\n' + "C,y padding padding\n" * swallowed)

    assert first == (2, {"sku": "A", "title": "x"})
    assert isinstance(wrong, RowError)
    assert (wrong.line, wrong.problem) == (3, "a quote is opened and never closed")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it has no header"),
        (b"\n\n", "it has no header"),
        (b"title\nx\n", "column sku is missing; its header has title"),
        (b"sku,title, Title\n", "its header names title more than once"),
        (b"sku,unit\nA,2\n", "column unit is not known"),
        ("sku,title\nA,Größe\n".encode("latin-1"), "it is not text in UTF-8"),
        ("sku,title\nA,x\n".encode("utf-16"), "it is not text in UTF-8"),
        (b"sku,title\nA,\0\n", "it is not text"),
        (b"sku,title\nA,cut off \xe2\x82", "it is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(ImportFileError) as refused:
        a_file(tmp_path, content)

    assert refused.value.problem == problem
    assert refused.value.remedy


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"none\.csv: it cannot be read \(no such file or directory\)"):
        CsvFile(tmp_path / "none.csv", ("sku",))


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (str(MOST), MOST)])
def test_whole_numbers_are_digits(text: str, number: int) -> None:
    assert whole_number(1, "units", text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1,000", "1e3", "1_0", "+1", "٣", "x", str(MOST + 1), "9" * 5000])
def test_anything_else_is_no_number(text: str) -> None:
    read = whole_number(4, "units", text)

    assert isinstance(read, RowError)
    assert (read.line, read.column) == (4, "units")


def test_a_least_number_is_kept() -> None:
    assert isinstance(whole_number(1, "units", "0", least=1), RowError)


def test_chunks_keep_the_order() -> None:
    assert list(in_chunks([1, 2, 3, 4, 5], 2)) == [(1, 2), (3, 4), (5,)]
    assert list(in_chunks([], 2)) == []
