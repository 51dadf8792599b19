"""Having eBay send order confirmations to our address: checked at every start, and only what is missing is made.

Destinations belong to the application, the subscription to the seller. A destination stays marked down until it is
updated. The alert address that eBay wants first is a person's to give.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import structlog

from adapters.contract import Transient
from adapters.ebay.refusals import ALREADY_SUBSCRIBED, CHALLENGE_FAILED, NOT_CONFIGURED, MissingScope, Refused
from adapters.ebay.rest import Call, EbayRest
from adapters.ebay.webhook import ORDER_CONFIRMATION
from adapters.ebay.wire import Wire
from adapters.http import Reply
from adapters.reading import entries, shaped
from adapters.subscription import Subscription, SubscriptionState

log = structlog.get_logger(__name__)

NOTIFICATION = "/commerce/notification/v1"
_A_PAGE = 100
_MOST_PAGES = 50


class Config(Wire, frozen=True):
    alert_email: str | None = None


class Payload(Wire, frozen=True):
    schema_version: str
    format: object = None
    delivery_protocol: str = "HTTPS"
    deprecated: bool = False


class Topic(Wire, frozen=True):
    supported_payloads: object = None


class DeliveryConfig(Wire, frozen=True):
    endpoint: str = ""
    verification_token: str | None = None


class Destination(Wire, frozen=True):
    destination_id: str
    status: str = ""
    delivery_config: DeliveryConfig = DeliveryConfig()


class Subscribed(Wire, frozen=True):
    subscription_id: str
    topic_id: str = ""
    destination_id: str = ""
    status: str = ""


async def ensure_subscriptions(
    rest: EbayRest, public_url: str, verification_token: str | None
) -> tuple[Subscription, ...]:
    """Subscribe `public_url` to order confirmations; says what became of each step, ending at what stops it."""
    if verification_token is None:
        log.warning("ebay.polling_only", reason="no verification token is configured")
        return ()
    version = await _schema_version(rest)
    if version is None:
        return _told((), _item(ORDER_CONFIRMATION, SubscriptionState.POLLING_ONLY, "eBay offers no such topic here"))
    if not await _has_alert_email(rest):
        remedy = "set an alert email for notifications in eBay's developer portal first (PUT /config)"
        return _told((), _item("alert email", SubscriptionState.REFUSED, remedy))
    destination, destination_id = await _ensure_destination(rest, public_url, verification_token)
    if destination_id is None:
        return _told((), destination)
    try:
        subscription = await _ensure_subscription(rest, destination_id, version)
    except MissingScope as err:
        subscription = _item(ORDER_CONFIRMATION, SubscriptionState.REFUSED, str(err))
    return _told((destination,), subscription)


def _item(topic: str, state: SubscriptionState, reason: str | None = None) -> Subscription:
    return Subscription(topic, state, reason)


def _told(before: tuple[Subscription, ...], last: Subscription) -> tuple[Subscription, ...]:
    if last.state in (SubscriptionState.REFUSED, SubscriptionState.POLLING_ONLY):
        log.warning("ebay.polling_only", topic=last.topic, reason=last.reason)
    return (*before, last)


async def _schema_version(rest: EbayRest) -> str | None:
    """The lowest version of the topic that is not on its way out; None when there is no such topic."""
    call = Call("GET", f"{NOTIFICATION}/topic/{ORDER_CONFIRMATION}", as_app=True)
    try:
        topic = await rest.ask(call, Topic)
    except Refused as err:
        if err.status == 404:
            return None
        raise
    payloads = [payload for raw in entries(topic.supported_payloads) if (payload := shaped(raw, Payload)) is not None]
    usable = [payload.schema_version for payload in payloads if payload.delivery_protocol == "HTTPS"]
    lasting = [p.schema_version for p in payloads if p.delivery_protocol == "HTTPS" and not p.deprecated]
    return min(lasting or usable, default=None)


async def _has_alert_email(rest: EbayRest) -> bool:
    try:
        return bool((await rest.ask(Call("GET", f"{NOTIFICATION}/config", as_app=True), Config)).alert_email)
    except Refused as err:
        if err.status == 404 or NOT_CONFIGURED in err.ids:
            return False
        raise


async def _ensure_destination(
    rest: EbayRest, public_url: str, verification_token: str
) -> tuple[Subscription, str | None]:
    """The destination of that address and what became of it; no id when eBay refused it."""
    wanted = {
        "name": "syncd",
        "status": "ENABLED",
        "deliveryConfig": {"endpoint": public_url, "verificationToken": verification_token},
    }
    path = f"{NOTIFICATION}/destination"
    found = None
    async for raw in _all(rest, path, "destinations", as_app=True):
        destination = shaped(raw, Destination)
        if destination is not None and destination.delivery_config.endpoint == public_url:
            found = destination
    try:
        if found is None:
            reply = await rest.once(Call("POST", path, body=wanted, effect=True, as_app=True))
            return _item("destination", SubscriptionState.CREATED), _made_id(reply)
        if found.status == "ENABLED" and found.delivery_config.verification_token in (None, verification_token):
            return _item("destination", SubscriptionState.PRESENT), found.destination_id
        call = Call("PUT", f"{path}/{found.destination_id}", body=wanted, effect=True, as_app=True)
        await rest.once(call)
        return _item("destination", SubscriptionState.REPAIRED), found.destination_id
    except Refused as err:
        reason = err.reason
        if CHALLENGE_FAILED in err.ids:
            reason = "eBay's challenge to this address failed: it must be reachable over HTTPS from the internet"
        return _item("destination", SubscriptionState.REFUSED, reason), None


async def _ensure_subscription(rest: EbayRest, destination_id: str, version: str) -> Subscription:
    path = f"{NOTIFICATION}/subscription"
    found = [shaped(raw, Subscribed) async for raw in _all(rest, path, "subscriptions", as_app=False)]
    ours = [each for each in found if each is not None and each.topic_id == ORDER_CONFIRMATION]
    here = next((each for each in ours if each.destination_id == destination_id), None)
    wanted = {
        "topicId": ORDER_CONFIRMATION,
        "status": "ENABLED",
        "destinationId": destination_id,
        "payload": {"format": "JSON", "schemaVersion": version, "deliveryProtocol": "HTTPS"},
    }
    try:
        if here is None:
            await rest.once(Call("POST", path, body=wanted, effect=True))
            return _item(ORDER_CONFIRMATION, SubscriptionState.CREATED)
        if here.status == "ENABLED":
            return _item(ORDER_CONFIRMATION, SubscriptionState.PRESENT)
        await rest.once(Call("POST", f"{path}/{here.subscription_id}/enable", body={}, effect=True))
        return _item(ORDER_CONFIRMATION, SubscriptionState.REPAIRED)
    except Refused as err:
        if ALREADY_SUBSCRIBED in err.ids:
            elsewhere = ", ".join(each.subscription_id for each in ours) or "unknown"
            reason = f"subscription {elsewhere} sends them to another address: delete it if that is no longer yours"
            return _item(ORDER_CONFIRMATION, SubscriptionState.REFUSED, reason)
        return _item(ORDER_CONFIRMATION, SubscriptionState.REFUSED, err.reason)


def _made_id(reply: Reply) -> str:
    """The id at the end of the Location of what was created."""
    made = reply.headers.get("Location", "").rstrip("/").rsplit("/", 1)[-1]
    if not made:
        raise Transient(f"{reply.request.what}: created, but not told where: the next start finds it")
    return str(made)


async def _all(rest: EbayRest, path: str, name: str, *, as_app: bool) -> AsyncIterator[object]:
    """Every entry of a list paged by continuation tokens."""
    params = {"limit": str(_A_PAGE)}
    for _ in range(_MOST_PAGES):
        page = await rest.ask(Call("GET", path, params, as_app=as_app), dict[str, object])
        for entry in entries(page.get(name)):
            yield entry
        after = _continuation(page.get("next"))
        if after is None:
            return
        params = {"limit": str(_A_PAGE), "continuation_token": after}
    raise Transient(f"GET {path}: paging does not end")


def _continuation(following: object) -> str | None:
    if not isinstance(following, str) or not following:
        return None
    try:
        token = httpx.URL(following).params.get("continuation_token")
    except httpx.InvalidURL:
        return None
    return str(token) if token else None
