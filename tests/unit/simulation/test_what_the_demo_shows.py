"""What the demo draws on a terminal of 80 columns, and into its picture."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console, RenderableType

from syncd.insight.histogram import bucket_of
from syncd.insight.status import AccountStatus, Backlog, InboxStatus, Lag, Status, Stock, WarehouseStatus
from syncd.simulation.picture import save_picture
from syncd.simulation.summary import ChannelFigures, Summary
from syncd.simulation.verdict import summary_view
from syncd.simulation.view import live_view

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ACCOUNTS = {"main-shop": "shopify", "amazon-us": "amazon", "ebay-us": "ebay"}
WAYS = ("webhook", "queue", "poll")


def drawn(view: RenderableType) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def an_account(key: str) -> AccountStatus:
    lag = Lag({bucket_of(1234.0): 2, bucket_of(86.0): 5})
    kinds = ("placed_to_shown", *(f"placed_to_book.{way}" for way in WAYS))
    return AccountStatus(
        key=key,
        channel=ACCOUNTS[key],
        state="live",
        state_changed_at=NOON,
        polled_to=NOON,
        horizon_at=NOON,
        orders_in={},
        totals={},
        backlog=Backlog(100, {"certification": 23}),
        pushes_in_flight=1,
        open_holds=1,
        held_units=2,
        lags=dict.fromkeys(kinds, lag),
    )


def a_status() -> Status:
    warehouses = tuple(
        WarehouseStatus(key, key.title(), kind, 12345, Stock(123456, 0, 12345, 123), NOON, {"accepted": 1234}, 1)
        for key, kind in (("east", "own"), ("west", "own"), ("bob", "3pl"), ("fba", "fba"))
    )
    return Status(NOON, tuple(map(an_account, ACCOUNTS)), warehouses, InboxStatus(0, 0, 0, None), (), 12)


def tallies() -> dict[tuple[str, str], int]:
    names = {"oversold_units": 12, "numbers_written": 12345, "throttled": 123}
    names |= {f"orders_in.{way}": 1234 for way in WAYS}
    return {(f"account:{key}", name): n for key in ACCOUNTS for name, n in names.items()}


def a_summary(**more: object) -> Summary:
    lag: dict[str, float | int | None] = {"count": 9, "mean": 30.0, "p50": 1234.0, "p95": 86.0, "p99": None}
    channel = ChannelFigures(
        orders_in={"poll": 12, "webhook": 1234},
        orders_expected=1246,
        pushes=1234,
        numbers_written=12345,
        throttled=12,
        lag_s={"placed_to_shown": lag, "placed_to_book.poll": lag},
        oversold_units=3,
        oversold_causes={"sold elsewhere within the lag": 2, "a channel was down": 1},
        units_held=12,
        units_held_now=0,
        listings_differing=0,
        down_s=240.0,
    )
    fields: dict[str, object] = {
        "orders_in": dict.fromkeys(ACCOUNTS, channel.orders_in),
        "orders_expected": 3 * 1246,
        "units_reserved": {"bob": 12, "east": 345, "west": 67},
        "pushes": 1,
        "numbers_written": 2,
        "lag_s": {},
        "oversold_units": 9,
        "oversold_causes": {},
        "audit_violations": 0,
        "listings_differing": 0,
        "rejected_rows": {"rejected": 3},
        "orders_per_s": 5.5,
        "peak_rss_mib": 150.1,
        "seed": 7,
        "speed": 60.0,
        "quiet": True,
        "channels": dict.fromkeys(ACCOUNTS, channel),
    }
    return Summary(**(fields | more))  # type: ignore[arg-type] # the fields by name, of which some are replaced


def a_live_view() -> RenderableType:
    return live_view(
        "Fri 12:00 at 60x · 12345 bought", "http://127.0.0.1:65535", a_status(), tallies(), 12, ["ebay-us"]
    )


def test_every_channel_way_and_warehouse_has_one_line_of_its_own() -> None:
    lines = drawn(a_live_view())

    for name in [*ACCOUNTS, "east", "west", "bob", "fba"]:
        assert sum(name in line for line in lines) == 1, name
    for way in WAYS:
        assert sum(way in line for line in lines) == len(ACCOUNTS), way
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines), "nothing is cut off"


def test_a_channel_that_answers_nobody_is_shown_to_be_down() -> None:
    lines = drawn(a_live_view())

    assert any("ebay-us down" in line for line in lines)
    assert not any("main-shop down" in line for line in lines)


def test_the_end_tells_each_channels_oversells_by_cause() -> None:
    lines = drawn(summary_view(a_summary()))

    for key in ACCOUNTS:
        assert sum(f"oversold, {key}" in line for line in lines) == 2
    assert sum("2: sold elsewhere within the lag" in line for line in lines) == 3
    assert not any("…" in line for line in lines), "nothing is cut off"


def test_a_run_that_ended_well_says_so_and_one_that_did_not_says_what_is_wrong() -> None:
    good, bad = a_summary(), a_summary(listings_differing=2, quiet=False, awaited="3 holds, 1 events")

    assert good.good
    assert not any("✗" in line for line in drawn(summary_view(good)))
    assert not bad.good
    told = "\n".join(drawn(summary_view(bad)))
    assert "✗ not true: every listing shows its sellable quantity (2)" in told
    assert "✗ not true: everything came to rest (3 holds, 1 events)" in told


def test_an_order_too_many_is_as_wrong_as_one_too_few() -> None:
    assert not a_summary(orders_expected=3 * 1246 - 1).good
    assert not a_summary(orders_expected=3 * 1246 + 1).good


def test_the_picture_shows_three_channels_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "demo.svg"

    save_picture([a_live_view(), summary_view(a_summary())], path)

    drawing = path.read_text()
    ElementTree.fromstring(drawing)
    assert all(key in drawing for key in ACCOUNTS)
    assert "url(http" not in drawing
    assert "@font-face" not in drawing
