"""What must hold of numbers on their way to a channel, and of those that are shown. The same form as `checks`."""

from __future__ import annotations

from syncd.reconcile.checks import Check

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

HOLD_QUANTITY = Check(
    "hold.quantity",
    "hold d",
    ("d.id",),
    """
    SELECT d.id AS hold_id, d.listing_id, d.quantity AS found, 'more than 0' AS expected, 'empty' AS cause
    FROM hold d WHERE {page} AND d.closed_at IS NULL AND d.quantity < 1
    """,
    {"empty": "orders have explained the whole of the hold, and it was not closed"},
    subject={"hold_id": "d.id"},
)

# PUBLISHING: sellable = clamp(min(makeable, free units of the tightest component) - buffer, 0, cap).
_AVAILABLE = "(l.on_hand - l.unavailable - l.reserved)"
_MAKEABLE = f"""
  (SELECT coalesce(sum(w.units), 0) FROM (
    SELECT p.warehouse_id, min(CASE WHEN {_AVAILABLE} > 0 THEN {_AVAILABLE} / k.units ELSE 0 END) AS units
    FROM pool p JOIN listing_component k ON k.listing_id = c.listing_id
      LEFT JOIN level l ON l.sku_id = k.sku_id AND l.warehouse_id = p.warehouse_id
    WHERE p.account_id = g.account_id GROUP BY p.warehouse_id) w)
"""
_FREE = f"""
  (SELECT min(CASE WHEN f.free > 0 THEN f.free / f.units ELSE 0 END) FROM (
    SELECT k.units,
      (SELECT coalesce(sum({_AVAILABLE}), 0) FROM level l JOIN pool p ON p.warehouse_id = l.warehouse_id
        AND p.account_id = g.account_id WHERE l.sku_id = k.sku_id) - s.safety_stock
      - (SELECT coalesce(sum(h.quantity), 0) FROM shortage h WHERE h.sku_id = k.sku_id AND h.closed_at IS NULL)
      - (SELECT coalesce(sum(d.quantity * o.units), 0) FROM listing_component o JOIN hold d
          ON d.listing_id = o.listing_id AND d.closed_at IS NULL WHERE o.sku_id = k.sku_id) AS free
    FROM listing_component k JOIN sku s ON s.id = k.sku_id WHERE k.listing_id = c.listing_id) f)
"""

LISTING_SHOWN = Check(
    "listing.shown",
    "cell c",
    ("c.listing_id", "c.name"),
    # Only what we set and can explain, of an account that is live, and that nobody is about to look at.
    f"""
    SELECT y.listing_id, y.cell, y.found, y.expected, 'high' AS cause FROM (
      SELECT x.listing_id, x.cell, x.found,
        CASE WHEN x.units <= x.buffer THEN 0 WHEN x.units - x.buffer > x.cap THEN x.cap
          ELSE x.units - x.buffer END AS expected
      FROM (
        SELECT z.*, CASE WHEN z.free < z.makeable THEN z.free ELSE z.makeable END AS units FROM (
          SELECT c.listing_id, c.name AS cell, c.anchor_value - c.sold_hi AS found,
            coalesce(g.buffer, a.buffer) AS buffer, coalesce(g.cap, a.cap) AS cap,
            {_MAKEABLE} AS makeable, {_FREE} AS free
          FROM cell c JOIN listing g ON g.id = c.listing_id JOIN account a ON a.id = g.account_id
          WHERE {{page}} AND a.state = 'live' AND g.unwritable IS NULL AND c.published IS NOT NULL
            AND c.in_flight_key IS NULL AND c.unknown_value IS NULL AND c.must_read = 0
            AND c.anchor_value > c.sold_hi
            AND NOT EXISTS (SELECT 1 FROM dirty_listing q WHERE q.listing_id = c.listing_id)
        ) z WHERE z.free IS NOT NULL
      ) x
    ) y WHERE y.found > y.expected
    """,
    {
        "high": "the listing shows more than is sellable and nobody is about to lower it: its mark was deleted, or what"
        " is sellable was changed by hand; sales of it can be oversold"
    },
    page=1_000,
    subject={"listing_id": "c.listing_id", "cell": "c.name"},
    recent={"listing": ("c.listing_id",)},
)

DECISION_ABOVE = Check(
    "decision.above",
    "decision d",
    ("d.id",),
    # Only the newest of a listing: the next number that is written mends it.
    """
    SELECT x.decision_id, x.listing_id, x.written AS found, x.derived AS expected, 'above' AS cause FROM (
      SELECT d.id AS decision_id, d.listing_id, {number:d.outcome.to} AS written, {number:d.inputs.quantity} AS derived
      FROM decision d
      WHERE {page} AND d.kind = 'publication' AND NOT EXISTS (SELECT 1 FROM decision n
        WHERE n.listing_id = d.listing_id AND n.id > d.id AND n.kind = 'publication')
    ) x WHERE x.written > x.derived
    """,
    {"above": "a number was written that is higher than the one derived from the book: it could be oversold"},
    subject={"decision_id": "d.id"},
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
    PUSH_CELL,
    PUSH_EMPTY,
    PUSH_DECISION,
    HOLD_QUANTITY,
    LISTING_SHOWN,
    DECISION_ABOVE,
)
