"""What must hold of what outside warehouses are asked to ship. The same form as `checks`."""

from __future__ import annotations

from syncd.reconcile.checks import Check, no_count

_OPEN = "('planned', 'submitted', 'accepted')"

RESERVATION_ASKED = Check(
    "reservation.asked",
    "reservation r",
    ("r.order_line_id", "r.sku_id", "r.warehouse_id", "r.stage"),
    f"""
    SELECT x.order_line_id, x.sku_id, x.warehouse_id, x.stage, x.reference, x.quantity AS found, x.pieces AS expected,
      CASE WHEN x.reference IS NULL THEN 'no_request' WHEN x.stage <> x.wanted_stage THEN 'stage'
        WHEN x.quantity > x.pieces THEN 'more' ELSE 'gone' END AS cause
    FROM (
      SELECT r.order_line_id, r.sku_id, r.warehouse_id, r.stage, r.quantity, q.reference,
        CASE WHEN q.state = 'accepted' THEN 'accepted' ELSE 'submitted' END AS wanted_stage,
        coalesce(p.pieces, 0) AS pieces,
        CASE WHEN (SELECT count(*) FROM shipment_request_line s WHERE s.request_id = q.id
          AND s.order_line_id = r.order_line_id AND s.shipped < s.pieces) > 0 THEN 0 ELSE 1 END AS gone
      FROM reservation r JOIN order_line ol ON ol.id = r.order_line_id
        LEFT JOIN shipment_request q ON q.order_id = ol.order_id AND q.warehouse_id = r.warehouse_id
          AND q.state IN {_OPEN}
        LEFT JOIN shipment_request_line p ON p.request_id = q.id AND p.order_line_id = r.order_line_id
          AND p.sku_id = r.sku_id
      WHERE {{page}} AND r.stage IN ('submitted', 'accepted') AND r.quantity > 0
    ) x WHERE x.reference IS NULL OR x.stage <> x.wanted_stage OR x.quantity > x.pieces OR x.gone = 1
    """,
    {
        "no_request": "the shipment request was deleted or ended and its units were not freed: nothing ever ends them",
        "stage": "the request moved on and its reservation did not: the next snapshot counts these pieces wrongly",
        "more": "more is reserved than the warehouse was asked to ship: the rest waits for nothing",
        "gone": "the warehouse says that all of it has left, and it is still reserved",
    },
    subject={
        "order_line_id": "r.order_line_id",
        "sku_id": "r.sku_id",
        "warehouse_id": "r.warehouse_id",
        "stage": "r.stage",
    },
    recent={"line": ("r.order_line_id",)},
)

SHIPMENT_STATE = Check(
    "shipment.state",
    "shipment_request q",
    ("q.id",),
    f"""
    SELECT x.* FROM (
      SELECT q.id AS request_id, q.reference, q.warehouse_id, q.order_id, q.state AS found,
        'what belongs to that state' AS expected,
        CASE WHEN q.state IN {_OPEN} AND q.settled_at IS NOT NULL THEN 'reopened'
          WHEN q.state NOT IN {_OPEN} AND q.settled_at IS NULL THEN 'not_settled'
          WHEN q.state = 'submitted' AND q.submitted_at IS NULL THEN 'not_sent'
          WHEN q.state = 'accepted' AND (q.accepted_at IS NULL OR q.warehouse_shipment_id IS NULL) THEN 'not_accepted'
          WHEN q.state = 'planned' AND q.cancel_wanted_at IS NOT NULL THEN 'unsent_recall'
          WHEN q.cancel_sent_at IS NOT NULL AND q.cancel_wanted_at IS NULL THEN 'unwanted'
          WHEN NOT EXISTS (SELECT 1 FROM shipment_request_line p WHERE p.request_id = q.id) THEN 'empty'
        END AS cause
      FROM shipment_request q WHERE {{page}}
    ) x WHERE x.cause IS NOT NULL
    """,
    {
        "reopened": "a request that had ended was opened again by hand",
        "not_settled": "the request ended and nobody noted when: news that come late are judged wrongly",
        "not_sent": "nobody noted when it was sent: what the warehouse told before could raise its level",
        "not_accepted": "nobody noted when it was accepted, or as what: a snapshot would count its pieces wrongly",
        "unsent_recall": "a request that was never sent is asked back, instead of being dropped",
        "unwanted": "the warehouse was asked to cancel what the order wants",
        "empty": "the request asks for nothing: its lines were deleted",
    },
    subject={"request_id": "q.id"},
    recent={"request": ("q.id",)},
)

SHIPMENT_PIECES = Check(
    "shipment.pieces",
    "shipment_request_line p",
    ("p.request_id", "p.order_line_id", "p.sku_id"),
    f"""
    SELECT x.request_id, x.order_line_id, x.sku_id, x.warehouse_id,
      CASE WHEN x.shipped > x.pieces THEN x.shipped ELSE x.reserved END AS found, x.pieces AS expected,
      CASE WHEN x.state IS NULL THEN 'no_request' WHEN x.stranger = 1 THEN 'stranger'
        WHEN {no_count("x.pieces", "x.shipped")} THEN 'written'
        WHEN x.shipped > x.pieces THEN 'more' ELSE 'unreserved' END AS cause
    FROM (
      SELECT p.request_id, p.order_line_id, p.sku_id, p.pieces, p.shipped, q.warehouse_id, q.state,
        CASE WHEN ol.order_id = q.order_id THEN 0 ELSE 1 END AS stranger,
        (SELECT coalesce({{sum:r.quantity}}, 0) FROM reservation r WHERE r.order_line_id = p.order_line_id
          AND r.sku_id = p.sku_id AND r.warehouse_id = q.warehouse_id AND r.stage = 'submitted') AS reserved
      FROM shipment_request_line p LEFT JOIN shipment_request q ON q.id = p.request_id
        LEFT JOIN order_line ol ON ol.id = p.order_line_id
      WHERE {{page}}
    ) x WHERE x.state IS NULL OR x.stranger = 1 OR {no_count("x.pieces", "x.shipped")} OR x.shipped > x.pieces
      OR x.state = 'planned' AND x.reserved <> x.pieces
    """,
    {
        "no_request": "the request was deleted and its lines were not",
        "stranger": "the line belongs to another order: its goods would go to somebody else",
        "more": "more is noted as gone than the warehouse was asked to ship",
        "written": "what stands there is no number of pieces: it was written by hand",
        "unreserved": "the warehouse is about to be asked for units that the order does not hold there",
    },
    subject={"request_id": "p.request_id", "order_line_id": "p.order_line_id", "sku_id": "p.sku_id"},
    recent={"request": ("p.request_id",)},
)

SHIPMENTS = (RESERVATION_ASKED, SHIPMENT_STATE, SHIPMENT_PIECES)
