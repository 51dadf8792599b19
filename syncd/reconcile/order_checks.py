"""What must hold of orders, their lines and what they lack. The same form as `checks`."""

from __future__ import annotations

from typing import Final

from syncd.reconcile.checks import Check, no_count

# Listing units that a line is still to get from us: units * this is what its reservations and shortages must sum to.
WANTED: Final = """
  CASE WHEN ol.by_channel = 1 THEN 0 WHEN ol.quantity > ol.fulfilled AND ol.quantity > ol.shipped
    THEN CAST(ol.quantity AS bigint) - CASE WHEN ol.fulfilled > ol.shipped THEN ol.fulfilled ELSE ol.shipped END
    ELSE 0 END
"""
_LINE = "ol.id AS order_line_id, o.account_id, o.channel_order_id, ol.channel_line_id"
_LINE_NAMES = {"order_line_id": "ol.id"}
_RECENT_LINES = {"line": ("ol.id",)}

LINE_COVER = Check(
    "line.cover",
    "order_line ol",
    ("ol.id",),
    # What a warehouse was asked to ship stays reserved beyond what is wanted for as long as it is asked to stop.
    f"""
    SELECT x.order_line_id, x.account_id, x.channel_order_id, x.channel_line_id, x.sku_id,
      x.reserved AS found_reserved, x.short AS found_short, x.wanted AS expected,
      CASE WHEN x.wanted > 0 AND (x.strangers > 0 OR x.made_of <> x.units AND x.reserved + x.short > 0
          AND CAST(x.reserved + x.short AS numeric) * x.units = x.wanted * x.made_of) THEN 'component'
        WHEN x.reserved + x.short < x.wanted AND x.ended > 0 THEN 'closed'
        WHEN x.reserved + x.short < x.wanted THEN 'under' WHEN x.by_channel = 1 THEN 'by_channel'
        WHEN x.held = 0 AND x.short = 0 THEN 'not_recalled'
        WHEN x.gone > 0 AND x.reserved + x.gone > CAST(x.units AS numeric) * x.quantity THEN 'shipped'
        WHEN x.state = 'cancelled' THEN 'cancelled'
        WHEN x.reserved > 0 AND x.short > 0 THEN 'both' ELSE 'over' END AS cause
    FROM (
      SELECT {_LINE}, o.state, ol.by_channel, lc.sku_id, lc.units, ol.quantity,
        CAST(lc.units AS numeric) * ({WANTED}) AS wanted,
        (SELECT coalesce(max(n.units), lc.units) FROM listing_component n
         WHERE n.listing_id = ol.listing_id AND n.sku_id = lc.sku_id) AS made_of,
        (SELECT count(*) FROM reservation r WHERE r.order_line_id = ol.id AND r.quantity > 0 AND NOT EXISTS
          (SELECT 1 FROM line_component k WHERE k.order_line_id = ol.id AND k.sku_id = r.sku_id)) AS strangers,
        (SELECT count(*) FROM shortage h
         WHERE h.order_line_id = ol.id AND h.sku_id = lc.sku_id AND h.closed_at IS NOT NULL) AS ended,
        (SELECT coalesce({{sum:r.quantity}}, 0) FROM reservation r
         WHERE r.order_line_id = ol.id AND r.sku_id = lc.sku_id AND r.stage = 'shipped') AS gone,
        (SELECT coalesce({{sum:r.quantity}}, 0) FROM reservation r
         WHERE r.order_line_id = ol.id AND r.sku_id = lc.sku_id AND r.stage <> 'shipped') AS reserved,
        (SELECT coalesce({{sum:r.quantity}}, 0) FROM reservation r
         WHERE r.order_line_id = ol.id AND r.sku_id = lc.sku_id AND r.stage = 'held') AS held,
        (SELECT coalesce({{sum:r.quantity}}, 0) FROM reservation r JOIN shipment_request q ON q.order_id = ol.order_id
           AND q.warehouse_id = r.warehouse_id AND q.state IN ('submitted', 'accepted')
           AND q.cancel_wanted_at IS NOT NULL
         WHERE r.order_line_id = ol.id AND r.sku_id = lc.sku_id AND r.stage IN ('submitted', 'accepted')) AS recalled,
        (SELECT coalesce({{sum:h.quantity}}, 0) FROM shortage h
         WHERE h.order_line_id = ol.id AND h.sku_id = lc.sku_id AND h.sku_id IS NOT NULL AND h.closed_at IS NULL)
          AS short
      FROM order_line ol JOIN sales_order o ON o.id = ol.order_id JOIN line_component lc ON lc.order_line_id = ol.id
      WHERE {{page}} AND ol.parked IS NULL
    ) x WHERE x.reserved + x.short <> x.wanted AND NOT (x.reserved > x.wanted AND x.held = 0 AND x.short = 0
      AND x.reserved - x.recalled <= x.wanted)
    """,
    {
        "by_channel": "the channel ships the line from stock of its own, and yet it holds units of ours",
        "not_recalled": "a warehouse was asked to ship more than the order wants, and nobody asks it to stop",
        "component": "what the line is made of was changed after it was reserved: a kit's component under an open"
        " order",
        "closed": "its shortage was closed, and no unit was reserved in its place: nobody knows what the line lacks",
        "shipped": "the same units are reserved and shipped both: a shipment was booked without ending its reservation",
        "under": "the line wants more than it has: an edit was applied without its reservation or shortage",
        "cancelled": "the order was cancelled and its units were not freed",
        "both": "the line is reserved and short beyond what it wants: units came and the shortage stayed",
        "over": "the line holds more than it wants: an edit or a shipment was applied without its release",
    },
    subject=_LINE_NAMES,
    recent=_RECENT_LINES,
)

LINE_UNMAPPED = Check(
    "line.unmapped",
    "order_line ol",
    ("ol.id",),
    f"""
    SELECT x.order_line_id, x.account_id, x.channel_order_id, x.channel_line_id, x.short AS found,
      x.wanted AS expected, CASE WHEN x.short < x.wanted THEN 'under' ELSE 'over' END AS cause
    FROM (
      SELECT {_LINE}, {WANTED} AS wanted,
        (SELECT coalesce({{sum:h.quantity}}, 0) FROM shortage h
         WHERE h.order_line_id = ol.id AND h.sku_id IS NULL AND h.closed_at IS NULL) AS short
      FROM order_line ol JOIN sales_order o ON o.id = ol.order_id
      WHERE {{page}} AND ol.parked IS NULL
        AND NOT EXISTS (SELECT 1 FROM line_component lc WHERE lc.order_line_id = ol.id)
    ) x WHERE x.short <> x.wanted
    """,
    {
        "under": "the line has no SKU and no shortage says so: nobody is told of these units",
        "over": "the line wants less than its shortage says: an edit was applied without it",
    },
    subject=_LINE_NAMES,
    recent=_RECENT_LINES,
)

LINE_SHIPPED = Check(
    "line.shipped",
    "order_line ol",
    ("ol.id",),
    f"""
    SELECT x.* FROM (
      SELECT {_LINE}, lc.sku_id,
        (SELECT coalesce({{sum:r.quantity}}, 0) FROM reservation r
         WHERE r.order_line_id = ol.id AND r.sku_id = lc.sku_id AND r.stage = 'shipped') AS found,
        CAST(lc.units AS numeric) * ol.shipped AS expected, 'twice' AS cause
      FROM order_line ol JOIN sales_order o ON o.id = ol.order_id JOIN line_component lc ON lc.order_line_id = ol.id
      WHERE {{page}}
    ) x WHERE x.found > x.expected
    """,
    {"twice": "a shipment was booked twice, or without the line"},
    subject=_LINE_NAMES,
    recent=_RECENT_LINES,
)

SHORTAGE_DUPLICATE = Check(
    "shortage.duplicate",
    "shortage h",
    ("h.id",),
    """
    SELECT h.id AS shortage_id, h.order_line_id, h.sku_id, h.quantity AS found, 0 AS expected, 'twice' AS cause
    FROM shortage h
    WHERE {page} AND h.closed_at IS NULL AND (
      EXISTS (SELECT 1 FROM shortage t WHERE t.order_line_id = h.order_line_id AND t.sku_id = h.sku_id
        AND t.sku_id IS NOT NULL AND t.closed_at IS NULL AND t.id < h.id)
      OR h.sku_id IS NULL AND EXISTS (SELECT 1 FROM shortage t WHERE t.order_line_id = h.order_line_id
        AND t.sku_id IS NULL AND t.closed_at IS NULL AND t.id < h.id))
    """,
    {"twice": "the same lack was noted twice: sales are held back for units that nobody waits for"},
    subject={"shortage_id": "h.id"},
    recent={"shortage": ("h.id",)},
)

SHORTAGE_ORPHAN = Check(
    "shortage.orphan",
    "shortage h",
    ("h.id",),
    """
    SELECT x.shortage_id, x.order_line_id, x.sku_id, x.quantity AS found, 'what the line is made of' AS expected,
      CASE WHEN x.no_line = 1 THEN 'line' WHEN x.sku_id IS NULL THEN 'mapped' ELSE 'component' END AS cause
    FROM (
      SELECT h.id AS shortage_id, h.order_line_id, h.sku_id, h.quantity,
        CASE WHEN ol.id IS NULL THEN 1 ELSE 0 END AS no_line,
        CASE WHEN h.sku_id IS NOT NULL AND lc.sku_id IS NULL THEN 1
          WHEN h.sku_id IS NULL AND (SELECT min(k.sku_id) FROM line_component k
            WHERE k.order_line_id = h.order_line_id) IS NOT NULL THEN 1 ELSE 0 END AS other
      FROM shortage h LEFT JOIN order_line ol ON ol.id = h.order_line_id
        LEFT JOIN line_component lc ON lc.order_line_id = h.order_line_id AND lc.sku_id = h.sku_id
      WHERE {page} AND h.closed_at IS NULL
    ) x WHERE x.no_line + x.other > 0
    """,
    {
        "line": "the order line was deleted and its shortage was not",
        "mapped": "the line was mapped to a SKU and its shortage without one stayed",
        "component": "the line is not made of this SKU: its components were changed after it came",
    },
    subject={"shortage_id": "h.id"},
    recent={"shortage": ("h.id",)},
)

ORDER_CASE = Check(
    "order.case",
    "sales_order o",
    ("o.id",),
    # A twin is looked for by index: under the id in lower and in upper case, and under the same name. Each pair once;
    # an order is not looked for under its own id, and not at all where that has no letters.
    # The + keeps SQLite from reading all orders of the account instead.
    """
    SELECT o.id AS order_id, o.account_id, o.channel_order_id AS found, t.channel_order_id AS expected, 'case' AS cause
    FROM (
      SELECT o.id AS order_id, t.id AS twin_id FROM sales_order o JOIN sales_order t
        ON t.account_id = o.account_id AND t.channel_order_id = lower(o.channel_order_id)
        WHERE {page} AND o.channel_order_id <> lower(o.channel_order_id)
      UNION SELECT o.id, t.id FROM sales_order o JOIN sales_order t
        ON t.account_id = o.account_id AND t.channel_order_id = upper(o.channel_order_id)
        WHERE {page} AND o.channel_order_id <> upper(o.channel_order_id)
      UNION SELECT o.id, t.id FROM sales_order o JOIN sales_order t
        ON t.name = o.name AND o.name <> '' AND +t.account_id = o.account_id
        AND lower(t.channel_order_id) = lower(o.channel_order_id) AND t.id <> o.id
        WHERE {page} AND lower(o.channel_order_id) <> upper(o.channel_order_id)
    ) pair JOIN sales_order o ON o.id = pair.order_id JOIN sales_order t ON t.id = pair.twin_id
    WHERE t.id < o.id OR t.id > o.id AND o.name <> t.name
      AND o.channel_order_id <> lower(t.channel_order_id) AND o.channel_order_id <> upper(t.channel_order_id)
    """,
    {"case": "one order came under ids that differ only in case and was taken in twice: it holds its units twice"},
    subject={"order_id": "o.id"},
    recent={"order": ("o.id",)},
)

LINE_BOUNDS = Check(
    "line.bounds",
    "order_line ol",
    ("ol.id",),
    f"""
    SELECT ol.id AS order_line_id, ol.order_id, ol.channel_line_id, ol.quantity AS found_quantity,
      ol.fulfilled AS found_fulfilled, ol.shipped AS found_shipped, 'numbers of pieces' AS expected, 'written' AS cause
    FROM order_line ol
    WHERE {{page}} AND {no_count("ol.quantity", "ol.fulfilled", "ol.shipped")}
    """,
    {"written": "it was written by hand: what the line is still to get cannot be told"},
    subject=_LINE_NAMES,
    recent=_RECENT_LINES,
)

LINE_ORPHAN = Check(
    "line.orphan",
    "order_line ol",
    ("ol.id",),
    """
    SELECT ol.id AS order_line_id, ol.order_id, ol.channel_line_id, ol.order_id AS found, 'an order' AS expected,
      'order' AS cause
    FROM order_line ol WHERE {page} AND NOT EXISTS (SELECT 1 FROM sales_order o WHERE o.id = ol.order_id)
    """,
    {"order": "the order was deleted and its lines were not: what they hold is held for ever"},
    subject=_LINE_NAMES,
    recent=_RECENT_LINES,
)

ORDER_DECISION = Check(
    "order.decision",
    "sales_order o",
    ("o.id",),
    """
    SELECT o.id AS order_id, o.account_id, o.channel_order_id, 0 AS found, 'an allocation' AS expected,
      'missing' AS cause
    FROM sales_order o
    WHERE {page}
      AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.order_id = o.id AND d.kind = 'allocation')
      AND EXISTS (SELECT 1 FROM order_line ol JOIN reservation r ON r.order_line_id = ol.id
        WHERE ol.order_id = o.id AND r.quantity > 0 AND r.stage <> 'shipped')
    """,
    {"missing": "the decision that chose its warehouses was deleted, or its units were reserved without one"},
    subject={"order_id": "o.id"},
    recent={"order": ("o.id",)},
)

ORDERS = (
    LINE_COVER,
    LINE_UNMAPPED,
    LINE_SHIPPED,
    LINE_BOUNDS,
    LINE_ORPHAN,
    SHORTAGE_DUPLICATE,
    SHORTAGE_ORPHAN,
    ORDER_CASE,
    ORDER_DECISION,
)
