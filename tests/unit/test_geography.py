"""Zones, postcode prefixes and rough distances."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

import syncd.geography
from syncd.country_centroids import CENTROIDS
from syncd.geography import EU, LONG_POSTCODES, distance_km, haversine_km, is_zone, postcode_prefix, zone_rate


@dataclass(frozen=True)
class Rate:
    zone: str
    per_parcel_minor: int
    per_unit_minor: int = 0


ALL = (
    Rate("world", 1),
    Rate("EU", 2),
    Rate("domestic", 3),
    Rate("DE", 4),
    Rate("DE:1", 5),
    Rate("DE:10", 6, 60),
    Rate("US:9", 7),
)


@pytest.mark.parametrize(
    ("home", "country", "prefix", "price"),
    [
        ("DE", "DE", "10", (6, 60)),
        ("DE", "DE", "12", (5, 0)),
        ("DE", "DE", "80", (4, 0)),
        ("DE", "DE", None, (4, 0)),
        ("FR", "FR", "75", (3, 0)),
        ("DE", "FR", "75", (2, 0)),
        ("US", "US", "902", (7, 0)),
        ("US", "US", "100", (3, 0)),
        ("DE", "US", "100", (1, 0)),
        ("DE", "CH", None, (1, 0)),
        ("DE", None, None, None),
    ],
)
def test_the_most_specific_zone_wins(
    home: str, country: str | None, prefix: str | None, price: tuple[int, int] | None
) -> None:
    assert zone_rate(ALL, home, country, prefix) == price
    assert zone_rate(ALL[::-1], home, country, prefix) == price


def test_where_no_zone_reaches_there_is_no_price() -> None:
    assert zone_rate([Rate("EU", 2), Rate("domestic", 3), Rate("DE", 4)], "US", "JP", "100") is None
    assert zone_rate([], "US", "US", "100") is None


def test_a_domestic_price_comes_before_the_unions() -> None:
    assert zone_rate([Rate("EU", 2), Rate("domestic", 3)], "FR", "FR", None) == (3, 0)


@pytest.mark.parametrize(
    ("country", "postcode", "prefix"),
    [
        ("US", "10001", "100"),
        ("US", "10001-1234", "100"),
        ("US", "100", "100"),
        ("US", "1", None),
        ("US", "ABC", None),
        ("GB", "SW1A 1AA", "SW1A"),
        ("GB", "m1 1ae", "M1"),
        ("CA", "K1A 0B1", "K1A"),
        ("IE", "D02 AF30", "D02"),
        ("DE", "10115", "10"),
        ("NL", "1012 AB", "101"),
        ("JP", "100-0001", "100"),
        ("IS", "101", "10"),
        ("HK", "", None),
        ("DE", " - ", None),
    ],
)
def test_only_the_start_of_a_postcode_is_kept(country: str, postcode: str, prefix: str | None) -> None:
    assert postcode_prefix(country, postcode) == prefix


@pytest.mark.parametrize("zone", ["domestic", "EU", "world", "US", "US:9", "US:902", "GB:SW1A", "DE:10", "JP:100"])
def test_zones(zone: str) -> None:
    assert is_zone(zone)


@pytest.mark.parametrize(
    "zone",
    ["", "us", "UK", "US:", "US:9021", "DE:101", "DE:1a", "XX:1", "eu", "domestic ", "US:90 ", "world:1", "US\n"],
)
def test_a_zone_that_could_never_match_is_none(zone: str) -> None:
    assert not is_zone(zone)


def test_distances_in_the_us_are_between_zip_areas() -> None:
    from_new_york = distance_km("US", "10001", "US", "902")

    assert from_new_york == pytest.approx(3_940, abs=40)  # to Beverly Hills
    assert distance_km("US", "90210", "US", "100") == pytest.approx(from_new_york)
    assert distance_km("US", "10001-1234", "US", "100") == 0


@pytest.mark.parametrize(("postcode", "prefix"), [(None, "902"), ("10001", None), ("10001", "000"), ("10001", "090")])
def test_without_a_known_zip_there_is_no_distance_inside_the_us(postcode: str | None, prefix: str | None) -> None:
    assert distance_km("US", postcode, "US", prefix) is None  # 090 is a military one


def test_other_countries_count_as_one_point() -> None:
    assert distance_km("DE", "10115", "FR", "75") == pytest.approx(824, abs=5)
    assert distance_km("DE", "10115", "DE", "80") == 0
    assert distance_km("US", "10001", "GB", "SW1A") == pytest.approx(5_330, abs=40)
    assert distance_km("US", None, "GB", None) == pytest.approx(6_890, abs=40)


def test_an_unknown_country_has_no_distance() -> None:
    assert distance_km("ZZ", None, "US", "100") is None
    assert distance_km("DE", None, None, None) is None


def test_the_great_circle_crosses_the_date_line() -> None:
    assert haversine_km((0, 179), (0, -179)) == pytest.approx(222.4, abs=0.1)
    assert haversine_km((90, 0), (-90, 0)) == pytest.approx(20_015, abs=1)


def test_the_table_of_countries_is_complete_and_on_earth() -> None:
    assert len(CENTROIDS) == 250  # the 249 of ISO 3166-1, and Kosovo
    assert set(CENTROIDS) >= EU | LONG_POSTCODES | {"US", "GB"}
    assert all(-90 <= north <= 90 and -180 <= east <= 180 for north, east in CENTROIDS.values())


def test_the_zip_table_is_loaded_only_when_asked() -> None:
    code = "import sys, syncd.geography as g; g.distance_km('DE', '1', 'FR', '2'); assert 'zipcodes' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_threads_that_ask_for_the_first_time_at_once_are_all_answered() -> None:
    syncd.geography._zip_area_centre.cache_clear()
    distance_km.cache_clear()
    start = Barrier(3)

    def ask(prefix: str) -> float | None:
        start.wait()
        return distance_km("US", "10001", "US", prefix)

    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(ask, ["941", "606", "770"]))

    assert all(km is not None and km > 1000 for km in found)
