"""Orders from a file are played against real sandboxes and the real daemon, and all ends as it must."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syncd.chance import SeededRng
from syncd.db.migrate import migrate
from tests.support import postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

REAL = Path("data") / "online_retail_2010-12_2011-05.csv.gz"
ENGINES = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.soak])]
HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]


def begin(*options: object) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "syncd", "demo", "--speed", "max", "--json", *map(str, options)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def replay(*options: object, within_s: float = 800.0) -> tuple[int, dict[str, Any], str]:
    """(exit code, the report, what was said besides)"""
    process = begin(*options)
    told, said = process.communicate(timeout=within_s)
    return process.returncode, json.loads(told) if told else {}, said


def database_options(engine: str) -> list[str]:
    return [] if engine == "sqlite" else ["--database", postgres.create_database()]


def expect_all_well(code: int, report: dict[str, Any], said: str) -> None:
    assert report, said
    wrong = ("awaited", "orders_wrong", "audit_violations", "listings_differing")
    assert {name: report[name] for name in wrong if report[name]} == {}
    assert sum(report["lines_by_reason"].values()) == report["lines"]
    taken = sum(n for ways in report["orders_in"].values() for n in ways.values())
    assert taken == report["orders"] > 0
    assert (code, report["good"]) == (0, True)


@pytest.fixture
def real_orders(shared: Path) -> Path:
    file = shared / REAL
    if not file.is_file():
        pytest.skip(f"the real orders are not there: {file} (set SYNCD_SHARED)")
    return file


def some_orders(path: Path, orders: int) -> Path:
    """A small file in the words of an invoice list, with traps."""
    rng = SeededRng(5, "replay/file")
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
        )
        for number in range(orders):
            at = f"2010-12-{1 + number // 60:02d}T{8 + number % 60 // 10:02d}:{number % 10 * 6:02d}:00"
            customer = 1000 + number % 7
            for place in range(1 + rng.randrange(3)):
                sku = f"SKU-{rng.randrange(8) * 3 + place}"
                out.writerow([number, sku, "A THING", 1 + rng.randrange(3), at, "1.25", customer, "United Kingdom"])
                if rng.random() < 0.1:
                    out.writerow([f"C{number}", sku, "A THING", -1, at, "1.25", customer, "United Kingdom"])
            if number % 9 == 0:
                out.writerow([number, "POST", "POSTAGE", 1, at, "18.00", customer, "United Kingdom"])
    return path


def test_where_every_channel_is_waited_for_nothing_is_oversold(tmp_path: Path) -> None:
    file = some_orders(tmp_path / "orders.csv", 40)

    code, report, said = replay("--orders", file, "--faithful", "--seed", 3)

    expect_all_well(code, report, said)
    assert report["oversold_units"] == 0
    assert report["faithful"]
    assert "webhook" in report["orders_in"]["main-shop"]
    assert report["lines_by_reason"]["the channel showed too little of it"] > 0, "some SKUs run out"
    assert report["lines_by_reason"]["no goods: postage, fees, samples, vouchers"] == 5


@pytest.mark.parametrize("engine", ENGINES)
def test_a_slice_of_real_orders_survives_power_cuts(real_orders: Path, engine: str) -> None:
    options = ["--orders", real_orders, "--limit", 1000, "--kill", 2, *database_options(engine)]

    code, report, said = replay(*options)

    expect_all_well(code, report, said)
    assert report["lines"] == 1000
    assert (report["database"], report["kills"]) == (engine, 2)
    assert report["lines_by_reason"]["ordered"] > 600


def test_an_interrupted_replay_comes_to_rest_and_says_what_is_left(tmp_path: Path) -> None:
    file, folder = some_orders(tmp_path / "orders.csv", 400), tmp_path / "run"
    process = begin("--orders", file, "--faithful", "--dir", folder)
    while process.poll() is None and not _has_placed(folder):
        time.sleep(0.2)

    process.send_signal(signal.SIGINT)
    told, said = process.communicate(timeout=600)

    assert process.returncode == 0, said
    report = json.loads(told)
    assert report["stopped"]
    assert report["lines_by_reason"]["not reached: the replay was stopped"] > 0
    assert sum(report["lines_by_reason"].values()) == report["lines"]
    assert f"syncd audit -c {folder / 'syncd.toml'}" in said
    audited = subprocess.run(
        [sys.executable, "-m", "syncd", "audit", "-c", str(folder / "syncd.toml")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert audited.returncode == 0, audited.stdout + audited.stderr


def _has_placed(folder: Path) -> bool:
    log = folder / "daemon.log"
    return log.is_file() and "listing.published" in log.read_text()


def test_what_is_taken_back_months_later_reaches_the_book_by_polling_alone(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    with file.open("w", newline="") as opened:
        out = csv.writer(opened)
        out.writerow([*HEADER, "Shop"])
        bought = ["1", "RED-CLOCK", "A CLOCK", 9, "2010-12-01T08:00:00", "9.90", "17850", "Lebanon", "main-shop"]
        out.writerow(bought)
        out.writerow(["2", "BLUE-LAMP", "A LAMP", 1, "2010-12-20T08:00:00", "9.90", "17851", "France", "main-shop"])
        out.writerow(["C3", *bought[1:3], -4, "2011-02-09T08:00:00", *bought[5:]])

    code, report, said = replay("--orders", file, "--map", "channel=Shop", "--seed", 1)

    expect_all_well(code, report, said)
    assert report["orders_in"] == {"main-shop": {"poll": 2}, "amazon-us": {}, "ebay-us": {}}
    assert report["lines_by_reason"] == {"ordered": 2, "cancellation, taken back by the channel": 1}
    assert report["orders_sent_home"] == 1, "the sandbox ships nothing to Lebanon"


def test_a_wrong_mapping_is_told_before_anything_starts(tmp_path: Path) -> None:
    file = some_orders(tmp_path / "orders.csv", 3)

    code, report, said = replay("--orders", file, "--map", "sku=Stockcod", within_s=120)

    assert (code, report) == (1, {})
    assert "the file has no column 'Stockcod'. Did you mean StockCode?" in said
    assert "wanted: order, sku, quantity, at" in said


def test_dates_that_can_be_read_in_two_ways_are_asked_about_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    with file.open("w", newline="") as opened:
        row = ["1", "RED-CLOCK", "A CLOCK", 1, "01/02/2011 8:26 PM", "9.90", "17850", "France"]
        csv.writer(opened).writerows([HEADER, row])

    code, report, said = replay("--orders", file, within_s=120)
    refused, _, misspelt = replay("--orders", file, "--dates", "us", within_s=120)

    assert (code, report) == (1, {})
    assert "its dates, like 01/02/2011 8:26 PM, can begin with the day or with the month" in " ".join(said.split())
    assert refused == 2
    assert "'us' is neither of day-first, month-first" in " ".join(misspelt.replace("│", " ").split())


def test_a_database_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    file, folder = some_orders(tmp_path / "orders.csv", 3), tmp_path / "run"
    folder.mkdir()
    migrate(f"sqlite:///{folder / 'syncd.db'}")
    with closing(sqlite3.connect(folder / "syncd.db")) as book, book:
        book.execute("INSERT INTO sku (code) VALUES ('RED-CLOCK')")

    code, _, said = replay("--orders", file, "--dir", folder, within_s=120)

    assert code == 1
    assert "the database has orders or SKUs already" in said


@pytest.mark.soak
@pytest.mark.long
@pytest.mark.replay
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("engine", ENGINES)
def test_all_real_orders_end_as_they_must_with_power_cuts(real_orders: Path, engine: str) -> None:
    options = ["--orders", real_orders, "--kill", 3, *database_options(engine)]

    code, report, said = replay(*options, within_s=5000)

    expect_all_well(code, report, said)
    assert report["lines"] == 209_029
    assert report["kills"] == 3
    assert report["peak_daemon_mib"] < 400
    first, *_, last = report["peaks_daemon_mib"]
    assert last < 1.1 * first, "what the book holds by then costs no memory"
