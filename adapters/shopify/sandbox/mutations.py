"""The mutation roots: what guards them, and which part of the shop carries them out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql.language import DirectiveNode

from adapters.shopify.sandbox.activation import activate
from adapters.shopify.sandbox.context import Context, Info
from adapters.shopify.sandbox.documents import sent_arguments
from adapters.shopify.sandbox.errors import Json, user_error
from adapters.shopify.sandbox.idempotency import CONFLICT_MESSAGES, Conflict
from adapters.shopify.sandbox.ids import gid, number_of
from adapters.shopify.sandbox.set_quantities import set_quantities
from adapters.shopify.sandbox.shop_views import subscription_view
from adapters.shopify.sandbox.subscriptions import Topic

Resolver = Callable[..., Any]  # (source, info, **arguments) -> a payload, as graphql-core calls it
Write = Callable[[Context, Json, str], Json]  # the last is its key

NEEDS_KEY = ("inventoryActivate", "inventorySetQuantities")


def once(write: Write) -> Callable[..., Awaitable[Json]]:
    """Carry a write out once a key: it is in flight for a while, takes effect in one go, and is remembered."""

    async def resolve(_: object, info: Info, **arguments: Any) -> Json:
        context = info.context
        store = context.idempotency
        key = _key(info, context.variables)
        known = store.begin(key, _fingerprint(info, context.variables))
        if isinstance(known, Conflict):
            return {"userErrors": [user_error(None, CONFLICT_MESSAGES[known], known.value)]}
        if known is not None:
            context.stats.replays += 1
            return known
        try:
            await context.shop.clock.sleep(context.shop.seed.write_latency_s)
            outcome = write(context, arguments, key)
        except BaseException:
            store.forget(key)
            raise
        store.finish(key, outcome)
        return outcome

    return resolve


def webhook_subscription_create(_: object, info: Info, topic: str, webhookSubscription: Json) -> Json:
    context = info.context
    uri = webhookSubscription.get("uri") or ""
    refusal = context.subscriptions.refusal(Topic[topic], uri)
    if refusal is not None:
        return {"userErrors": [user_error(["webhookSubscription", "callbackUrl"], refusal)]}
    made = context.subscriptions.add(
        Topic[topic],
        uri,
        include_fields=webhookSubscription.get("includeFields") or (),
        filter=webhookSubscription.get("filter"),
        name=webhookSubscription.get("name"),
    )
    view = subscription_view(made, context.shop.seed.webhook_api_version)
    return {"webhookSubscription": view, "userErrors": []}


def webhook_subscription_delete(_: object, info: Info, id: str) -> Json:
    number = number_of(id, "WebhookSubscription") or 0
    if not info.context.subscriptions.remove(number):
        return {"userErrors": [user_error(["id"], "Webhook subscription does not exist")]}
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", number), "userErrors": []}


def _key(info: Info, variables: Json) -> str:
    return str(sent_arguments(_idempotent(info), variables)["key"])


def _fingerprint(info: Info, variables: Json) -> str:
    """The write as it was sent, field order included: the vendor's advice is to keep that stable."""
    node = info.field_nodes[0]
    return json.dumps([info.field_name, sent_arguments(node, variables)])


def _idempotent(info: Info) -> DirectiveNode:
    directives = info.field_nodes[0].directives or ()
    return next(directive for directive in directives if directive.name.value == "idempotent")


MUTATIONS: Mapping[str, Resolver] = {
    "inventoryActivate": once(activate),
    "inventorySetQuantities": once(set_quantities),
    "webhookSubscriptionCreate": webhook_subscription_create,
    "webhookSubscriptionDelete": webhook_subscription_delete,
}
