"""One row of a file of orders: what it says, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from syncd.csv_rows import RowError, whole_number
from syncd.errors import suggest
from syncd.geography import is_country

_PAYS_LATER: Final = ("amazon", "ebay")
_LONGEST_SKU: Final = {"amazon": 40, "ebay": 50, "shopify": 255}
_EXAMPLE: Final = "Write an instant with its offset, like 2026-11-27T09:30:00-05:00"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an order."""

    line: int
    placed_at: datetime
    channel: str
    order: str
    sku: str
    quantity: int
    country: str
    postcode: str
    city: str
    unpaid: bool
    cancelled_at: datetime | None


def read_row(line: int, cells: Mapping[str, str], vendors: Mapping[str, str], home: str) -> Row | list[RowError]:
    """A row with everything that is wrong with it."""
    cancelled = cells.get("cancelled_at", "")
    read = {
        "placed_at": _instant(line, "placed_at", cells["placed_at"]),
        "channel": _channel(line, cells["channel"], vendors),
        "order": cells["order"] or RowError(line, "order", "it is empty", "Number the orders: lines of one share it"),
        "sku": _sku(line, cells["sku"], vendors.get(cells["channel"], "shopify")),
        "quantity": whole_number(line, "quantity", cells["quantity"], 1),
        "country": _country(line, cells.get("country", ""), home),
        "unpaid": _unpaid(line, cells.get("unpaid", ""), vendors.get(cells["channel"])),
        "cancelled_at": _instant(line, "cancelled_at", cancelled) if cancelled else None,
    }
    errors = [each for each in read.values() if isinstance(each, RowError)]
    placed_at, cancelled_at = read["placed_at"], read["cancelled_at"]
    if isinstance(placed_at, datetime) and isinstance(cancelled_at, datetime) and cancelled_at < placed_at:
        errors.append(RowError(line, "cancelled_at", "it lies before placed_at", "Check both, and their offsets"))
    if errors:
        return errors
    return Row(line, postcode=cells.get("postcode", ""), city=cells.get("city", ""), **read)  # type: ignore[arg-type]


def _instant(line: int, column: str, text: str) -> datetime | RowError:
    if not text:
        return RowError(line, column, "it is empty", _EXAMPLE)
    try:
        told = datetime.fromisoformat(text)
        at = told.astimezone(UTC)
    except (ValueError, OverflowError):
        return RowError(line, column, f"{text!r} is not an instant", _EXAMPLE)
    return at if told.tzinfo else RowError(line, column, f"{text} has no offset", _EXAMPLE)


def _channel(line: int, text: str, vendors: Mapping[str, str]) -> str | RowError:
    if text in vendors:
        return text
    problem = f"{text!r} is no account here" if text else "it is empty"
    return RowError(line, "channel", problem, suggest(text, vendors, f"Write one of {', '.join(vendors)}"))


def _sku(line: int, text: str, vendor: str) -> str | RowError:
    if not text:
        return RowError(line, "sku", "it is empty", "Name what was ordered")
    longest = _LONGEST_SKU[vendor]
    if len(text) > longest:
        return RowError(line, "sku", f"it has {len(text)} characters", f"{vendor} takes {longest}: shorten it")
    return text


def _country(line: int, text: str, home: str) -> str | RowError:
    code = text.upper() or home
    if not is_country(code):
        return RowError(line, "country", f"{text!r} is no country", "Write its ISO 3166-1 code, like US or DE")
    return code


def _unpaid(line: int, text: str, vendor: str | None) -> bool | RowError:
    if text.casefold() not in ("", "yes", "no"):
        return RowError(line, "unpaid", f"{text!r} is neither yes nor no", "Write yes or no, or leave it empty")
    unpaid = text.casefold() == "yes"
    if unpaid and vendor is not None and vendor not in _PAYS_LATER:
        return RowError(line, "unpaid", f"orders of {vendor} are paid at once", "Write no, or leave it empty")
    return unpaid
