"""What must hold of numbers on their way to a channel, and of those that are shown. The same form as `checks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from syncd.reconcile.checks import Check, no_count, no_integer

CELL_PUSH = Check(
    "cell.push",
    "cell c",
    ("c.listing_id", "c.name"),
    """
    SELECT c.listing_id, c.name AS cell, c.in_flight_key AS key, c.in_flight_value AS found, r.value AS expected,
      CASE WHEN b.key IS NULL THEN 'no_push' WHEN b.state <> 'in_flight' THEN 'settled'
        WHEN r.key IS NULL THEN 'no_row' ELSE 'value' END AS cause
    FROM cell c LEFT JOIN push_batch b ON b.key = c.in_flight_key
      LEFT JOIN push_row r ON r.key = c.in_flight_key AND r.listing_id = c.listing_id AND r.cell = c.name
    WHERE {page} AND c.in_flight_key IS NOT NULL
      AND (b.key IS NULL OR b.state <> 'in_flight' OR r.key IS NULL OR coalesce(c.in_flight_value, -1) <> r.value)
    """,
    {
        "no_push": "the write that the cell waits for does not exist: the listing would wait for ever",
        "settled": "the write is over and the cell was not told: the listing would wait for ever",
        "no_row": "the write does not carry this listing: the listing would wait for ever",
        "value": "the cell waits for another number than the one that is written",
    },
    subject={"listing_id": "c.listing_id", "cell": "c.name"},
    recent={"listing": ("c.listing_id",)},
)

PUSH_CELL = Check(
    "push.cell",
    "push_row r",
    ("r.key", "r.listing_id", "r.cell"),
    # A cell names one write, so of two writes of one cell in flight, one is not named.
    """
    SELECT r.key, r.listing_id, r.cell, c.in_flight_key AS found, r.key AS expected,
      CASE WHEN b.key IS NULL THEN 'no_push' WHEN b.state <> 'in_flight' THEN 'settled'
        WHEN c.listing_id IS NULL THEN 'no_cell' WHEN c.in_flight_key IS NULL THEN 'not_named' ELSE 'two' END AS cause
    FROM push_row r LEFT JOIN push_batch b ON b.key = r.key
      LEFT JOIN cell c ON c.listing_id = r.listing_id AND c.name = r.cell
    WHERE {page} AND (b.key IS NULL OR b.state <> 'in_flight' OR coalesce(c.in_flight_key, '') <> r.key)
    """,
    {
        "no_push": "the write was deleted and its rows were not",
        "settled": "the write is over and its rows stayed",
        "no_cell": "a number is written that no cell explains: it could relist a sold unit",
        "not_named": "a number is written that its cell does not wait for: it could relist a sold unit",
        "two": "two writes of one number are in flight: two publishers act for one account",
    },
    subject={"key": "r.key", "listing_id": "r.listing_id", "cell": "r.cell"},
    recent={"push": ("r.key",)},
)

PUSH_EMPTY = Check(
    "push.empty",
    "push_batch b",
    ("b.key",),
    """
    SELECT b.key, b.account_id, 0 AS found, 'its rows' AS expected, 'empty' AS cause
    FROM push_batch b
    WHERE {page} AND b.state = 'in_flight' AND NOT EXISTS (SELECT 1 FROM push_row r WHERE r.key = b.key)
    """,
    {"empty": "the rows of a write in flight were deleted: its outcome cannot be noted"},
    subject={"key": "b.key"},
    recent={"push": ("b.key",)},
)

CELL_BOUNDS = Check(
    "cell.bounds",
    "cell c",
    ("c.listing_id", "c.name"),
    f"""
    SELECT c.listing_id, c.name AS cell, c.anchor_value AS found_anchor, c.sold_hi AS found_sold,
      c.published AS found_published, 'numbers' AS expected, 'written' AS cause
    FROM cell c WHERE {{page}} AND {no_integer("c.anchor_value", "c.sold_hi", "c.sold_lo", "c.published")}
    """,
    {"written": "what stands there is no number: it was written by hand, and what the listing shows cannot be told"},
    subject={"listing_id": "c.listing_id", "cell": "c.name"},
    recent={"listing": ("c.listing_id",)},
)

HOLD_QUANTITY = Check(
    "hold.quantity",
    "hold d",
    ("d.id",),
    f"""
    SELECT d.id AS hold_id, d.listing_id, d.quantity AS found, 'more than 0' AS expected,
      CASE WHEN d.quantity < 1 THEN 'empty' ELSE 'no_number' END AS cause
    FROM hold d WHERE {{page}} AND d.closed_at IS NULL AND (d.quantity < 1 OR {no_count("d.quantity")})
    """,
    {
        "empty": "orders have explained the whole of the hold, and it was not closed",
        "no_number": "what is held is no number of pieces: it was written by hand",
    },
    subject={"hold_id": "d.id"},
)

# PUBLISHING: sellable = clamp(min(makeable, free units of the tightest component) - buffer, 0, cap).
AVAILABLE: Final = "(CAST(l.on_hand AS bigint) - l.unavailable - l.reserved)"
HELD: Final = """CASE WHEN {sum:CAST(d.quantity AS bigint) * o.units} > 1000000000000 THEN 1000000000000
  ELSE CAST(coalesce({sum:CAST(d.quantity AS bigint) * o.units}, 0) AS bigint) END"""
"""Pieces of a component in holds `d` of listings with `o` units of it; what a hand wrote is taken up to a bound."""

NUMBER: Final = (
    "CASE WHEN {units} <= {buffer} THEN 0 WHEN {units} - {buffer} > {cap} THEN {cap} ELSE {units} - {buffer} END"
)
WATCHED: Final = """
  a.state = 'live' AND g.unwritable IS NULL AND c.published IS NOT NULL AND c.in_flight_key IS NULL
  AND c.unknown_value IS NULL AND c.must_read = 0 AND c.anchor_value > c.sold_hi
  AND NOT EXISTS (SELECT 1 FROM dirty_listing q WHERE q.listing_id = c.listing_id)
"""
"""Cells that we set and can explain, of an account that is live, and that nobody is about to look at."""

# A unit of a kit comes whole from one warehouse; where a listing has one component, that is the sum over its own.
_OF_A_KIT = f"""
  (SELECT coalesce({{sum:w.units}}, 0) FROM (
    SELECT p.warehouse_id, min(CASE WHEN {AVAILABLE} > 0 THEN {AVAILABLE} / nullif(k.units, 0) ELSE 0 END) AS units
    FROM pool p JOIN listing_component k ON k.listing_id = v.listing_id
      LEFT JOIN level l ON l.sku_id = k.sku_id AND l.warehouse_id = p.warehouse_id
    WHERE p.account_id = v.account_id GROUP BY p.warehouse_id) w)
"""
LISTING_SHOWN = Check(
    "listing.shown",
    "cell c",
    ("c.listing_id", "c.name"),
    f"""
    SELECT y.listing_id, y.cell, y.found, y.expected, 'high' AS cause FROM (
      SELECT x.listing_id, x.cell, x.found, {NUMBER.format(units="x.units", buffer="x.buffer", cap="x.cap")} AS expected
      FROM (
        SELECT z.*, CASE WHEN z.free < z.makeable THEN z.free ELSE z.makeable END AS units FROM (
          SELECT v.listing_id, v.cell, v.found, v.buffer, v.cap, v.free,
            CASE WHEN v.components = 1 THEN v.makeable ELSE {_OF_A_KIT} END AS makeable
          FROM (
            SELECT u.listing_id, u.cell, max(u.account_id) AS account_id, max(u.found) AS found,
              max(u.buffer) AS buffer, max(u.cap) AS cap, count(*) AS components, max(u.makeable) AS makeable,
              min(CASE WHEN u.free > 0 THEN u.free / u.units WHEN u.free <= 0 THEN 0 END) AS free
            FROM (
              SELECT c.listing_id, c.name AS cell, g.account_id, CAST(c.anchor_value AS bigint) - c.sold_hi AS found,
                coalesce(g.buffer, a.buffer) AS buffer, coalesce(g.cap, a.cap) AS cap, nullif(k.units, 0) AS units,
                CAST(coalesce({{sum:CASE WHEN p.rank IS NOT NULL AND {AVAILABLE} > 0
                  THEN {AVAILABLE} / nullif(k.units, 0) ELSE 0 END}}, 0) AS bigint) AS makeable,
                CAST(coalesce({{sum:CASE WHEN p.rank IS NOT NULL THEN {AVAILABLE} ELSE 0 END}}, 0) AS bigint)
                - s.safety_stock
                - (SELECT coalesce({{sum:h.quantity}}, 0) FROM shortage h
                  WHERE h.sku_id = k.sku_id AND h.closed_at IS NULL)
                - (SELECT {HELD} FROM listing_component o JOIN hold d
                  ON d.listing_id = o.listing_id AND d.closed_at IS NULL WHERE o.sku_id = k.sku_id) AS free
              FROM cell c JOIN listing g ON g.id = c.listing_id JOIN account a ON a.id = g.account_id
                JOIN listing_component k ON k.listing_id = c.listing_id LEFT JOIN sku s ON s.id = k.sku_id
                LEFT JOIN level l ON l.sku_id = k.sku_id
                LEFT JOIN pool p ON p.account_id = g.account_id AND p.warehouse_id = l.warehouse_id
              WHERE {{page}} AND {WATCHED}
              GROUP BY c.listing_id, c.name, k.listing_id, k.sku_id, g.id, a.id, s.id
            ) u GROUP BY u.listing_id, u.cell
          ) v WHERE v.free IS NOT NULL
        ) z
      ) x
    ) y WHERE y.found > y.expected
    """,
    {
        "high": "the listing shows more than is sellable and nobody is about to lower it: its mark was deleted, or what"
        " is sellable was changed by hand; sales of it can be oversold"
    },
    page=4_000,
    subject={"listing_id": "c.listing_id", "cell": "c.name"},
    recent={"listing": ("c.listing_id",)},
)

_LONGEST = 200_000
"""Characters of a decision that are read: one of a kit of a hundred components has some 20,000."""


class _Derived(msgspec.Struct):
    quantity: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class _Written(msgspec.Struct):
    to: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


def _above(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is wrong with a decision as it is stored: it says nothing, or wrote more than it derived."""
    told = {name: row[name] for name in ("decision_id", "listing_id")}
    try:
        written = msgspec.json.decode(row["outcome"] or b"", type=_Written).to
        derived = msgspec.json.decode(row["inputs"] or b"", type=_Derived).quantity
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {**told, "found": "nothing that can be read", "expected": "what was derived", "cause": "unreadable"}
    return {**told, "found": written, "expected": derived, "cause": "above"} if written > derived else None


DECISION_ABOVE = Check(
    "decision.above",
    "decision d",
    ("d.id",),
    # Only the newest of a listing: the next number that is written mends it.
    f"""
    SELECT d.id AS decision_id, d.listing_id, {{raw:substr(d.inputs, 1, {_LONGEST})}} AS inputs,
      {{raw:substr(d.outcome, 1, {_LONGEST})}} AS outcome
    FROM decision d
    WHERE {{page}} AND d.kind = 'publication' AND NOT EXISTS (SELECT 1 FROM decision n
      WHERE n.listing_id = d.listing_id AND n.id > d.id AND n.kind = 'publication')
    """,
    {
        "above": "a number was written that is higher than the one derived from the book: it could be oversold",
        "unreadable": "the decision was edited by hand: nobody can say how the number that is shown came about",
    },
    page=2_000,
    subject={"decision_id": "d.id"},
    judge=_above,
    recent={"decision": ("d.id",)},
)

PUSH_DECISION = Check(
    "push.decision",
    "push_row r",
    ("r.key", "r.listing_id", "r.cell"),
    """
    SELECT r.key, r.listing_id, r.cell, r.value AS found, 'a decision' AS expected, 'missing' AS cause
    FROM push_row r JOIN push_batch b ON b.key = r.key
    WHERE {page} AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.listing_id = r.listing_id
      AND d.kind = 'publication' AND d.decided_at = b.created_at)
    """,
    {"missing": "the decision behind a number on its way was deleted: nobody can say how it came about"},
    subject={"key": "r.key", "listing_id": "r.listing_id", "cell": "r.cell"},
    recent={"push": ("r.key",)},
)

PUBLISHING = (
    CELL_PUSH,
    CELL_BOUNDS,
    PUSH_CELL,
    PUSH_EMPTY,
    PUSH_DECISION,
    HOLD_QUANTITY,
    LISTING_SHOWN,
    DECISION_ABOVE,
)
