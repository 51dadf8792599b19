"""An orders file is read whatever shape it has, and every line of it is accounted for."""

from __future__ import annotations

import csv
import gzip
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.simulation.replay.columns import OrdersUnreadable, find_columns, read_told
from syncd.simulation.replay.countries import country_code
from syncd.simulation.replay.load import Slice, dealer, load
from syncd.simulation.replay.reasons import Reason
from syncd.simulation.replay.scratch import Scratch, ToEnd, ToPlace, ToTakeBack
from syncd.simulation.replay.seller import CAST

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
Rows = Sequence[Sequence[object]]


def a_row(
    order: str = "1", sku: str = "85123A", quantity: object = 6, at: str = "2010-12-01T08:26:00", **other: object
) -> list[object]:
    told = {"description": "A LANTERN", "price": "2.55", "customer": "17850", "country": "United Kingdom"} | other
    return [order, sku, told["description"], quantity, at, told["price"], told["customer"], told["country"]]


def a_file(path: Path, rows: Rows, header: Sequence[str] = HEADER) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    scratch = Scratch(tmp_path / "scratch.db")
    yield scratch
    scratch.close()


def read(scratch: Scratch, path: Path, part: Slice | None = None, **told: str) -> int:
    """Load and arrange. Returns how many lines the file has."""
    lines = load(path, told, part or Slice(), UTC, scratch).lines
    scratch.arrange(dealer(1, CAST.channels))
    return lines


def placed(scratch: Scratch) -> dict[str, list[tuple[str, int, int]]]:
    return {step.name: list(step.lines) for step in scratch.steps() if isinstance(step, ToPlace)}


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (HEADER, "an invoice list"),
        (["placed_at", "channel", "order", "sku", "quantity", "country", "cancelled_at"], "syncd simulate"),
        (["Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem sku"], "Shopify"),
        (["amazon-order-id", "purchase-date", "sku", "quantity", "item-price", "ship-country"], "Amazon"),
        (["Order Number", "Buyer Username", "Custom Label", "Quantity", "Sold For", "Sale Date"], "eBay"),
    ],
)  # fmt: skip
def test_common_exports_are_known_by_their_header(header: list[str], source: str) -> None:
    columns = find_columns(Path("orders.csv"), header, {})

    assert columns.source == source
    assert {"order", "sku", "quantity", "at"} <= set(columns.at)


def test_a_mapping_goes_before_the_guess() -> None:
    columns = find_columns(Path("orders.csv"), [*HEADER, "Article"], {"sku": "article"})

    assert columns.at["sku"] == len(HEADER)
    assert columns.at["quantity"] == HEADER.index("Quantity")


def test_a_wrong_mapping_names_the_columns_seen_and_the_fields_wanted() -> None:
    with pytest.raises(OrdersUnreadable) as raised:
        find_columns(Path("orders.csv"), HEADER, {"sku": "StockCod", "qantity": "Quantity"})

    told = str(raised.value)
    assert "no column 'StockCod'. Did you mean StockCode?" in told
    assert "no field 'qantity'. Did you mean quantity?" in told
    assert "seen: InvoiceNo, StockCode" in told
    assert "wanted: order, sku, quantity, at" in told


def test_a_header_that_says_too_little_asks_for_a_mapping() -> None:
    with pytest.raises(OrdersUnreadable, match=r"no column is known for order, at\. Name it, like --map order=COLUMN"):
        find_columns(Path("orders.csv"), ["when", "sku", "quantity"], {})


def test_a_mapping_needs_both_sides() -> None:
    with pytest.raises(ValueError, match="write field=Column"):
        read_told(["sku"])


def test_every_line_is_accounted_for_with_its_reason(tmp_path: Path, scratch: Scratch) -> None:
    file = a_file(
        tmp_path / "orders.csv",
        [
            a_row(),
            a_row(),
            a_row(sku="POST", description="POSTAGE"),
            a_row(sku="gift_0001_20"),
            a_row(sku="71053", quantity=-3),
            a_row(sku="71053", quantity=0),
            a_row(sku="71053", price="0.0"),
            a_row(sku="71053", quantity="six"),
            a_row(sku="71053", at="yesterday"),
            a_row(sku=""),
            ["1", "71053"],
            a_row("C2", quantity=-1, at="2010-12-01T09:00:00"),
            a_row("C3", sku="22633", quantity=-1, at="2010-12-01T09:00:00"),
            a_row("C4", quantity=-1, at="2010-12-01T09:00:00", customer=""),
        ],
    )

    lines = read(scratch, file)

    told = scratch.told()
    assert told == {
        Reason.DOUBLE: 1,
        Reason.NO_GOODS: 2,
        Reason.NEGATIVE: 1,
        Reason.NO_QUANTITY: 1,
        Reason.NO_PRICE: 1,
        Reason.BROKEN: 4,
        Reason.UNMATCHED: 2,
    }
    assert placed(scratch) == {"1": [("85123A", 6, 1)]}
    assert sum(told.values()) + scratch.amounts()[1] == lines == 14


def test_codes_that_differ_in_case_only_are_one(tmp_path: Path, scratch: Scratch) -> None:
    read(scratch, a_file(tmp_path / "orders.csv", [a_row(sku="85123A"), a_row(sku="85123a", quantity=2)]))

    assert placed(scratch) == {"1": [("85123A", 8, 2)]}


def test_a_cancellation_takes_back_the_latest_earlier_orders_of_that_customer(tmp_path: Path, scratch: Scratch) -> None:
    file = a_file(
        tmp_path / "orders.csv",
        [
            a_row("1", quantity=2, at="2010-12-01T08:00:00"),
            a_row("2", quantity=2, at="2010-12-01T09:00:00"),
            a_row("3", quantity=9, at="2010-12-01T09:30:00", customer="13047"),
            a_row("C4", quantity=-3, at="2010-12-01T10:00:00"),
            a_row("C5", quantity=-2, at="2010-12-01T11:00:00"),
            a_row("6", quantity=9, at="2010-12-01T12:00:00"),
        ],
    )

    read(scratch, file)

    taken = [step.parts for step in scratch.steps() if isinstance(step, ToTakeBack)]
    assert taken == [(("1", "85123A", 1), ("2", "85123A", 2))]
    assert scratch.told() == {Reason.UNMATCHED: 1}, "one unit is left, and two are wanted back"


def test_an_order_cancelled_as_a_whole_ends_when_the_file_says(tmp_path: Path, scratch: Scratch) -> None:
    header = ["placed_at", "channel", "order", "sku", "quantity", "cancelled_at"]
    row = ["2026-11-27T09:30:00-05:00", "ebay-us", "1001", "RED-CLOCK", 1, "2026-11-27T10:00:00-05:00"]

    read(scratch, a_file(tmp_path / "orders.csv", [row], header))

    first, second = scratch.steps()
    assert isinstance(first, ToPlace)
    assert first.account == "ebay-us", "the file names the account"
    assert first.at == datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
    assert second == ToEnd(datetime(2026, 11, 27, 15, 0, tzinfo=UTC), "1001")


def test_shopify_names_what_lines_share_in_the_first_alone(tmp_path: Path, scratch: Scratch) -> None:
    header = ["Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku"]
    rows = [
        ["#1001", "a@example.com", "2026-11-27 09:30:00 -0500", 1, "Red Clock", "9.90", "RED"],
        ["#1001", "", "", 2, "Blue Clock", "9.90", "BLUE"],
    ]

    read(scratch, a_file(tmp_path / "orders.csv", rows, header))

    assert placed(scratch) == {"#1001": [("BLUE", 2, 1), ("RED", 1, 1)]}
    assert scratch.nameless() == 0


def test_a_packed_file_is_read_like_any_other(tmp_path: Path, scratch: Scratch) -> None:
    plain = a_file(tmp_path / "orders.csv", [a_row()])
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert read(scratch, packed) == 1


def test_a_packed_file_that_breaks_off_is_refused(tmp_path: Path, scratch: Scratch) -> None:
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(a_file(tmp_path / "o.csv", [a_row()] * 50).read_bytes())[:-20])

    with pytest.raises(OrdersUnreadable, match="it cannot be read"):
        read(scratch, packed)


def test_a_file_without_any_order_says_what_it_has(tmp_path: Path, scratch: Scratch) -> None:
    with pytest.raises(OrdersUnreadable, match="nothing of it can be ordered: 1 no goods"):
        read(scratch, a_file(tmp_path / "orders.csv", [a_row(sku="POST")]))


def test_a_file_of_broken_rows_says_what_is_wrong_with_the_first(tmp_path: Path, scratch: Scratch) -> None:
    rows = [a_row(at="yesterday"), a_row(at="tomorrow")]

    with pytest.raises(OrdersUnreadable, match=r"2 broken row \(line 2: instant 'yesterday'\)"):
        read(scratch, a_file(tmp_path / "orders.csv", rows))


@pytest.mark.parametrize(
    "content",
    [
        "order,sku,quantity,placed_at\n".encode("utf-16"),
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00,;\x1b[31m\n",
        bytes(range(1, 256)),
    ],
    ids=["UTF-16", "a workbook", "bytes"],
)
def test_what_is_no_text_is_not_shown_but_told_how_to_save(tmp_path: Path, scratch: Scratch, content: bytes) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)

    with pytest.raises(OrdersUnreadable, match="its first line is no text") as told:
        read(scratch, file)

    assert str(told.value).isprintable()


def test_a_slice_is_by_lines_and_by_days_of_the_zone(tmp_path: Path, scratch: Scratch) -> None:
    days = [f"2010-12-0{day}T23:30:00" for day in (1, 2, 3, 4)]
    file = a_file(tmp_path / "orders.csv", [a_row(str(n), at=at) for n, at in enumerate(days)])
    part = Slice(3, date(2010, 12, 2), date(2010, 12, 3))

    loaded = load(file, {}, part, ZoneInfo("Europe/London"), scratch)
    scratch.arrange(dealer(1, CAST.channels))

    assert loaded.lines == 3
    assert scratch.told() == {Reason.OUTSIDE: 2}
    assert list(placed(scratch)) == ["1"]


def test_each_order_is_dealt_to_one_account_by_the_seed() -> None:
    one, other = dealer(1, CAST.channels), dealer(2, CAST.channels)
    orders = [str(number) for number in range(2000)]

    dealt = [one(order, "") for order in orders]

    assert dealt == [one(order, "") for order in orders]
    assert dealt != [other(order, "") for order in orders]
    shares = {key: dealt.count(key) / len(dealt) for key in set(dealt)}
    assert shares == pytest.approx({each.key: each.share for each in CAST.channels}, abs=0.05)


@pytest.mark.parametrize(("text", "code"), [("EIRE", "IE"), ("de", "DE"), ("USA", "US"), ("Atlantis", None)])
def test_countries_are_known_by_code_and_by_name(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak_of(lines: int) -> int:
        rows = [a_row(str(n // 10), sku=str(10_000 + n % 50), quantity=1 + n) for n in range(lines)]
        file = a_file(tmp_path / f"{lines}.csv", rows)
        del rows
        scratch = Scratch(tmp_path / f"{lines}.db")
        tracemalloc.start()
        try:
            read(scratch, file)
            assert sum(1 for _ in scratch.steps()) == lines // 10
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            scratch.close()

    assert peak_of(20_000) < 1.3 * peak_of(4_000)
