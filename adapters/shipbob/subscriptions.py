"""The webhook subscription of an account: looked for, and made when it is missing.

ShipBob switches a subscription off after its last failed delivery, so this belongs into every start.
"""

from __future__ import annotations

import structlog

from adapters.contract import Rejected
from adapters.shipbob.rest import Rest
from adapters.shipbob.wire import Hook, HooksPage
from adapters.subscription import Subscription, SubscriptionState

log = structlog.get_logger(__name__)

TOPICS = ("order.shipped", "order.shipment.exception", "order.shipment.on_hold", "order.shipment.cancelled")
_MOST_PAGES = 50


async def ensure_subscriptions(rest: Rest, public_url: str, secret: str | None) -> tuple[Subscription, ...]:
    """Subscribe `public_url` to every topic that it lacks, signed with our secret. Others' are left alone.

    Which secret an existing subscription signs with ShipBob does not tell.
    """
    if secret is None:
        return tuple(
            Subscription(topic, SubscriptionState.REFUSED, "set a webhook secret first, or no delivery can be believed")
            for topic in TOPICS
        )
    hooks = [hook for hook in await _hooks(rest) if hook.url == public_url and hook.enabled]
    present = {topic for hook in hooks for topic in hook.topics or ()}
    missing = [topic for topic in TOPICS if topic not in present]
    refusal = await _subscribe(rest, public_url, missing, secret) if missing else None
    made = SubscriptionState.CREATED if refusal is None else SubscriptionState.REFUSED
    return tuple(
        Subscription(topic, made, refusal) if topic in missing else Subscription(topic, SubscriptionState.PRESENT)
        for topic in TOPICS
    )


async def _hooks(rest: Rest) -> list[Hook]:
    page = await rest.read("webhook", HooksPage)
    hooks = list(page.items or ())
    for _ in range(_MOST_PAGES):
        if page.next is None or not page.items:
            break
        page = await rest.read_page(page.next, HooksPage)
        hooks += page.items or ()
    return hooks


async def _subscribe(rest: Rest, public_url: str, topics: list[str], secret: str) -> str | None:
    """None, or why not."""
    try:
        await rest.write("webhook", Hook, {"url": public_url, "topics": topics, "secret": secret})
    except Rejected as err:
        log.warning("shipbob.webhook_refused", field=err.field)
        return str(err).replace(secret, "[...]")
    log.info("shipbob.webhook_subscribed", topics=topics)
    return None
