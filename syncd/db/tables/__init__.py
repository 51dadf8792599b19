"""Every table of syncd, one module a subject."""

from syncd.db.tables.archive import archive, archive_file, archived_level
from syncd.db.tables.base import metadata
from syncd.db.tables.catalogue import bill_of_materials, listing, listing_component, sku, sku_alias
from syncd.db.tables.fulfilment import (
    parcel,
    parcel_content,
    shipment_request,
    shipment_request_line,
    warehouse_cursor,
    warehouse_item,
)
from syncd.db.tables.messages import chore, delivery, incident, outbox
from syncd.db.tables.operations import (
    alert,
    audit_finding,
    audit_progress,
    cursor,
    decision,
    lag_bucket,
    lease,
    tally,
)
from syncd.db.tables.orders import inbox, line_component, order_line, recipient, reservation, sales_order, shortage
from syncd.db.tables.parties import account, pool, warehouse
from syncd.db.tables.publishing import cell, dirty_listing, hold, push_batch, push_row, surplus
from syncd.db.tables.stock import level, movement, replenished, stock_entry

__all__ = [
    "account",
    "alert",
    "archive",
    "archive_file",
    "archived_level",
    "audit_finding",
    "audit_progress",
    "bill_of_materials",
    "cell",
    "chore",
    "cursor",
    "decision",
    "delivery",
    "dirty_listing",
    "hold",
    "inbox",
    "incident",
    "lag_bucket",
    "lease",
    "level",
    "line_component",
    "listing",
    "listing_component",
    "metadata",
    "movement",
    "order_line",
    "outbox",
    "parcel",
    "parcel_content",
    "pool",
    "push_batch",
    "push_row",
    "recipient",
    "replenished",
    "reservation",
    "sales_order",
    "shipment_request",
    "shipment_request_line",
    "shortage",
    "sku",
    "sku_alias",
    "stock_entry",
    "surplus",
    "tally",
    "warehouse",
    "warehouse_cursor",
    "warehouse_item",
]
