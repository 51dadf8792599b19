"""What must hold of the book, one statement a rule. A statement gives what breaks its rule, and nothing of a true book.

Each is asked of one page of a table's keys at a time: `{page}` is where the page goes. A row it gives has the columns
of the subject, `found` and `expected` (or several, `found_on_hand`), and `cause`: which of `causes` is the likeliest.
`{sum:r.quantity}` and `{raw:d.inputs}` are said as the engine says them (see `wording`).
Rules about one moment compare everything inside one statement: that is one snapshot on both engines.

A statement never fails, whatever a hand has written: arithmetic is done in more digits than a column has, nothing is
divided by 0, and what is no number at all (SQLite keeps a text where a number should be) is named by a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from syncd.catalogue.codes import normalise

PAGE = 8_000
HEAVY_PAGE = 40_000


def no_integer(*columns: str) -> str:
    """That one of these columns is no whole number in the bounds of ours."""
    return _outside(columns, -(2**31))


def no_count(*columns: str) -> str:
    """That one of these columns is no number of pieces."""
    return _outside(columns, 0)


def _outside(columns: Sequence[str], least: int) -> str:
    # SQLite keeps a text or a fraction where an integer should be. A text is ordered behind every number, and so not
    # "between"; a fraction is not what it is cast to.
    wrong = (f"{each} NOT BETWEEN {least} AND {2**31 - 1} OR {each} <> CAST({each} AS bigint)" for each in columns)
    return f"({' OR '.join(wrong)})"


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, the table whose keys are paged, and the statement that finds what breaks it in a page."""

    rule: str
    table: str  # with its alias
    key: tuple[str, ...]  # the table's primary key, by that alias
    statement: str
    causes: Mapping[str, str]
    weight: str = "1"  # rows that the statement reads for one key, about
    page: int = PAGE
    subject: Mapping[str, str] = field(kw_only=True)
    """Columns of a row that name what is wrong, each with the column of the table that it is looked up by again."""
    recent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the feed of changes knows it by (see `recent`), with the columns of the table that say the same."""
    judge: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None
    """What a row comes to, where SQL alone cannot say it; None: nothing is wrong."""


_LEVEL = ("l.sku_id", "l.warehouse_id")
_LEDGER = "CAST(l.seq AS bigint) - l.archived_seq"
_LEVEL_NAMES = {"sku_id": "l.sku_id", "warehouse_id": "l.warehouse_id"}
_RECENT_LEVELS = {"level": _LEVEL}

LEVEL_FOLD = Check(
    "level.fold",
    "level l",
    _LEVEL,
    # A level begins with the sums of its archived movements; those are proved by `syncd archive --verify`.
    """
    SELECT x.sku_id, x.warehouse_id,
      x.on_hand AS found_on_hand, x.unavailable AS found_unavailable, x.reserved AS found_reserved,
      x.told_on_hand AS expected_on_hand, x.told_unavailable AS expected_unavailable,
      x.told_reserved AS expected_reserved,
      CASE WHEN x.based <> x.archived_seq THEN 'base'
        WHEN x.movements <> x.seq - x.archived_seq THEN 'gap'
        WHEN x.on_hand = x.told_on_hand AND x.unavailable = x.told_unavailable THEN 'lost_update'
        ELSE 'by_hand' END AS cause
    FROM (
      SELECT l.sku_id, l.warehouse_id, l.on_hand, l.unavailable, l.reserved,
        CAST(l.seq AS bigint) AS seq, l.archived_seq,
        count(m.seq) AS movements, coalesce(max(b.seq), 0) AS based,
        coalesce(max(b.on_hand), 0) + coalesce({sum:m.d_on_hand}, 0) AS told_on_hand,
        coalesce(max(b.unavailable), 0) + coalesce({sum:m.d_unavailable}, 0) AS told_unavailable,
        coalesce(max(b.reserved), 0) + coalesce({sum:m.d_reserved}, 0) AS told_reserved
      FROM level l
      LEFT JOIN archived_level b ON b.sku_id = l.sku_id AND b.warehouse_id = l.warehouse_id
      LEFT JOIN movement m ON m.sku_id = l.sku_id AND m.warehouse_id = l.warehouse_id
      WHERE {page}
      GROUP BY l.sku_id, l.warehouse_id
    ) x
    WHERE x.on_hand <> x.told_on_hand OR x.unavailable <> x.told_unavailable OR x.reserved <> x.told_reserved
      OR x.based <> x.archived_seq
    """,
    {
        "base": "the sums of its archived movements are of another seq than what was archived: a hand in the database",
        "gap": "movements of this level are missing, or it moved without one (see level.seq)",
        "lost_update": "an update of reserved was lost to a writer that had not locked the level, or made by hand",
        "by_hand": "the level was edited by hand, without a movement, or a movement under it was edited",
    },
    weight=_LEDGER,
    subject=_LEVEL_NAMES,
    recent=_RECENT_LEVELS,
)

LEVEL_SEQ = Check(
    "level.seq",
    "level l",
    _LEVEL,
    """
    SELECT l.sku_id, l.warehouse_id,
      count(m.seq) AS found_movements, coalesce(max(m.seq), l.archived_seq) AS found_last,
      CAST(l.seq AS bigint) - l.archived_seq AS expected_movements, l.seq AS expected_last,
      CASE WHEN coalesce(max(m.seq), l.archived_seq) > l.seq THEN 'behind'
        WHEN max(m.seq) = l.seq THEN 'deleted' ELSE 'ahead' END AS cause
    FROM level l LEFT JOIN movement m
      ON m.sku_id = l.sku_id AND m.warehouse_id = l.warehouse_id AND m.seq > l.archived_seq
    WHERE {page}
    GROUP BY l.sku_id, l.warehouse_id
    HAVING count(m.seq) <> CAST(l.seq AS bigint) - l.archived_seq OR coalesce(max(m.seq), l.archived_seq) <> l.seq
    """,
    {
        "behind": "an update of the level was lost: it has movements newer than itself",
        "deleted": "movements between the first and the last were deleted",
        "ahead": "the newest movements were deleted, or the level moved without one",
    },
    weight=_LEDGER,
    subject=_LEVEL_NAMES,
    recent=_RECENT_LEVELS,
)

LEVEL_SHORT = Check(
    "level.short",
    "level l",
    _LEVEL,
    """
    SELECT x.* FROM (
      SELECT l.sku_id, l.warehouse_id, l.short AS found,
        CASE WHEN CAST(l.reserved AS bigint) + l.unavailable > l.on_hand
          THEN CAST(l.reserved AS bigint) + l.unavailable - l.on_hand ELSE 0 END AS expected,
        'written' AS cause
      FROM level l WHERE {page}
    ) x WHERE x.found <> x.expected
    """,
    {"written": "short was written by hand, or by code that does not go through the ledger"},
    subject=_LEVEL_NAMES,
    recent=_RECENT_LEVELS,
)

LEVEL_RESERVED = Check(
    "level.reserved",
    "level l",
    _LEVEL,
    """
    SELECT l.sku_id, l.warehouse_id, l.reserved AS found, coalesce({sum:r.quantity}, 0) AS expected,
      CASE WHEN l.reserved < coalesce({sum:r.quantity}, 0) THEN 'less' ELSE 'more' END AS cause
    FROM level l LEFT JOIN reservation r
      ON r.sku_id = l.sku_id AND r.warehouse_id = l.warehouse_id AND r.stage != 'shipped' AND r.quantity > 0
    WHERE {page}
    GROUP BY l.sku_id, l.warehouse_id
    HAVING l.reserved <> coalesce({sum:r.quantity}, 0)
    """,
    {
        "less": "an update of reserved was lost, or a reservation was written without its movement:"
        " units promised to an order look free",
        "more": "a reservation vanished without its release: units that no order has are hidden from sale",
    },
    weight="l.reserved",
    subject=_LEVEL_NAMES,
    recent=_RECENT_LEVELS,
)

RESERVATION_ORPHAN = Check(
    "reservation.orphan",
    "reservation r",
    ("r.order_line_id", "r.sku_id", "r.warehouse_id", "r.stage"),
    """
    SELECT x.order_line_id, x.sku_id, x.warehouse_id, x.stage, x.quantity AS found, 0 AS expected,
      CASE WHEN x.no_line = 1 THEN 'line' WHEN x.no_component = 1 THEN 'component' ELSE 'level' END AS cause
    FROM (
      SELECT r.order_line_id, r.sku_id, r.warehouse_id, r.stage, r.quantity,
        CASE WHEN ol.id IS NULL THEN 1 ELSE 0 END AS no_line,
        CASE WHEN lc.sku_id IS NULL THEN 1 ELSE 0 END AS no_component,
        CASE WHEN l.sku_id IS NULL THEN 1 ELSE 0 END AS no_level
      FROM reservation r LEFT JOIN order_line ol ON ol.id = r.order_line_id
        LEFT JOIN line_component lc ON lc.order_line_id = r.order_line_id AND lc.sku_id = r.sku_id
        LEFT JOIN level l ON l.sku_id = r.sku_id AND l.warehouse_id = r.warehouse_id
      WHERE {page} AND r.quantity > 0
    ) x WHERE x.no_line + x.no_component + x.no_level > 0
    """,
    {
        "line": "the order line was deleted and its reservation was not",
        "component": "the line is not made of this SKU: its components were changed after it was reserved",
        "level": "the level was deleted, or the reservation was written without the ledger",
    },
    subject={
        "order_line_id": "r.order_line_id",
        "sku_id": "r.sku_id",
        "warehouse_id": "r.warehouse_id",
        "stage": "r.stage",
    },
    recent={"line": ("r.order_line_id",)},
)

MOVEMENT_LEVEL = Check(
    "movement.level",
    "movement m",
    ("m.sku_id", "m.warehouse_id", "m.seq"),
    """
    SELECT m.sku_id, m.warehouse_id, count(*) AS found, 0 AS expected, 'level' AS cause
    FROM movement m
    WHERE {page}
      AND NOT EXISTS (SELECT 1 FROM level l WHERE l.sku_id = m.sku_id AND l.warehouse_id = m.warehouse_id)
    GROUP BY m.sku_id, m.warehouse_id
    """,
    {"level": "the level was deleted and its movements were not"},
    page=HEAVY_PAGE,
    subject={"sku_id": "m.sku_id", "warehouse_id": "m.warehouse_id"},
    recent={"movement": ("m.sku_id", "m.warehouse_id", "m.seq")},
)

ARCHIVED_LEVEL = Check(
    "archived.level",
    "archived_level b",
    ("b.sku_id", "b.warehouse_id"),
    """
    SELECT b.sku_id, b.warehouse_id, b.on_hand AS found_on_hand, b.unavailable AS found_unavailable,
      b.reserved AS found_reserved, 'a level that begins with them' AS expected, 'level' AS cause
    FROM archived_level b
    WHERE {page}
      AND NOT EXISTS (SELECT 1 FROM level l WHERE l.sku_id = b.sku_id AND l.warehouse_id = b.warehouse_id)
    """,
    {"level": "the level was deleted, and what its archived movements sum up to was not"},
    subject={"sku_id": "b.sku_id", "warehouse_id": "b.warehouse_id"},
)

LISTING_COMPONENT = Check(
    "listing.component",
    "listing_component c",
    ("c.listing_id", "c.sku_id"),
    f"""
    SELECT x.listing_id, x.sku_id, x.units AS found, 'units of a listing and a SKU that exist' AS expected,
      CASE WHEN x.listings = 0 THEN 'listing' WHEN x.skus = 0 THEN 'sku' ELSE 'units' END AS cause
    FROM (
      SELECT c.listing_id, c.sku_id, c.units,
        (SELECT count(*) FROM listing g WHERE g.id = c.listing_id) AS listings,
        (SELECT count(*) FROM sku s WHERE s.id = c.sku_id) AS skus
      FROM listing_component c WHERE {{page}}
    ) x WHERE x.listings = 0 OR x.skus = 0 OR x.units < 1 OR {no_count("x.units")}
    """,
    {
        "listing": "the listing was deleted and what it is made of was not",
        "sku": "the SKU was deleted and what is made of it was not",
        "units": "the units were written by hand: the listing's number cannot be derived",
    },
    subject={"listing_id": "c.listing_id", "sku_id": "c.sku_id"},
    recent={"listing": ("c.listing_id",)},
)

LEVEL_BOUNDS = Check(
    "level.bounds",
    "level l",
    _LEVEL,
    f"""
    SELECT l.sku_id, l.warehouse_id, l.on_hand AS found_on_hand, l.reserved AS found_reserved,
      l.unavailable AS found_unavailable, l.short AS found_short, 0 AS expected,
      CASE WHEN l.reserved < 0 THEN 'released'
        WHEN l.unavailable < 0 OR l.short < 0 THEN 'written' ELSE 'no_number' END AS cause
    FROM level l
    WHERE {{page}} AND ({no_count("l.reserved", "l.unavailable", "l.short")} OR {no_integer("l.on_hand")})
    """,
    {
        "no_number": "what stands there is no number of pieces: it was written by hand",
        "released": "more was released than was ever reserved: a release was booked twice",
        "written": "a negative quantity was written by hand: the database itself refuses it",
    },
    subject=_LEVEL_NAMES,
    recent=_RECENT_LEVELS,
)

RESERVATION_NEGATIVE = Check(
    "reservation.negative",
    "reservation r",
    ("r.order_line_id", "r.sku_id", "r.warehouse_id", "r.stage"),
    f"""
    SELECT r.order_line_id, r.sku_id, r.warehouse_id, r.stage, r.quantity AS found, 0 AS expected,
      CASE WHEN r.quantity < 0 THEN 'over' ELSE 'no_number' END AS cause
    FROM reservation r WHERE {{page}} AND {no_count("r.quantity")}
    """,
    {
        "over": "more was released than the line had reserved, or a negative reservation was written by hand",
        "no_number": "what stands there is no number of pieces: it was written by hand",
    },
    subject=RESERVATION_ORPHAN.subject,
    recent=RESERVATION_ORPHAN.recent,
)

OF_ANOTHER_KIND: Final = f"""
  (NOT CASE m.kind
    WHEN 'reservation' THEN m.d_on_hand = 0 AND m.d_unavailable = 0 AND m.d_reserved > 0
    WHEN 'release' THEN m.d_on_hand = 0 AND m.d_unavailable = 0 AND m.d_reserved < 0
    WHEN 'shipment' THEN m.d_on_hand < 0 AND m.d_unavailable = 0 AND m.d_reserved <= 0 AND m.d_reserved >= m.d_on_hand
    ELSE m.d_reserved = 0 END
  OR {no_integer("m.d_on_hand", "m.d_unavailable", "m.d_reserved")})
"""
"""A movement `m` that moves what one of its kind never does."""

MOVEMENT_KIND = Check(
    "movement.kind",
    "movement m",
    ("m.sku_id", "m.warehouse_id", "m.seq"),
    f"""
    SELECT m.sku_id, m.warehouse_id, m.seq, m.kind, m.d_on_hand AS found_on_hand,
      m.d_unavailable AS found_unavailable, m.d_reserved AS found_reserved,
      'what a movement of its kind moves' AS expected, 'edited' AS cause
    FROM movement m
    WHERE {{page}} AND {OF_ANOTHER_KIND}
    """,
    {"edited": "the movement was edited, or written by hand: no code of ours books such a one"},
    page=HEAVY_PAGE,
    subject={"sku_id": "m.sku_id", "warehouse_id": "m.warehouse_id", "seq": "m.seq"},
    recent={"movement": ("m.sku_id", "m.warehouse_id", "m.seq")},
)


def _as_people_see_it(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A code whose lower case is not what people see as the same has its alias under another name."""
    code = row["found"]
    if isinstance(code, str) and not (code.isascii() and normalise(code) == code.lower()):
        return None
    return row


SKU_ALIAS = Check(
    "sku.alias",
    "sku s",
    ("s.id",),
    # An import stores every SKU's own code among its aliases, without what people do not see as a difference. Where
    # that one is missing and a listing still goes by another, the code was changed under the listing.
    """
    SELECT s.id AS sku_id, s.code AS found,
      (SELECT min(a.normalised_code) FROM sku_alias a WHERE a.sku_id = s.id) AS expected,
      CASE WHEN EXISTS (SELECT 1 FROM sku_alias o WHERE o.normalised_code = lower(s.code)) THEN 'taken'
        ELSE 'renamed' END AS cause
    FROM sku s
    WHERE {page} AND EXISTS (SELECT 1 FROM sku_alias a JOIN listing_component c ON c.sku_id = a.sku_id
        JOIN listing g ON g.id = c.listing_id AND lower(g.code) = a.normalised_code WHERE a.sku_id = s.id)
      AND NOT EXISTS (SELECT 1 FROM sku_alias a WHERE a.sku_id = s.id AND a.normalised_code = lower(s.code))
    """,
    {
        "renamed": "the SKU was renamed by hand: no file and no channel finds it under its new code,"
        " and its listings still go by the old one",
        "taken": "the SKU was renamed by hand to a code of another one: files would move that one's stock",
    },
    subject={"sku_id": "s.id"},
    judge=_as_people_see_it,
)

SKU_BOUNDS = Check(
    "sku.bounds",
    "sku s",
    ("s.id",),
    f"""
    SELECT s.id AS sku_id, s.safety_stock AS found, 'a number of pieces' AS expected, 'written' AS cause
    FROM sku s WHERE {{page}} AND {no_count("s.safety_stock")}
    """,
    {"written": "the safety stock was written by hand: how many of the SKU are free cannot be told"},
    subject={"sku_id": "s.id"},
)

LISTING_BOUNDS = Check(
    "listing.bounds",
    "listing g",
    ("g.id",),
    f"""
    SELECT g.id AS listing_id, g.buffer AS found_buffer, g.cap AS found_cap, 'numbers of units' AS expected,
      'written' AS cause
    FROM listing g WHERE {{page}} AND {no_count("g.buffer", "g.cap")}
    """,
    {"written": "the buffer or the cap was written by hand: the listing's number cannot be derived"},
    subject={"listing_id": "g.id"},
    recent={"listing": ("g.id",)},
)

STOCK = (
    LEVEL_FOLD,
    LEVEL_SEQ,
    LEVEL_SHORT,
    LEVEL_BOUNDS,
    LEVEL_RESERVED,
    RESERVATION_ORPHAN,
    RESERVATION_NEGATIVE,
    MOVEMENT_LEVEL,
    MOVEMENT_KIND,
    ARCHIVED_LEVEL,
    LISTING_COMPONENT,
    LISTING_BOUNDS,
    SKU_ALIAS,
    SKU_BOUNDS,
)
