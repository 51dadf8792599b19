"""The webhook subscriptions a shop should have: listed, compared, and what is missing created.

Shopify deletes an API-made subscription after 8 failed deliveries (within 4 hours), so this belongs into every start.
"""

from __future__ import annotations

import msgspec
import structlog

from adapters.reading import shaped
from adapters.shopify.graphql import GraphqlClient
from adapters.shopify.operations import CREATE_HOOK, HOOKS
from adapters.subscription import Subscription, SubscriptionState

log = structlog.get_logger(__name__)

TOPICS = (
    "ORDERS_CREATE",
    "ORDERS_UPDATED",
    "ORDERS_CANCELLED",
    "ORDERS_EDITED",
    "REFUNDS_CREATE",
    "INVENTORY_LEVELS_UPDATE",
)


class HookNode(msgspec.Struct, frozen=True):
    topic: str
    uri: str


class HookError(msgspec.Struct, frozen=True):
    message: str = ""


class CreatePayload(msgspec.Struct, frozen=True):
    errors: list[HookError] = msgspec.field(name="userErrors")


class CreateData(msgspec.Struct, frozen=True):
    payload: CreatePayload = msgspec.field(name="webhookSubscriptionCreate")


async def ensure_subscriptions(graphql: GraphqlClient, public_url: str) -> tuple[Subscription, ...]:
    """Subscribe `public_url` to every topic that it lacks. Subscriptions of other addresses are left alone."""
    present: set[str] = set()
    async for page in graphql.pages(HOOKS, "webhookSubscriptions", {}, 250):
        hooks = (shaped(node, HookNode) for node in page.nodes)
        present |= {hook.topic for hook in hooks if hook is not None and hook.uri == public_url}
    return tuple([await _ensure(graphql, topic, public_url, topic in present) for topic in TOPICS])


async def _ensure(graphql: GraphqlClient, topic: str, public_url: str, present: bool) -> Subscription:
    if present:
        return Subscription(topic, SubscriptionState.PRESENT)
    variables = {"topic": topic, "sub": {"uri": public_url, "format": "JSON"}}
    errors = (await graphql.execute(CREATE_HOOK, variables, CreateData)).payload.errors
    if not errors:
        log.info("shopify.webhook_subscribed", topic=topic)
        return Subscription(topic, SubscriptionState.CREATED)
    reason = "; ".join(error.message for error in errors)
    if "already been taken" in reason:  # these errors carry no code; listed late, or made by another start
        return Subscription(topic, SubscriptionState.PRESENT)
    log.warning("shopify.webhook_refused", topic=topic, reason=reason)
    return Subscription(topic, SubscriptionState.REFUSED, reason)
