"""Where made-up shoppers live: in the countries that the seller's warehouses stand in."""

from __future__ import annotations

from collections.abc import Collection

Town = tuple[str, str, str, str | None]
"""(city, postcode, country, province)"""

_TOWNS: tuple[Town, ...] = (
    ("New York", "10001", "US", "NY"),
    ("Boston", "02108", "US", "MA"),
    ("Chicago", "60601", "US", "IL"),
    ("Denver", "80202", "US", "CO"),
    ("Seattle", "98101", "US", "WA"),
    ("Los Angeles", "90012", "US", "CA"),
    ("Miami", "33130", "US", "FL"),
    ("Austin", "78701", "US", "TX"),
    ("Toronto", "M5H 2N2", "CA", "ON"),
    ("London", "SW1A 1AA", "GB", None),
    ("Leeds", "LS1 1UR", "GB", None),
    ("Berlin", "10117", "DE", None),
    ("Munich", "80331", "DE", None),
    ("Paris", "75001", "FR", None),
    ("Lyon", "69001", "FR", None),
    ("Rome", "00184", "IT", None),
    ("Madrid", "28013", "ES", None),
    ("Amsterdam", "1012 JS", "NL", None),
    ("Vienna", "1010", "AT", None),
    ("Warsaw", "00-001", "PL", None),
    ("Stockholm", "111 20", "SE", None),
    ("Sydney", "2000", "AU", "NSW"),
    ("Tokyo", "100-0001", "JP", None),
)


def towns_in(countries: Collection[str]) -> tuple[Town, ...]:
    """The towns of these countries; one without a postcode for a country that has none here."""
    known = [town for town in _TOWNS if town[2] in countries]
    listed = {town[2] for town in known}
    return (*known, *(("Springfield", "", country, None) for country in sorted(set(countries) - listed)))


def ship_to(town: Town) -> dict[str, str]:
    """An address in the words of the counters."""
    city, postcode, country, province = town
    address = {"name": "A Shopper", "address1": "1 Main Street", "city": city, "country": country}
    return address | ({"zip": postcode} if postcode else {}) | ({"province": province} if province else {})
