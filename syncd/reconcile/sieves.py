"""The sieves: what must hold of levels and of order lines, said so that a page of them is read once."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from syncd.reconcile.checks import (
    ARCHIVED_LEVEL,
    LEVEL_BOUNDS,
    LEVEL_FOLD,
    LEVEL_RESERVED,
    LEVEL_SEQ,
    LEVEL_SHORT,
    MOVEMENT_KIND,
    MOVEMENT_LEVEL,
    OF_ANOTHER_KIND,
    RESERVATION_NEGATIVE,
    RESERVATION_ORPHAN,
    no_count,
    no_integer,
)
from syncd.reconcile.order_checks import (
    LINE_BOUNDS,
    LINE_COVER,
    LINE_ORPHAN,
    LINE_SHIPPED,
    LINE_UNMAPPED,
    ORDER_DECISION,
    WANTED,
)
from syncd.reconcile.sweeps import Sweep

_LEVEL: Final = ("l.sku_id", "l.warehouse_id")

# Everything about a level is counted with its sign: where the book is right, each sum is 0 and there is one level.
LEVELS: Final = Sweep(
    replace(LEVEL_FOLD, page=20_000),
    (
        (LEVEL_FOLD, _LEVEL),
        (LEVEL_SEQ, _LEVEL),
        (LEVEL_SHORT, _LEVEL),
        (LEVEL_BOUNDS, _LEVEL),
        (LEVEL_RESERVED, _LEVEL),
        (MOVEMENT_LEVEL, ("m.sku_id", "m.warehouse_id")),
        (MOVEMENT_KIND, ("m.sku_id", "m.warehouse_id")),
        (ARCHIVED_LEVEL, ("b.sku_id", "b.warehouse_id")),
    ),
    f"""
    SELECT x.sku_id, x.warehouse_id FROM (
      SELECT l.sku_id, l.warehouse_id, 1 AS levels, CAST(l.seq AS bigint) - l.archived_seq AS movements,
        CASE WHEN l.seq = l.archived_seq THEN 0 ELSE CAST(l.archived_seq AS bigint) + 1 END AS first,
        CASE WHEN l.seq = l.archived_seq THEN 0 ELSE CAST(l.seq AS bigint) END AS last,
        CAST(l.archived_seq AS bigint) AS archived, CAST(l.on_hand AS bigint) AS on_hand,
        CAST(l.unavailable AS bigint) AS unavailable, CAST(l.reserved AS bigint) AS reserved,
        CAST(l.reserved AS bigint) AS held,
        CASE WHEN {no_count("l.reserved", "l.unavailable", "l.short", "l.seq", "l.archived_seq")}
          OR {no_integer("l.on_hand")}
          OR l.short <> CASE WHEN CAST(l.reserved AS bigint) + l.unavailable > l.on_hand
            THEN CAST(l.reserved AS bigint) + l.unavailable - l.on_hand ELSE 0 END THEN 1 ELSE 0 END AS wrong
      FROM level l WHERE {{page}}
      UNION ALL
      SELECT b.sku_id, b.warehouse_id, 0, 0, 0, 0, -CAST(b.seq AS bigint), -CAST(b.on_hand AS bigint),
        -CAST(b.unavailable AS bigint), -CAST(b.reserved AS bigint), 0,
        CASE WHEN {no_integer("b.seq", "b.on_hand", "b.unavailable", "b.reserved")} THEN 1 ELSE 0 END
      FROM archived_level b WHERE {{page:b.sku_id, b.warehouse_id}}
      UNION ALL
      SELECT m.sku_id, m.warehouse_id, 0, -count(*), -CAST(min(m.seq) AS bigint), -CAST(max(m.seq) AS bigint), 0,
        -{{sum:m.d_on_hand}}, -{{sum:m.d_unavailable}}, -{{sum:m.d_reserved}}, 0,
        sum(CASE WHEN {OF_ANOTHER_KIND} THEN 1 ELSE 0 END) + CASE WHEN {no_count("max(m.seq)")} THEN 1 ELSE 0 END
      FROM movement m WHERE {{page:m.sku_id, m.warehouse_id}} GROUP BY m.sku_id, m.warehouse_id
      UNION ALL
      SELECT r.sku_id, r.warehouse_id, 0, 0, 0, 0, 0, 0, 0, 0, -{{sum:r.quantity}}, 0
      FROM reservation r WHERE r.stage != 'shipped' AND r.quantity > 0 AND {{page:r.sku_id, r.warehouse_id}}
      GROUP BY r.sku_id, r.warehouse_id
    ) x GROUP BY x.sku_id, x.warehouse_id
    HAVING sum(x.levels) <> 1 OR sum(x.wrong) <> 0 OR {{sum:x.movements}} <> 0 OR {{sum:x.first}} <> 0
      OR {{sum:x.last}} <> 0 OR {{sum:x.archived}} <> 0 OR {{sum:x.on_hand}} <> 0 OR {{sum:x.unavailable}} <> 0
      OR {{sum:x.reserved}} <> 0 OR {{sum:x.held}} <> 0
    """,
)

# What a line is due of a SKU is what it holds and lacks of it, and no more has been shipped than it says. The look-up
# of a level is a sub-query on purpose: as a join, PostgreSQL would rather hash all levels for a page.
LINES: Final = Sweep(
    replace(LINE_COVER, page=20_000),
    (
        (LINE_COVER, ("ol.id",)),
        (LINE_UNMAPPED, ("ol.id",)),
        (LINE_SHIPPED, ("ol.id",)),
        (LINE_BOUNDS, ("ol.id",)),
        (RESERVATION_ORPHAN, ("r.order_line_id",)),
        (RESERVATION_NEGATIVE, ("r.order_line_id",)),
    ),
    f"""
    SELECT x.order_line_id FROM (
      SELECT ol.id AS order_line_id, lc.sku_id, coalesce(CAST(lc.units AS bigint), 1) * ({WANTED}) AS due,
        coalesce(CAST(lc.units AS bigint), 1) * ol.shipped AS to_leave,
        CASE WHEN {no_count("ol.quantity", "ol.fulfilled", "ol.shipped", "lc.units")} THEN 1 ELSE 0 END AS wrong
      FROM order_line ol LEFT JOIN line_component lc ON lc.order_line_id = ol.id AND {{page:lc.order_line_id}}
      WHERE {{page}}
      UNION ALL
      SELECT r.order_line_id, r.sku_id, CASE WHEN r.stage <> 'shipped' THEN -CAST(r.quantity AS bigint) ELSE 0 END,
        CASE WHEN r.stage = 'shipped' THEN -CAST(r.quantity AS bigint) ELSE 0 END,
        CASE WHEN {no_count("r.quantity")} OR (SELECT l.sku_id FROM level l
          WHERE l.sku_id = r.sku_id AND l.warehouse_id = r.warehouse_id) IS NULL THEN 1 ELSE 0 END
      FROM reservation r WHERE {{page:r.order_line_id}}
      UNION ALL
      SELECT h.order_line_id, h.sku_id, -CAST(h.quantity AS bigint), 0,
        CASE WHEN {no_count("h.quantity")} THEN 1 ELSE 0 END
      FROM shortage h WHERE h.closed_at IS NULL AND {{page:h.order_line_id}}
    ) x GROUP BY x.order_line_id, x.sku_id
    HAVING {{sum:x.due}} <> 0 OR {{sum:x.to_leave}} < 0 OR sum(x.wrong) <> 0
    """,
)

# Lines and orders side by side by the order's id, so that no order is looked up for each of its lines.
LINES_BY_ORDER: Final = Sweep(
    replace(ORDER_DECISION, page=20_000),
    ((LINE_ORPHAN, ("ol.order_id",)),),
    """
    SELECT ol.order_id FROM order_line ol LEFT JOIN sales_order o ON o.id = ol.order_id AND {page}
    WHERE {page:ol.order_id} AND o.id IS NULL
    """,
)
