"""Old movements go into files that prove themselves; the book stays as it was, and goes on."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from syncd.chance import SeededRng
from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Fenced, acquire
from syncd.db.types import from_micros
from syncd.reconcile.audit import audit
from syncd.simulation.checker.ledger import read_places, the_ledger_folds
from syncd.simulation.checker.verdict import Verdict
from syncd.stock.archive import prefixes
from syncd.stock.archive import run as archive_run
from syncd.stock.archive.files import ArchiveRefused, write_movements
from syncd.stock.archive.run import LEASE, Archived, archive_movements
from syncd.stock.archive.store import record_file
from syncd.stock.archive.verify import Wrong, verify_archive
from syncd.stock.count_store import book_counts
from syncd.stock.counts import Count
from syncd.stock.ledger import Cause, Ledger, MovementKind
from syncd.stock.store import load_levels, record_ledger
from tests.support.builders import NOW, Seller, a_seller, an_order

YEARS_LATER = NOW + timedelta(days=800)
CRASH = "the power went"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database) -> Seller:
    """Movements of three levels: counts, orders open, cancelled, sent."""
    seller = a_seller(db, {"RED-CLOCK": 9, "BLUE-CLOCK": 5, "LAMP": 3})
    seller.takes_in(an_order(order_id="1", quantity=2), an_order(order_id="2", sku="BLUE-CLOCK", quantity=3))
    seller.takes_in(an_order(order_id="3", sku="LAMP"), an_order(order_id="4"))
    seller.takes_in(an_order(order_id="4", cancelled=True, minute=5), an_order(order_id="1", quantity=2, fulfilled=2))
    return seller


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_run, "PAGE", 3)


def archives(seller: Seller, folder: Path, now: datetime = YEARS_LATER) -> Archived:
    return archive_movements(seller.db, folder, 400, now)


def levels(seller: Seller) -> list[Any]:
    return seller.rows(
        "SELECT sku_id, warehouse_id, on_hand, unavailable, reserved, short, seq FROM level ORDER BY sku_id"
    )


def n(seller: Seller, table: str) -> int:
    return int(seller.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def wrong(seller: Seller, folder: Path) -> list[Wrong]:
    return verify_archive(seller.db, folder).wrong


def the_book_is_right(seller: Seller) -> bool:
    """By the audit, and by the simulation's own words."""
    return audit(seller.db).clean and not the_ledger_folds(seller.db.read_now(read_places), NOW, Verdict())


def moves(seller: Seller, sku: str, how_often: int, at: datetime, first: int = 0) -> None:
    """So many single pieces come, each with a movement of its own."""

    def book(connection: Connection) -> None:
        key = (seller.skus[sku], seller.warehouses["hamburg"].warehouse_id)
        ledger = Ledger(load_levels(connection, {key}), "a test", at)
        for number in range(how_often):
            ledger.book(key, MovementKind.RECEIPT, Cause("receipt", first + number), 1)
        record_ledger(connection, ledger, lambda cause: f"{at.isoformat()}/{cause.subject}")

    seller.db.transact_now(book)


def test_old_movements_go_into_files_and_everything_else_stays(seller: Seller, folder: Path) -> None:
    before, in_ledger = levels(seller), n(seller, "movement")

    done = archives(seller, folder)

    assert done.movements == in_ledger > 0
    assert n(seller, "movement") == 0
    assert levels(seller) == before
    assert the_book_is_right(seller)
    assert verify_archive(seller.db, folder).to_json() == {
        "archive": done.archive,
        "sound": True,
        "files": 1,
        "movements": in_ledger,
        "counted": 0,
        "wrong": [],
    }
    manifest = json.loads((folder / "archive.json").read_text())
    assert manifest["archive"] == done.archive
    assert [file["movements"] for file in manifest["files"]] == [in_ledger]


def test_a_file_tells_every_movement_as_the_ledger_had_it(seller: Seller, folder: Path) -> None:
    expected = seller.rows("SELECT seq, kind, d_on_hand, d_reserved, cause_key, actor FROM movement WHERE sku_id = 1")

    archives(seller, folder)

    (file,) = folder.glob("movements-*.gz")
    lines = gzip.decompress(file.read_bytes()).splitlines()
    told = [line for line in map(json.loads, lines[1:]) if line["sku_id"] == 1]
    assert [{name: line[name] for name in expected[0]} for line in told] == sorted(
        map(dict, expected), key=lambda each: each["seq"]
    )
    assert {line["warehouse"] for line in told} == {"hamburg"}


def test_orders_counts_and_the_next_archive_go_on_after_it(seller: Seller, folder: Path) -> None:
    archives(seller, folder)

    seller.takes_in(
        an_order(order_id="5", quantity=2, minute=9), an_order(order_id="3", sku="LAMP", fulfilled=1, minute=9)
    )
    seller.counts("RED-CLOCK", 20, at=YEARS_LATER)
    assert the_book_is_right(seller)
    again = archives(seller, folder, YEARS_LATER + timedelta(days=500))

    assert [file.number for file in again.files] == [1, 2]
    assert n(seller, "movement") == 0
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


def test_news_that_come_again_change_nothing_though_their_movements_are_gone(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    before = levels(seller)

    seller.takes_in(
        an_order(order_id="2", sku="BLUE-CLOCK", quantity=3), an_order(order_id="4", cancelled=True, minute=5)
    )
    seller.takes_in(an_order(order_id="2", sku="BLUE-CLOCK", quantity=3, minute=7))

    assert levels(seller) == before
    assert n(seller, "movement") == 0


def test_what_is_younger_than_the_cut_stays_and_all_that_comes_after_it(seller: Seller, folder: Path) -> None:
    cut = YEARS_LATER - timedelta(days=400)
    last = seller.level().seq
    moves(seller, "RED-CLOCK", 2, cut - timedelta(days=1))
    moves(seller, "RED-CLOCK", 1, cut)
    moves(seller, "RED-CLOCK", 4, cut - timedelta(days=2))

    archives(seller, folder)

    left = [row["seq"] for row in seller.rows("SELECT seq FROM movement ORDER BY seq")]
    assert left == [last + number for number in (3, 4, 5, 6, 7)]
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


def test_a_level_longer_than_a_page_goes_over_many_files(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves(seller, "BLUE-CLOCK", 2_000, NOW)
    monkeypatch.setattr(archive_run, "PAGE", 300)
    passed: list[tuple[int, int]] = []
    in_all = n(seller, "movement")

    done = archive_movements(seller.db, folder, 400, YEARS_LATER, lambda *step: passed.append(step))

    assert [file.movements for file in done.files] == [300] * (in_all // 300) + [in_all % 300]
    assert passed[-1] == (in_all, in_all)
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


@pytest.mark.parametrize("page", [1, 2, 5, 7, 100])
@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_whatever_the_pages_each_level_loses_its_longest_old_prefix(
    db: Database, folder: Path, page: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = SeededRng(page * 100 + at_once, "archive")
    seller = a_seller(db, {f"SKU-{number}": 5 for number in range(6)})
    cut = YEARS_LATER - timedelta(days=400)
    for number in range(25):
        at = cut + timedelta(days=rng.randrange(12) - 9)
        moves(seller, f"SKU-{rng.randrange(6)}", 1 + rng.randrange(3), at, first=10 * number)
    ledger: dict[int, list[datetime]] = {}
    for row in seller.rows("SELECT sku_id, at FROM movement ORDER BY sku_id, seq"):
        ledger.setdefault(row["sku_id"], []).append(from_micros(row["at"]))
    expected = {each: sum(1 for _ in takewhile(lambda at: at < cut, instants)) for each, instants in ledger.items()}
    monkeypatch.setattr(archive_run, "PAGE", page)
    monkeypatch.setattr(prefixes, "_LEVELS", at_once)

    archives(seller, folder)

    assert {row["sku_id"]: row["archived_seq"] for row in seller.rows("SELECT * FROM level")} == expected
    assert n(seller, "movement") == sum(map(len, ledger.values())) - sum(expected.values())
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


def test_nothing_old_writes_no_file(seller: Seller, folder: Path) -> None:
    assert archives(seller, folder, NOW + timedelta(days=300)).files == ()
    assert archives(seller, folder).files
    assert archives(seller, folder).new == ()
    assert wrong(seller, folder) == []


class Crash(Exception):
    """Whatever ends a process at once."""


def crashes(*_: Any, **__: Any) -> Any:
    raise Crash(CRASH)


def crashes_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any, **more: Any) -> Any:
        function(*given, **more)
        raise Crash(CRASH)

    return run


def crash_at(what: str, patch: pytest.MonkeyPatch) -> None:
    match what:
        case "before the first file":
            patch.setattr(archive_run, "write_movements", crashes)
        case "at the manifest":
            patch.setattr(archive_run, "write_manifest", crashes)
        case "after the file, before its name":
            rename = os.replace
            patch.setattr(os, "replace", lambda a, b: crashes() if "movements" in str(b) else rename(a, b))
        case "after its name":
            patch.setattr(archive_run, "write_movements", crashes_after(write_movements))
        case "inside the transaction":
            patch.setattr(archive_run, "record_file", crashes_after(record_file))
        case "after the commit":
            patch.setattr(Database, "transact_now", _dies_after_commit(Database.transact_now))


def _dies_after_commit(transact: Callable[..., Any]) -> Callable[..., Any]:
    def run(db: Database, function: Callable[..., Any], *given: Any) -> Any:
        done = transact(db, function, *given)
        return crashes() if function is record_file else done

    return run


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    "what",
    [
        "before the first file",
        "after the file, before its name",
        "after its name",
        "inside the transaction",
        "after the commit",
        "at the manifest",
    ],
)
def test_a_crash_loses_nothing_and_repeats_nothing(seller: Seller, folder: Path, what: str) -> None:
    before, in_all = levels(seller), n(seller, "movement")
    with pytest.MonkeyPatch.context() as patch:
        crash_at(what, patch)
        with pytest.raises(Crash):
            archives(seller, folder)
    left = {"after the commit": in_all - 3, "at the manifest": 0}
    assert n(seller, "movement") == left.get(what, in_all)
    assert the_book_is_right(seller)

    done = archives(seller, folder)

    assert sum(file.movements for file in done.files) == in_all
    assert levels(seller) == before
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


@pytest.mark.usefixtures("small_pages")
def test_an_answer_lost_at_commit_costs_no_file(seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has recorded the page, the answer does not arrive, and the transaction is run again."""
    before, in_all = levels(seller), n(seller, "movement")
    transact = Database.transact_now
    lost: list[str] = []

    def loses_one_answer(db: Database, function: Callable[..., Any], *given: Any) -> Any:
        if function is record_file and not lost:
            lost.append(given[1].name)
            transact(db, function, *given)
        return transact(db, function, *given)

    monkeypatch.setattr(Database, "transact_now", loses_one_answer)

    done = archives(seller, folder)

    assert lost == [done.files[0].name]
    assert sum(file.movements for file in done.files) == in_all
    assert levels(seller) == before
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


@pytest.mark.usefixtures("small_pages")
def test_a_daemon_that_moves_a_level_between_read_and_transaction_loses_nothing(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def while_orders_come(*given: Any) -> Any:
        number = given[2]
        seller.takes_in(an_order(order_id=f"beside-{number}", sku="BLUE-CLOCK"))
        return write_movements(*given)

    monkeypatch.setattr(archive_run, "write_movements", while_orders_come)

    done = archives(seller, folder, YEARS_LATER)

    assert len(done.files) > 2
    assert seller.level("BLUE-CLOCK").reserved == 5
    assert the_book_is_right(seller)
    assert wrong(seller, folder) == []


def test_a_page_whose_level_was_archived_meanwhile_is_read_again(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[int] = []

    def another_is_faster(*given: Any) -> Any:
        if not meanwhile:
            meanwhile.append(1)
            archives_one_movement(seller)
        return write_movements(*given)

    def archives_one_movement(seller: Seller) -> None:
        seller.does(
            "UPDATE level SET archived_seq = 1 WHERE sku_id = 1",
            "INSERT INTO archived_level SELECT sku_id, warehouse_id, seq, d_on_hand, d_unavailable, d_reserved, at"
            " FROM movement WHERE sku_id = 1 AND seq = 1",
            "DELETE FROM movement WHERE sku_id = 1 AND seq = 1",
        )

    monkeypatch.setattr(archive_run, "write_movements", another_is_faster)
    in_all = n(seller, "movement")

    done = archives(seller, folder)

    assert done.movements == in_all - 1
    assert the_book_is_right(seller)


def test_a_second_run_is_refused_while_one_works(seller: Seller, folder: Path) -> None:
    real = real_now()
    seller.db.transact_now(acquire, LEASE, "another-host/boot/7/1", real, 60.0)

    with pytest.raises(ArchiveRefused, match="another `syncd archive` works on this database"):
        archives(seller, folder)
    with pytest.raises(ArchiveRefused, match="another `syncd archive`"):
        verify_archive(seller.db, folder)
    assert not folder.exists()


def test_a_run_whose_lease_was_taken_stops_before_it_deletes(
    seller: Seller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def taken_meanwhile(*given: Any) -> Any:
        seller.does("UPDATE lease SET token = token + 1, holder = 'another' WHERE name = 'archive'")
        return write_movements(*given)

    monkeypatch.setattr(archive_run, "write_movements", taken_meanwhile)
    in_all = n(seller, "movement")

    with pytest.raises(Fenced):
        archives(seller, folder)

    assert n(seller, "movement") == in_all


def test_the_database_still_refuses_to_delete_what_is_not_archived(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    moves(seller, "RED-CLOCK", 1, YEARS_LATER)

    with pytest.raises(DBAPIError, match="only archived movements may be deleted"):
        seller.does("DELETE FROM movement")


def test_too_little_is_never_kept(seller: Seller, folder: Path) -> None:
    with pytest.raises(ArchiveRefused, match="Keep 35 days or more"):
        archive_movements(seller.db, folder, 34, YEARS_LATER)


def test_more_than_a_hundred_years_are_a_slip(seller: Seller, folder: Path) -> None:
    with pytest.raises(ArchiveRefused, match="--keep-days 99999999 is more than a hundred years"):
        archive_movements(seller.db, folder, 99_999_999, YEARS_LATER)


def test_a_folder_that_cannot_be_written_is_refused_with_what_to_do(seller: Seller, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.write_text("")
    in_all = n(seller, "movement")

    for folder in (file, file / "below"):
        with pytest.raises(ArchiveRefused, match="Name a folder that this user may write to"):
            archives(seller, folder)
    with pytest.raises(ArchiveRefused, match=r"not is not there\. Make it first"):
        archives(seller, tmp_path / "not" / "there")

    assert n(seller, "movement") == in_all


def test_a_folder_of_another_database_is_refused(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    manifest = json.loads((folder / "archive.json").read_text())
    (folder / "archive.json").write_text(json.dumps({**manifest, "archive": "another"}))

    with pytest.raises(ArchiveRefused, match="the archive of another database"):
        archives(seller, folder)
    with pytest.raises(ArchiveRefused, match="the archive of another database"):
        verify_archive(seller.db, folder)

    (folder / "archive.json").unlink()
    (folder / "movements-000009-0123456789ab.jsonl.gz").write_bytes(b"")
    with pytest.raises(
        ArchiveRefused, match=r"has files of movements and no archive\.json, the first is movements-000009"
    ):
        archives(seller, folder)


def test_a_folder_without_the_files_so_far_is_refused(seller: Seller, folder: Path, tmp_path: Path) -> None:
    archives(seller, folder)

    with pytest.raises(ArchiveRefused, match=r"lacks 1 files of this archive, the first is movements-000001"):
        archives(seller, tmp_path / "elsewhere")


def test_a_database_restored_from_before_an_archive_writes_nothing_over(seller: Seller, folder: Path) -> None:
    archives(seller, folder)
    seller.does("DELETE FROM archive_file")

    with pytest.raises(ArchiveRefused, match="was restored from an older backup"):
        archives(seller, folder)


def _changes_a_quantity(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines()
    lines[1] = lines[1].replace(b'"d_on_hand":5', b'"d_on_hand":8')
    file.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))


def _drops_a_line(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines()
    file.write_bytes(gzip.compress(b"\n".join([lines[0], *lines[2:]]) + b"\n"))


def _spoils_a_line(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines()
    file.write_bytes(gzip.compress(b"\n".join([*lines[:2], b"{}", *lines[3:]]) + b"\n"))


def _cuts_it_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:60])


@pytest.mark.parametrize(
    ("spoil", "line", "told"),
    [
        (_changes_a_quantity, None, "the files sum up to seq 2, on hand 8"),
        (_drops_a_line, 2, "seq 2 comes after 0"),
        (_spoils_a_line, 3, "it is not a movement"),
        (_cuts_it_off, None, "it cannot be read to its end"),
        (Path.unlink, None, "it is not there"),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_found(
    seller: Seller, folder: Path, spoil: Callable[[Path], Any], line: int | None, told: str
) -> None:
    name = archives(seller, folder).files[0].name

    spoil(folder / name)

    found = wrong(seller, folder)
    assert any(each.line == line and told in each.problem for each in found), found
    assert any(each.file == name and ("sha256" in each.problem or "not there" in each.problem) for each in found)
    assert any(each.level == "BLUE-CLOCK in hamburg" for each in found)


def test_sums_that_were_changed_by_hand_are_found_by_audit_and_archive(seller: Seller, folder: Path) -> None:
    archives(seller, folder)

    seller.does("UPDATE archived_level SET on_hand = on_hand + 1 WHERE sku_id = 1")

    assert audit(seller.db).counted["level.fold"] == 1
    assert len(wrong(seller, folder)) == 1


def test_sums_of_another_seq_than_was_archived_are_found(seller: Seller, folder: Path) -> None:
    archives(seller, folder)

    seller.does("UPDATE archived_level SET seq = seq - 1 WHERE sku_id = 1")

    (violation,) = audit(seller.db).violations
    assert violation.rule == "level.fold"
    assert len(wrong(seller, folder)) == 2


def test_a_count_from_before_what_is_archived_changes_nothing_and_says_so(seller: Seller, folder: Path) -> None:
    key = (seller.skus["RED-CLOCK"], seller.warehouses["hamburg"].warehouse_id)
    seller.does("UPDATE level SET as_of = NULL")
    archives(seller, folder)
    before = levels(seller)
    long_ago = Count(2, key, 50, 0, NOW - timedelta(days=9))
    lately = Count(2, key, 50, 0, YEARS_LATER - timedelta(days=30))

    assert seller.db.transact_now(book_counts, [long_ago], YEARS_LATER).older[0][0] == long_ago
    assert levels(seller) == before
    assert seller.db.transact_now(book_counts, [lately], YEARS_LATER).counted == 1
    assert seller.level().on_hand == 50
    assert the_book_is_right(seller)
