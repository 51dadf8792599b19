"""What the audit reads of what is new: every movement once, whatever happens to the order of rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text

from syncd.db.database import Database
from syncd.reconcile import ledger_feed, long_ledgers, pages, recent
from syncd.reconcile.audit import CHECKS, audit
from syncd.reconcile.checks import LEVEL_FOLD
from syncd.reconcile.pages import Key, read_named, read_page
from syncd.reconcile.recent import Changes, Mark, mark_now, read_changes
from syncd.stock.archive.run import archive_movements
from syncd.stock.ledger import Cause, Ledger, MovementKind
from syncd.stock.store import load_levels, record_ledger
from tests.integration.book.kept_book import corrupt
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.support.builders import NOW, Seller, a_seller

YEARS_LATER = NOW + timedelta(days=800)
RED = "sku_id = (SELECT id FROM sku WHERE code = 'RED-CLOCK')"
DECIDED = "INSERT INTO decision (kind, policy, inputs, outcome, decided_at) VALUES ('test', '', '{}', '{}', 0)"
BLUE = RED.replace("RED", "BLUE")


class Feed:
    """Reads what is new round after round, its mark stored in between as JSON."""

    def __init__(self, db: Database, mark: Mark | None = None) -> None:
        self.db = db
        self.mark = mark if mark is not None else db.read_now(mark_now)

    def reads(self) -> Changes:
        """One read."""
        changes = self.db.read_now(read_changes, self.mark)
        self.mark = Mark.from_json(json.loads(json.dumps(changes.mark.to_json())))
        assert self.mark == changes.mark
        return changes

    def round(self) -> list[Key]:
        """The movements that are new, each as often as it is read."""
        found: list[Key] = []
        for _ in range(50):
            changes = self.reads()
            found += changes.keys["movement"]
            if not changes.more:
                return found
        raise AssertionError("the feed never ends")

    def breaks(self) -> set[str]:
        """The rules that what is new breaks."""
        broken: set[str] = set()
        for _ in range(50):
            changes = self.reads()
            for check, columns, keys in changes.asked(CHECKS):
                if self.db.read_now(read_named, check, columns, keys):
                    broken.add(check.rule)
            if not changes.more:
                return broken
        raise AssertionError("the feed never ends")


@pytest.fixture
def seller(db: Database) -> Seller:
    return a_seller(db, {"RED-CLOCK": 5, "BLUE-CLOCK": 5, "LAMP": 5})


def key_of(seller: Seller, sku: str) -> tuple[int, int]:
    return seller.skus[sku], seller.warehouses["hamburg"].warehouse_id


def book(connection: Connection, key: tuple[int, int], how_often: int, at: datetime = NOW) -> None:
    """So many single pieces come, each with a movement of its own."""
    levels = load_levels(connection, {key})
    first = levels[key].seq if key in levels else 0
    ledger = Ledger(levels, "a test", at)
    for number in range(how_often):
        ledger.book(key, MovementKind.RECEIPT, Cause("receipt", first + number), 1)
    record_ledger(connection, ledger, lambda cause: f"test/{key[0]}/{cause.subject}")


def moves(seller: Seller, sku: str, how_often: int, at: datetime = NOW) -> list[Key]:
    """The keys of the movements, booked in one transaction."""
    key, before = key_of(seller, sku), seller.level(sku).seq
    seller.db.transact_now(book, key, how_often, at)
    return [(*key, seq) for seq in range(before + 1, before + how_often + 1)]


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_feed, "MOVEMENTS", 10)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("sizes", [(35,), (10,), (20, 1), (1, 20, 3), (4, 8, 4, 11), (9, 1, 10)])
def test_each_movement_is_read_once_however_many_a_transaction_has(seller: Seller, sizes: Sequence[int]) -> None:
    feed = Feed(seller.db)
    new = [key for at, size in enumerate(sizes) for key in moves(seller, ("RED-CLOCK", "LAMP")[at % 2], size)]

    assert sorted(feed.round()) == sorted(new)
    assert feed.round() == []


@pytest.mark.usefixtures("few_at_once")
def test_a_ledger_that_was_never_read_is_read_whole(seller: Seller) -> None:
    moves(seller, "LAMP", 25)
    every = [tuple(row.values()) for row in seller.rows("SELECT sku_id, warehouse_id, seq FROM movement")]

    assert sorted(Feed(seller.db, Mark()).round()) == sorted(every)


@ON_POSTGRESQL
def test_a_transaction_that_commits_late_is_read_when_it_has(seller: Seller) -> None:
    feed = Feed(seller.db)
    with seller.db.writer.connect() as late:
        ours = late.begin()
        book(late, key_of(seller, "BLUE-CLOCK"), 3)
        late.execute(text(DECIDED))
        for _ in range(4):
            moves(seller, "LAMP", 2)
            seller.does(DECIDED)
            changes = feed.reads()
            assert changes.keys["movement"] == (), "nothing is final while it runs"
        ours.commit()
    ids = [(row["id"],) for row in seller.rows("SELECT id FROM decision ORDER BY id")]

    changes = feed.reads()

    assert sorted(changes.keys["decision"]) == ids, "its id is the lowest, and was given four rounds ago"
    assert [key[0] for key in changes.keys["movement"]].count(seller.skus["BLUE-CLOCK"]) == 3
    assert [key[0] for key in changes.keys["movement"]].count(seller.skus["LAMP"]) == 8
    assert feed.round() == []
    assert feed.reads().keys["decision"] == ()


def test_what_comes_after_all_was_archived_is_read_though_its_rowids_begin_again(
    seller: Seller, tmp_path: Path
) -> None:
    moves(seller, "RED-CLOCK", 30)
    feed = Feed(seller.db)
    archive_movements(seller.db, tmp_path / "archive", 400, YEARS_LATER)

    assert feed.round() == []
    new = moves(seller, "LAMP", 2, YEARS_LATER)
    assert feed.round() == new
    archive_movements(seller.db, tmp_path / "archive", 400, YEARS_LATER + timedelta(days=900))
    new = moves(seller, "LAMP", 4, YEARS_LATER)
    assert feed.round() == new


def sqlite_says(db: Database, *statements: str) -> None:
    with closing(sqlite3.connect(make_url(db.url).database or "", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def _vacuums(db: Database) -> None:
    sqlite_says(db, "VACUUM")


def _numbers_anew(db: Database) -> None:
    """As a copy of the table does: holes are closed, in another order."""
    sqlite_says(
        db,
        "DROP TRIGGER movement_no_update",
        "UPDATE movement SET rowid = -rowid",
        "CREATE TEMP TABLE anew AS"
        " SELECT rowid AS was, row_number() OVER (ORDER BY sku_id DESC, seq) AS n FROM movement",
        "UPDATE movement SET rowid = (SELECT n FROM anew WHERE was = movement.rowid)",
    )


@ON_SQLITE
@pytest.mark.parametrize("copies", [_vacuums, _numbers_anew])
def test_what_comes_after_a_file_was_copied_is_read(
    seller: Seller, tmp_path: Path, copies: Callable[[Database], None]
) -> None:
    moves(seller, "RED-CLOCK", 30, NOW - timedelta(days=500))
    moves(seller, "LAMP", 3, YEARS_LATER)
    archive_movements(seller.db, tmp_path / "archive", 400, YEARS_LATER)
    feed = Feed(seller.db)

    copies(seller.db)
    new = moves(seller, "LAMP", 2, YEARS_LATER)

    assert set(new) <= set(feed.round())
    assert feed.round() == []


@ON_POSTGRESQL
def test_what_comes_after_a_restore_into_a_server_with_lower_numbers_is_read(seller: Seller) -> None:
    moves(seller, "RED-CLOCK", 5)
    feed = Feed(seller.db)
    feed.mark = replace(feed.mark, place=ledger_feed.Place(feed.mark.place.number + 10**9))

    new = moves(seller, "LAMP", 2)

    assert set(new) <= set(feed.round())
    assert feed.round() == []


@ON_POSTGRESQL
def test_after_a_restore_into_a_server_with_lower_numbers_no_row_waits_for_transactions(seller: Seller) -> None:
    feed = Feed(seller.db)
    feed.mark = replace(feed.mark, rows=replace(feed.mark.rows, settles=feed.mark.rows.settles + 10**9))

    assert feed.reads().settled
    assert feed.mark.rows.settles < 10**9


def test_ids_that_are_given_again_are_read(seller: Seller) -> None:
    for _ in range(4):
        seller.does(DECIDED)
    feed = Feed(seller.db)
    feed.round()
    seller.does("DELETE FROM decision")

    feed.round()
    seller.does(DECIDED)

    (row,) = seller.rows("SELECT id FROM decision")
    assert (row["id"],) in feed.reads().keys["decision"]


def test_a_mark_of_the_version_before_is_read_on_from(seller: Seller) -> None:
    old = Mark.from_json({"movement": 3, "ids": {"order": [0, 0]}})

    new = moves(seller, "LAMP", 2)

    assert set(new) <= set(Feed(seller.db, old).round())


@pytest.fixture
def long_at_20(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A ledger is long from 20 movements on, and 50 are read at once; returns how many each read was to read."""
    monkeypatch.setattr(recent, "_LONG", 20)
    monkeypatch.setattr(recent, "BUDGET", 50)
    read: list[int] = []
    added: Any = long_ledgers._added

    def counts(connection: Connection, windows: list[tuple[int, ...]]) -> Any:
        read.append(sum(upto - after for _, _, after, upto in windows))
        return added(connection, windows=windows)

    monkeypatch.setattr(long_ledgers, "_added", counts)
    return read


def test_a_long_ledger_is_folded_once_and_then_only_what_is_new(seller: Seller, long_at_20: list[int]) -> None:
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 200)

    assert feed.breaks() == set()
    assert sum(long_at_20) == pytest.approx(seller.level().seq, abs=5)
    assert max(long_at_20) <= 51
    long_at_20.clear()
    moves(seller, "RED-CLOCK", 3)
    moves(seller, "LAMP", 1)
    assert feed.breaks() == set()
    assert long_at_20 == [4], "its three movements, and whether there is one more than there may be"
    (fold,) = feed.mark.folds
    assert (fold.key, fold.seq, fold.waits) == (key_of(seller, "RED-CLOCK"), seller.level().seq, False)


def test_a_long_ledger_is_never_asked_of_a_check_that_folds_it_all(seller: Seller, long_at_20: list[int]) -> None:
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 40)
    moves(seller, "LAMP", 3)

    asked = {(check.rule, key) for check, columns, keys in feed.reads().asked(CHECKS) for key in keys}

    assert ("level.fold", key_of(seller, "LAMP")) in asked
    assert ("level.fold", key_of(seller, "RED-CLOCK")) not in asked
    assert ("level.short", key_of(seller, "RED-CLOCK")) in asked
    assert ("level.reserved", key_of(seller, "RED-CLOCK")) in asked


@pytest.mark.parametrize(
    ("hand", "rules"),
    [
        (f"UPDATE level SET on_hand = on_hand + 1 WHERE {RED}", {"level.fold"}),
        (f"UPDATE level SET seq = seq + 1 WHERE {RED}", {"level.seq"}),
        (f"UPDATE level SET seq = seq - 1 WHERE {RED}", {"level.seq"}),
        (
            f"DELETE FROM movement WHERE {RED} AND seq = (SELECT max(seq) - 1 FROM movement)",
            {"level.fold", "level.seq"},
        ),
        (
            f"DELETE FROM movement WHERE {RED} AND seq = (SELECT max(seq) FROM movement)",
            {"level.fold", "level.seq"},
        ),
    ],
)
@pytest.mark.usefixtures("long_at_20")
def test_what_is_wrong_above_the_fold_of_a_long_ledger_is_found_at_once(
    seller: Seller, hand: str, rules: set[str]
) -> None:
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 200)
    assert feed.breaks() == set()

    moves(seller, "RED-CLOCK", 3)
    corrupt(seller.db, hand)

    assert feed.breaks() == rules
    assert feed.mark.folds == ()


@pytest.mark.usefixtures("long_at_20")
def test_a_level_that_was_mended_by_hand_is_folded_anew_and_not_told(seller: Seller) -> None:
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 200)
    feed.breaks()
    corrupt(
        seller.db,
        f"UPDATE movement SET d_on_hand = d_on_hand + 1 WHERE {RED} AND seq = 100",
        f"UPDATE level SET on_hand = on_hand + 1 WHERE {RED}",
    )

    moves(seller, "RED-CLOCK", 1)

    assert feed.breaks() == set()
    moves(seller, "RED-CLOCK", 1)
    assert feed.breaks() == set()
    assert [(fold.seq, fold.waits) for fold in feed.mark.folds] == [(seller.level().seq, False)]


@pytest.mark.usefixtures("long_at_20")
def test_a_fold_goes_on_after_its_movements_were_archived(seller: Seller, tmp_path: Path) -> None:
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 60)
    feed.breaks()
    moves(seller, "RED-CLOCK", 60)
    moves(seller, "RED-CLOCK", 60, YEARS_LATER)

    archive_movements(seller.db, tmp_path / "archive", 400, YEARS_LATER)

    assert feed.breaks() == set()
    assert [(fold.seq, fold.waits) for fold in feed.mark.folds] == [(seller.level().seq, False)]


@pytest.mark.usefixtures("long_at_20")
def test_a_movement_edited_below_the_fold_is_found_by_the_slow_pass(seller: Seller) -> None:
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 200)
    feed.breaks()

    corrupt(seller.db, f"UPDATE movement SET d_on_hand = 2 WHERE {RED} AND seq = 100")
    moves(seller, "RED-CLOCK", 1)

    assert feed.breaks() == set()
    assert audit(seller.db).counted["level.fold"] == 1


def test_the_slow_pass_reads_a_ledger_that_is_heavier_than_a_page_may_be(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "BUDGET", 10)
    moves(seller, "BLUE-CLOCK", 200)
    corrupt(seller.db, f"UPDATE movement SET d_on_hand = 2 WHERE {BLUE} AND seq = 100")
    check = replace(LEVEL_FOLD, page=2)
    keys = 0
    after: Key | None = None
    broken: list[pages.Row] = []

    for _ in range(5):
        page = seller.db.read_now(read_page, check, after)
        keys, after = keys + page.keys, page.last
        broken += page.broken
        if after is None:
            break

    assert (keys, after) == (3, None)
    assert [row["sku_id"] for row in broken] == [seller.skus["BLUE-CLOCK"]]


def test_what_is_asked_at_once_reads_no_more_than_a_page_may(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "BUDGET", 30)
    feed = Feed(seller.db)
    for sku, how_often in (("BLUE-CLOCK", 12), ("LAMP", 14), ("RED-CLOCK", 40)):
        moves(seller, sku, how_often)

    groups = [keys for check, _, keys in feed.reads().asked((LEVEL_FOLD,))]

    red, blue, lamp = (key_of(seller, sku) for sku in ("RED-CLOCK", "BLUE-CLOCK", "LAMP"))
    assert groups == [(blue, lamp), (red,)]


def test_what_is_too_much_to_fold_at_once_waits_for_the_next_read(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "_FOLDED", 30)
    monkeypatch.setattr(recent, "BUDGET", 10)
    feed = Feed(seller.db)
    for sku in ("RED-CLOCK", "BLUE-CLOCK", "LAMP"):
        moves(seller, sku, 20)
    corrupt(seller.db, "UPDATE level SET on_hand = on_hand + 1")

    first = feed.reads()

    assert first.more
    assert [fold.waits for fold in feed.mark.folds] == [True, True]
    assert feed.breaks() == {"level.fold"}
    assert feed.mark.folds == ()


def test_only_the_folds_that_changed_last_are_kept(
    seller: Seller, long_at_20: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_ledgers, "KEPT", 1)
    feed = Feed(seller.db)
    moves(seller, "RED-CLOCK", 30)
    feed.breaks()
    moves(seller, "LAMP", 30)

    feed.breaks()

    assert [fold.key for fold in feed.mark.folds] == [key_of(seller, "LAMP")]
