"""Reading orders whole: every page of the poll; every line, refund and fulfilment of each order, as raw events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from adapters.contract import Page, RawEvent, Transient
from adapters.events import polled_order
from adapters.http import CALL_REAL_S, OutOfTime, RetryPolicy, within
from adapters.reading import instant, shaped
from adapters.shopify.gids import checked_gid
from adapters.shopify.graphql import Connection, GraphqlClient, NodesData
from adapters.shopify.operations import (
    FULFILLMENTS_IN_ORDER,
    ORDER_FULFILLMENTS,
    ORDER_LINES,
    ORDER_REFUNDS,
    ORDERS,
    ORDERS_BY_ID,
    REFUND_LINES,
    REFUNDS_IN_ORDER,
    Operation,
)

log = structlog.get_logger(__name__)
_TRIES = 4  # to read a long order between two changes of it

Node = dict[str, object]


class Refund(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    created_at: str | None
    refund_line_items: Connection


class OrderReader:
    """`policy`: how patient its calls are."""

    def __init__(self, graphql: GraphqlClient, page_size: int, policy: RetryPolicy) -> None:
        self._graphql = graphql
        self._page_size = page_size
        self._policy = policy

    async def poll(self, since: datetime) -> AsyncIterator[Page]:
        variables = {"query": order_query(since)}
        pages = self._graphql.pages(ORDERS, "orders", variables, self._page_size, _later, self._policy)
        async for page in pages:
            info = page.page_info
            events = [raw_event(await self._whole(node)) for node in page.nodes]
            yield Page(tuple(events), info.end_cursor if info.has_next_page else None)

    async def fetch(self, order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        """The orders that exist; an id that names none is logged and left out.

        When its time is up, those that are there must do; without any it raises OutOfTime.
        """
        asked = list(dict.fromkeys(order_ids))
        known = [order_id for order_id in asked if checked_gid("Order", order_id) is not None]
        events: list[RawEvent] = []
        try:
            async with within(CALL_REAL_S, "fetch orders"):
                for start in range(0, len(known), self._page_size):
                    for node in await self._nodes(ORDERS_BY_ID, known[start : start + self._page_size]):
                        if node:  # null: deleted; {}: not an order
                            events.append(raw_event(await self._whole(node)))
        except OutOfTime:
            if not events:
                raise
        if len(events) < len(asked):
            log.warning("shopify.orders_missing", asked=len(asked), found=len(events))
        return tuple(events)

    async def _whole(self, raw: object) -> object:
        """The node with all its lines, refunds and fulfilments, all of one version of the order."""
        node = raw
        for _ in range(_TRIES):
            if not isinstance(node, dict) or (order_id := checked_gid("Order", node.get("id"))) is None:
                return node  # unreadable: whoever resolves it will say so
            whole = await self._extended(node, order_id)
            if whole is not None:
                return whole
            node = (await self._nodes(ORDERS_BY_ID, [order_id]))[0]
        raise Transient("an order kept changing while its lines were read")

    async def _extended(self, node: Node, order_id: str) -> Node | None:
        """None when the order changed in between, so that the pieces would not fit together."""
        lines = shaped(node.get("lineItems"), Connection)
        refunds = shaped(node.get("refunds"), list[Refund])
        whole, version = dict(node), node.get("updatedAt")
        if lines is not None:
            found = await self._rest(ORDER_LINES, order_id, "lineItems", lines, version)
            if found is None:
                return None
            whole["lineItems"] = {"nodes": found}
        if refunds is not None:
            if len(refunds) >= REFUNDS_IN_ORDER or any(r.refund_line_items.page_info.has_next_page for r in refunds):
                longer = await self._again(ORDER_REFUNDS, order_id, version)
                if longer is None:
                    return None
                refunds = shaped(longer.get("refunds"), list[Refund])
                if refunds is None:
                    raise Transient("SyncdOrderRefunds: unreadable refunds")
            whole["refunds"] = [await self._refund(refund) for refund in refunds]
        fulfillments = shaped(node.get("fulfillments"), list[object])
        if fulfillments is not None and len(fulfillments) >= FULFILLMENTS_IN_ORDER:
            longer = await self._again(ORDER_FULFILLMENTS, order_id, version)
            if longer is None:
                return None
            whole["fulfillments"] = longer.get("fulfillments")
        return whole

    async def _refund(self, refund: Refund) -> Node:
        lines = await self._rest(REFUND_LINES, refund.id, "refundLineItems", refund.refund_line_items, None)
        if lines is None:
            raise Transient("SyncdRefundLines: a refund is gone")
        return {"createdAt": refund.created_at, "id": refund.id, "refundLineItems": {"nodes": lines}}

    async def _rest(
        self, operation: Operation, node_id: str, name: str, first: Connection, version: object
    ) -> list[object] | None:
        """All nodes of a connection whose first page is known; None when its owner is no longer at `version`."""
        nodes, info = list(first.nodes), first.page_info
        while info.has_next_page:
            owner = await self._again(operation, node_id, version, info.end_cursor)
            if owner is None:
                return None
            page = shaped(owner.get(name), Connection)
            if page is None or (page.page_info.has_next_page and page.page_info.end_cursor == info.end_cursor):
                raise Transient(f"{operation.name}: paging does not advance")
            nodes += page.nodes
            info = page.page_info
        return nodes

    async def _again(
        self, operation: Operation, node_id: str, version: object, after: str | None = None
    ) -> Node | None:
        """More of a node, or None when it is no longer at `version`."""
        node = (await self._nodes(operation, [node_id], after))[0]
        return node if isinstance(node, dict) and node.get("updatedAt") == version else None

    async def _nodes(self, operation: Operation, ids: Sequence[str], after: str | None = None) -> list[object]:
        variables = {"ids": list(ids)} if after is None else {"ids": list(ids), "after": after}
        nodes = (await self._graphql.execute(operation, variables, NodesData, policy=self._policy)).nodes
        if len(nodes) != len(ids):
            raise Transient(f"{operation.name}: {len(nodes)} nodes for {len(ids)} ids")
        return nodes


def raw_event(node: object) -> RawEvent:
    """The inbox event of one order node; the same state always has the same key."""
    order_id, version = (node.get("id"), node.get("updatedAt")) if isinstance(node, dict) else (None, None)
    return polled_order(node, checked_gid("Order", order_id), version)


def order_query(since: datetime) -> str:
    """Orders of every status changed at or after `since`; whole seconds, rounded down."""
    return f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def _later(nodes: Sequence[object], query: str) -> str | None:
    """A start at the earliest change of these nodes, if that is later than the query's: nothing is skipped."""
    instants = [instant(node.get("updatedAt")) for node in nodes if isinstance(node, dict)]
    if not instants or None in instants:
        return None
    later = order_query(min(at for at in instants if at is not None))
    return later if later > query else None
