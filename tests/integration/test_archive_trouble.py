"""What goes wrong around an archive: each thing is told by name, nothing is lost, and the rest goes on."""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.db.database import Database
from syncd.reconcile.audit import BY_RULE, audit
from syncd.reconcile.pages import read_page
from syncd.stock.archive import files, verify
from syncd.stock.archive import run as archive_run
from syncd.stock.archive.files import ArchiveRefused
from syncd.stock.archive.prefixes import BrokenLevel, name_broken
from syncd.stock.archive.run import ArchiveStopped
from syncd.stock.archive.verify import MOST_OF_ONE, Verified, verify_archive
from tests.integration.book.kept_book import corrupt
from tests.integration.conftest import ON_SQLITE
from tests.integration.test_archive import YEARS_LATER, archives, levels, moves, n
from tests.support.builders import NOW, Seller, a_seller


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """Three levels of ten movements each, three of them a file."""
    monkeypatch.setattr(archive_run, "PAGE", 3)
    seller = a_seller(db, {"RED-CLOCK": 9, "BLUE-CLOCK": 5, "LAMP": 3})
    for sku in ("RED-CLOCK", "BLUE-CLOCK", "LAMP"):
        moves(seller, sku, 9, NOW, first=100 * seller.skus[sku])
    return seller


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def is_proved(seller: Seller, folder: Path) -> bool:
    return audit(seller.db).clean and verify_archive(seller.db, folder).sound


def rewrite(file: Path, change: Callable[[list[bytes]], None]) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines()
    change(lines)
    file.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))


def replaced(old: bytes, new: bytes) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        def change(lines: list[bytes]) -> None:
            assert old in lines[1]
            lines[1] = lines[1].replace(old, new)

        rewrite(file, change)

    return spoil


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def made_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


SPOILT: dict[str, tuple[Callable[[Path], Any], int | None, str]] = {
    "invalid UTF-8": (replaced(b'"receipt"', b'"rec\xffipt"'), 2, "it is not a movement"),
    "invalid UTF-8 in a name": (replaced(b'"sku":"', b'"sku":"\xc3\x28'), 2, "it is not a movement"),
    "half a character": (replaced(b'"actor":"', b'"actor":"\xe2\x82'), 2, "it is not a movement"),
    "a number of no size": (replaced(b'"d_on_hand":', b'"d_on_hand":9' + b"0" * 30), 2, "it is not a movement"),
    "an instant of no zone": (replaced(b"Z", b""), 2, "it is not a movement"),
    "another header": (lambda file: rewrite(file, lambda lines: lines.__setitem__(0, b"\xff")), 1, "not the header"),
    "cut off": (cut, None, "it cannot be read to its end"),
    "no gzip": (lambda file: file.write_bytes(b"nothing"), None, "it cannot be read to its end"),
    "empty": (lambda file: file.write_bytes(b""), None, "it has 0 movements, it was written with 3"),
    "gone": (Path.unlink, None, "it is not there: put it back"),
    "a folder": (made_a_folder, None, "a folder is in its place"),
}


def names(found: Verified) -> set[str | None]:
    return {each.file for each in found.wrong if each.file is not None}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_file_is_told_by_name_with_what_is_wrong(seller: Seller, folder: Path, how: str) -> None:
    spoil, line, told = SPOILT[how]
    file = archives(seller, folder).files[4]

    spoil(folder / file.name)

    found = verify_archive(seller.db, folder)
    assert not found.sound
    assert names(found) == {file.name}
    assert any(each.line == line and told in each.problem for each in found.wrong), found.wrong


def test_a_file_that_may_not_be_read_is_told_with_what_to_do(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = archives(seller, folder).files[4]

    def refuses_one(path: Path) -> str:
        if path.name == file.name:  # root may read everything, so a mode of 0 would prove nothing there
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return files.hash_of(path)

    monkeypatch.setattr(verify, "hash_of", refuses_one)

    found = verify_archive(seller.db, folder)

    assert [each.problem for each in found.wrong if each.file == file.name] == [
        "this user may not read it: allow it, and verify again"
    ]


def test_all_that_is_wrong_is_told_in_one_run(seller: Seller, folder: Path) -> None:
    written = archives(seller, folder).files
    assert len(written) == 10
    spoilt = dict(zip([file.name for file in written[2:]], SPOILT, strict=False))

    for name, how in spoilt.items():
        SPOILT[how][0](folder / name)
    (folder / "archive.json").write_text('{"archive": 7}')

    found = verify_archive(seller.db, folder)
    assert names(found) == {*spoilt, "archive.json"}
    assert found.counted >= len(found.wrong) > len(spoilt)


def test_two_files_that_were_swapped_are_told_as_that(seller: Seller, folder: Path) -> None:
    one, other = (folder / file.name for file in archives(seller, folder).files[2:4])
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)

    found = verify_archive(seller.db, folder)

    assert {each.file: each.problem for each in found.wrong if "content" in each.problem} == {
        one.name: f"it has the content of {other.name}: give each its own name again",
        other.name: f"it has the content of {one.name}: give each its own name again",
    }


def test_a_file_with_much_wrong_hides_no_other(seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_run, "PAGE", 20)
    one, other = archives(seller, folder).files
    rewrite(folder / one.name, lambda lines: lines.__setitem__(slice(1, None), [b"{}"] * 20))
    (folder / other.name).unlink()

    found = verify_archive(seller.db, folder)

    assert len([each for each in found.wrong if each.file == one.name and each.line]) == MOST_OF_ONE
    assert names(found) == {one.name, other.name}
    assert found.counted > len(found.wrong)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[]", b'{"archive": "x", "written_at": "2026-01-01T00:00:00Z", "files": [{"number": "1"}]}'],
)
def test_a_manifest_that_is_none_is_told_and_written_anew(seller: Seller, folder: Path, content: bytes) -> None:
    archives(seller, folder)
    (folder / "archive.json").write_bytes(content)

    (wrong,) = verify_archive(seller.db, folder).wrong
    assert wrong.file == "archive.json"
    assert "is no manifest of an archive" in wrong.problem
    archives(seller, folder)
    assert is_proved(seller, folder)


def test_a_manifest_that_is_a_folder_is_told_and_refused(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    (folder / "archive.json").unlink()
    (folder / "archive.json").mkdir()

    (wrong,) = verify_archive(seller.db, folder).wrong
    assert (wrong.file, "cannot be read" in wrong.problem) == ("archive.json", True)
    with pytest.raises(ArchiveRefused, match="cannot be written"):
        archives(seller, folder)


def test_a_manifest_that_is_lost_is_told_and_written_anew(seller: Seller, folder: Path) -> None:
    written = archives(seller, folder).files
    (folder / "archive.json").unlink()

    (wrong,) = verify_archive(seller.db, folder).wrong
    assert (wrong.file, "it is not there" in wrong.problem) == ("archive.json", True)
    archives(seller, folder)

    assert [file["name"] for file in json.loads((folder / "archive.json").read_text())["files"]] == [
        file.name for file in written
    ]
    assert is_proved(seller, folder)


@pytest.mark.parametrize(("missing", "whole"), [(1, 0), (5, 2), (10, 8)])
def test_a_level_with_a_gap_is_left_out_and_told_and_the_rest_goes(
    seller: Seller, folder: Path, missing: int, whole: int
) -> None:
    broken = seller.skus["LAMP"]
    assert 1 < broken < 3
    corrupt(seller.db, f"DELETE FROM movement WHERE sku_id = {broken} AND seq = {missing}")
    before = levels(seller)

    done = archives(seller, folder)

    assert {row["sku_id"] for row in seller.rows("SELECT sku_id FROM movement")} == {broken}
    assert n(seller, "movement") == 9 - whole
    assert (done.left_out, done.broken) == (
        1,
        (BrokenLevel("LAMP", "hamburg", f"movements after seq {whole} are missing"),),
    )
    assert levels(seller) == before
    assert verify_archive(seller.db, folder).sound
    assert set(audit(seller.db).counted) >= {"level.fold"}
    assert archives(seller, folder).left_out == 1


def test_a_level_that_is_gone_when_it_is_to_be_named_is_told_as_gone(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    key = (seller.skus["LAMP"], seller.warehouses["hamburg"].warehouse_id)
    corrupt(seller.db, f"DELETE FROM level WHERE sku_id = {key[0]}")

    told = seller.db.read_now(name_broken, key)

    assert told == BrokenLevel("LAMP", "hamburg", "it is gone, and 10 movements of it are archived")


def test_a_level_whose_sums_are_of_another_seq_is_left_out_and_told(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    moves(seller, "LAMP", 4, YEARS_LATER, first=900)
    moves(seller, "RED-CLOCK", 4, YEARS_LATER, first=900)
    seller.does(f"DELETE FROM archived_level WHERE sku_id = {seller.skus['LAMP']}")

    done = archives(seller, folder, YEARS_LATER.replace(year=YEARS_LATER.year + 3))

    problem = "its movements are archived up to seq 10, and summed up to 0"
    assert done.broken == (BrokenLevel("LAMP", "hamburg", problem),)
    assert {row["sku_id"] for row in seller.rows("SELECT sku_id FROM movement")} == {seller.skus["LAMP"]}
    assert n(seller, "movement") == 4


def test_a_disk_that_is_full_stops_it_and_the_next_run_goes_on(seller: Seller, folder: Path) -> None:
    before, in_all = levels(seller), n(seller, "movement")
    with pytest.MonkeyPatch.context() as patch:
        written: list[int] = []
        sync = os.fsync

        def fills_up(file: int) -> None:
            written.append(file)
            if len(written) > 9:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(file)

        patch.setattr(os, "fsync", fills_up)
        with pytest.raises(ArchiveStopped, match=r"No space left on device\. Nothing is lost, .* run this again"):
            archives(seller, folder)
    assert 0 < n(seller, "movement") < in_all
    assert audit(seller.db).clean
    assert list(folder.glob(".*")) == []

    done = archives(seller, folder)

    assert sum(file.movements for file in done.files) == in_all
    assert levels(seller) == before
    assert is_proved(seller, folder)


def test_nothing_leaves_the_ledger_that_is_not_read_back(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_all = n(seller, "movement")
    monkeypatch.setattr(files, "hash_of", lambda path: "what another disk has")

    with pytest.raises(ArchiveStopped, match="is not what is read back"):
        archives(seller, folder)

    assert n(seller, "movement") == in_all


def test_the_name_of_a_new_folder_is_durable_before_its_files(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def notes(file: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{file}"))
        sync(file)

    monkeypatch.setattr(os, "fsync", notes)

    archives(seller, folder)

    assert synced[0] == str(folder.parent)


def test_what_a_killed_run_had_begun_is_taken_away(seller: Seller, folder: Path) -> None:
    folder.mkdir()
    for begun in (".movements-000001-0123456789ab.jsonl.gz.tmp", ".archive.json.tmp"):
        (folder / begun).write_bytes(b"half of it")

    archives(seller, folder)

    assert list(folder.glob(".*")) == []


def test_a_level_that_was_deleted_after_all_its_movements_were_archived_is_named(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    lamp = seller.skus["LAMP"]
    corrupt(seller.db, f"DELETE FROM level WHERE sku_id = {lamp}", f"DELETE FROM movement WHERE sku_id = {lamp}")

    (violation,) = audit(seller.db).violations

    assert (violation.rule, violation.subject["sku_id"]) == ("archived.level", lamp)
    assert "the level was deleted" in violation.likely_cause


@ON_SQLITE
@pytest.mark.parametrize("column", ["seq", "on_hand", "unavailable", "reserved"])
def test_half_a_piece_among_the_archived_sums_is_named_by_the_sweep_as_by_the_rule(
    seller: Seller, folder: Path, column: str
) -> None:
    archives(seller, folder)
    corrupt(seller.db, f"UPDATE archived_level SET {column} = {column} + 0.5 WHERE sku_id = {seller.skus['LAMP']}")

    alone = seller.db.read_now(read_page, BY_RULE["level.fold"], None)

    assert len(alone.broken) == audit(seller.db).counted["level.fold"] == 1


def test_a_hidden_file_of_somebody_else_stays(seller: Seller, folder: Path) -> None:
    folder.mkdir()
    strangers = [".thesis.odt.tmp", ".movements.tmp", ".movements-000001-0123456789ab.jsonl.gz.tmp.tmp"]
    for name in strangers:
        (folder / name).write_bytes(b"years of work")

    archives(seller, folder)

    assert sorted(path.name for path in folder.glob(".*")) == sorted(strangers)


def test_one_folder_is_written_by_one_run_whatever_the_database(seller: Seller, folder: Path) -> None:
    folder.mkdir()
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ArchiveRefused, match="another `syncd archive` writes to"):
            archives(seller, folder)
    finally:
        os.close(held)
    assert os.listdir(folder) == []


@ON_SQLITE
def test_a_copy_of_the_database_takes_no_file_away(seller: Seller, folder: Path, tmp_path: Path) -> None:
    """A run was killed before it had listed its files, and someone tries a copy of the database from before it."""
    copy = tmp_path / "copy.db"
    seller.does("INSERT INTO archive (id, begun_at) VALUES ('ours', 0)")
    _copy(seller.db, copy)
    archives(seller, folder)
    manifest = json.loads((folder / "archive.json").read_text())
    (folder / "archive.json").write_text(json.dumps({**manifest, "files": []}))
    staging = Database(f"sqlite:///{copy}")

    archive_run.archive_movements(staging, folder, 400, YEARS_LATER.replace(year=YEARS_LATER.year + 1))
    staging.close()

    assert {file["name"] for file in manifest["files"]} <= set(os.listdir(folder))


def _copy(db: Database, to: Path) -> None:
    with db.writer.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("VACUUM INTO ?", (str(to),))
