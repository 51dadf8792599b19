"""What the shops of a seller show."""

from __future__ import annotations

from tests.support.shop import Seller


def both(seller: Seller, code: str = "RED-CLOCK") -> tuple[int, ...]:
    """What the shops show."""
    return tuple(shop.shows(code) for shop in seller.shops.values())
