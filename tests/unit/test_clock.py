"""The seller's time: one record that every process reads alike, and real time without one."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from syncd.clock import (
    ClockRecord,
    ClockRecordError,
    ScaledClock,
    clock_from,
    real_now,
    seconds_between,
    start_record,
)

REAL = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SELLER = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
RECORD = ClockRecord(REAL, SELLER, 60.0)


def test_a_real_second_is_a_minute_of_the_sellers_at_speed_sixty() -> None:
    assert RECORD.seller(REAL) == SELLER
    assert RECORD.seller(REAL + timedelta(seconds=1)) == SELLER + timedelta(minutes=1)
    assert RECORD.seller(REAL - timedelta(seconds=2)) == SELLER - timedelta(minutes=2)


def test_a_record_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"

    RECORD.save(path)

    assert ClockRecord.load(path) == RECORD
    assert [file.name for file in tmp_path.iterdir()] == ["clock.json"], "the scratch file is gone"


def test_saving_replaces_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    RECORD.save(path)

    slower = ClockRecord(REAL, SELLER, 2.0)
    slower.save(path)

    assert ClockRecord.load(path) == slower


def test_two_processes_that_read_one_record_agree_on_the_time(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    start_record(600.0, SELLER).save(path)

    first, second = clock_from(path), clock_from(path)

    assert abs(seconds_between(first.now(), second.now())) < 600.0
    assert first.speed == second.speed == 600.0


def test_the_sellers_time_is_utc_whatever_offset_the_record_was_written_with(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    there = timezone(timedelta(hours=-5))
    ClockRecord(REAL.astimezone(there), SELLER.astimezone(there), 60.0).save(path)

    loaded = ClockRecord.load(path)

    assert loaded == RECORD
    assert loaded.seller(REAL).utcoffset() == timedelta(0)
    assert str(loaded.seller(REAL)).endswith("+00:00")


def a_record(**changes: Any) -> str:
    record = {"real_start": REAL.isoformat(), "seller_start": SELLER.isoformat(), "speed": 60.0}
    return json.dumps({**record, **changes})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        "42",
        "{}",
        "\x00",
        a_record(speed="fast"),
        a_record(speed=None),
        a_record(speed=0),
        a_record(speed=-1),
        a_record(speed=float("nan")),
        a_record(speed=float("inf")),
        a_record(real_start="yesterday"),
        a_record(real_start=None),
        a_record(real_start="2026-11-22T08:00:00"),
        a_record(seller_start="2026-11-27T14:00:00"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "clock.json"
    path.write_text(content)

    with pytest.raises(ClockRecordError, match=r"clock record .*clock\.json"):
        ClockRecord.load(path)


def test_a_record_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ClockRecordError, match="cannot be read"):
        ClockRecord.load(path)


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClockRecordError, match=r"remove \[clock\] from the configuration"):
        clock_from(tmp_path / "clock.json")


def test_without_a_record_time_is_real() -> None:
    clock = clock_from(None)

    assert clock.speed == 1.0
    assert abs(seconds_between(clock.now(), real_now())) < 1.0
    assert clock.real_seconds(5.0) == 5.0


def test_waits_are_shortened_by_the_speed() -> None:
    clock = ScaledClock(RECORD)

    assert clock.real_seconds(60.0) == 1.0
    assert clock.real_seconds(0.0) == 0.0


async def test_who_sleeps_some_of_the_sellers_seconds_wakes_after_them() -> None:
    clock = ScaledClock(start_record(600.0))
    before, real_before = clock.now(), time.monotonic()

    await clock.sleep(30.0)

    assert seconds_between(before, clock.now()) >= 30.0 - 1.0
    assert 0.04 <= time.monotonic() - real_before < 5.0


async def test_a_sleep_of_nothing_or_less_gives_others_a_turn_and_returns() -> None:
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    waiting = asyncio.create_task(other())
    for seconds in (0.0, -5.0):
        await ScaledClock(RECORD).sleep(seconds)

    assert turns == ["other"]
    await waiting


def test_a_record_starts_now_in_whole_seconds() -> None:
    record = start_record(60.0)

    assert abs(seconds_between(record.real_start, real_now())) < 2.0
    assert record.real_start == record.seller_start
    assert record.real_start.microsecond == 0
    assert start_record(60.0, SELLER).seller_start == SELLER


def test_real_instants_are_utc() -> None:
    assert real_now().utcoffset() == timedelta(0)


def test_seconds_between_have_a_sign_and_fractions() -> None:
    later = REAL + timedelta(milliseconds=1500)

    assert seconds_between(REAL, later) == 1.5
    assert seconds_between(later, REAL) == -1.5
