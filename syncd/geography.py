"""Where parcels go: postcode prefixes, shipping zones and rough distances.

A full postcode can name a household, so only a prefix of it is ever kept: enough for zones and for ranking warehouses.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Final, Protocol

from syncd.country_centroids import CENTROIDS

EARTH_RADIUS_KM: Final = 6371.0


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


EU: Final = _codes("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

# Countries whose postcodes have six characters and more.
LONG_POSTCODES: Final = _codes("AR AZ BN BR BY CL CN CO EC IN IR JP KG KZ MT NG NL PT RO RU SG TJ TM UZ")

_NOT_OF_A_CODE: Final = re.compile(r"[^A-Z0-9]+")
_ZIP_AREA: Final = re.compile(r"[0-9]{3}")
_ZONE: Final = re.compile(r"domestic|EU|world|(?P<country>[A-Z]{2})(:(?P<prefix>[A-Z0-9]{1,4}))?")


class ZoneRate(Protocol):
    """What it costs to ship into one zone, in minor units of the cost currency."""

    @property
    def zone(self) -> str: ...

    @property
    def per_parcel_minor(self) -> int: ...

    @property
    def per_unit_minor(self) -> int: ...


def is_country(code: str) -> bool:
    """Whether this is an ISO 3166-1 alpha-2 code that we know."""
    return code in CENTROIDS


def is_zone(zone: str) -> bool:
    """Whether this names a zone: domestic, EU, world, a country, or a country and the start of a postcode."""
    match = _ZONE.fullmatch(zone)
    if match is None:
        return False
    country, prefix = match["country"], match["prefix"] or ""
    return country is None or (is_country(country) and len(prefix) <= _longest_prefix(country))


def postcode_prefix(country: str, postcode: str) -> str | None:
    """The part of a postcode that may be kept, or None when there is none to be had.

    Three characters of a US ZIP; the outward part of a British code; elsewhere three of the long codes and two of the
    others, always without the last three. Upper case, without spaces and hyphens.
    """
    code = _NOT_OF_A_CODE.sub("", postcode.upper())
    if country == "US":
        return code[:3] if _ZIP_AREA.match(code) else None
    return code[: min(_longest_prefix(country), max(2, len(code) - 3))] or None


def zone_rate(
    rates: Collection[ZoneRate], home_country: str, to_country: str | None, to_postcode_prefix: str | None
) -> tuple[int, int] | None:
    """What shipping there costs, `(per parcel, per unit)` in minor units, by the most specific zone; None: no zone.

    A country with the longest matching prefix wins over the country, that over domestic, EU and world.
    """
    if to_country is None or not rates:
        return None
    by_zone = {rate.zone: rate for rate in rates}
    prefix = to_postcode_prefix or ""
    zones = [f"{to_country}:{prefix[:length]}" for length in range(len(prefix), 0, -1)]
    zones.append(to_country)
    if to_country == home_country:
        zones.append("domestic")
    if to_country in EU:
        zones.append("EU")
    zones.append("world")
    rate = next((by_zone[zone] for zone in zones if zone in by_zone), None)
    return (rate.per_parcel_minor, rate.per_unit_minor) if rate else None


@lru_cache(maxsize=16_384)
def distance_km(
    from_country: str, from_postcode: str | None, to_country: str | None, to_postcode_prefix: str | None
) -> float | None:
    """The great-circle distance, or None when it is unknown.

    Inside the US between the centres of three-digit ZIP areas; otherwise a country counts as one point, so that two
    places in the same country are 0 apart. A US address without a known ZIP has no distance to another US address.
    """
    start = _us_centre(from_country, from_postcode)
    end = _us_centre(to_country, to_postcode_prefix)
    if from_country == to_country == "US" and (start is None or end is None):
        return None
    start = start or CENTROIDS.get(from_country)
    end = end or CENTROIDS.get(to_country or "")
    return haversine_km(start, end) if start and end else None


def haversine_km(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The great-circle distance between two points given in degrees north and east."""
    north, east, to_north, to_east = map(radians, (*start, *end))
    half_chord = sin((to_north - north) / 2) ** 2 + cos(north) * cos(to_north) * sin((to_east - east) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord)))


def _longest_prefix(country: str) -> int:
    """How much of this country's postcodes is ever kept."""
    if country == "GB":
        return 4
    return 3 if country in {"US", "CA", "IE"} or country in LONG_POSTCODES else 2


def _us_centre(country: str | None, postcode: str | None) -> tuple[float, float] | None:
    if country != "US" or not postcode:
        return None
    prefix = postcode_prefix("US", postcode)
    return _zip_area_centre(prefix) if prefix else None


@lru_cache(maxsize=1000)
def _zip_area_centre(prefix: str) -> tuple[float, float] | None:
    """The mean position of a three-digit ZIP area; military ones have none."""
    import zipcodes  # unpacks its table when first asked: only those who rank by distance wait for it

    rows = zipcodes.similar_to(prefix)  # type: ignore[no-untyped-call]  # it claims types and has none
    found = [(float(row["lat"] or 0), float(row["long"] or 0)) for row in rows]
    placed = [point for point in found if point != (0.0, 0.0)]
    if not placed:
        return None
    return sum(north for north, _ in placed) / len(placed), sum(east for _, east in placed) / len(placed)
