"""Who ShipBob says we are, and what stands in the way of working there."""

from __future__ import annotations

from adapters.contract import Identity, Rejected
from adapters.shipbob.rest import Rest
from adapters.shipbob.settings import ShipbobSettings
from adapters.shipbob.wire import Channel, ChannelsPage, Location

SCOPES = ("channels_read", "inventory_read", "locations_read", "orders_read", "orders_write")
_MOST_PAGES = 50


async def identify(rest: Rest, settings: ShipbobSettings) -> Identity:
    """Ask for our channel and its scopes, and look at our location."""
    channel = await _channel(rest, settings.channel_id)
    scopes = tuple(sorted(channel.scopes or ()))
    missing = tuple(scope for scope in SCOPES if scope not in scopes)
    warnings, wrongs = await _look_at_location(rest, settings.location_id)
    if settings.webhook_secret is None:
        warnings.append("no webhook secret is set: shipments are noticed by polling only")
    return Identity(
        channel.name or f"channel {channel.id}", scopes, missing, settings.api_version, tuple(warnings), tuple(wrongs)
    )


async def _channel(rest: Rest, channel_id: int) -> Channel:
    page = await rest.read("channel", ChannelsPage)
    seen: list[int] = []
    for _ in range(_MOST_PAGES):
        for channel in page.items or ():
            if channel.id == channel_id:
                return channel
            seen.append(channel.id)
        if page.next is None or not page.items:
            break
        page = await rest.read_page(page.next, ChannelsPage)
    others = ", ".join(map(str, dict.fromkeys(seen))) or "none"
    raise Rejected("channel_id", f"the token does not open channel {channel_id}; it opens: {others}")


async def _look_at_location(rest: Rest, location_id: int | None) -> tuple[list[str], list[str]]:
    """What is odd about our location, and what keeps us from working there."""
    if location_id is None:
        return [], []
    locations = await rest.read("location", list[Location], {"IncludeInactive": "true"})
    location = next((one for one in locations if one.id == location_id), None)
    if location is None:
        known = ", ".join(str(one.id) for one in locations if one.is_active) or "none that is active"
        return [], [f"location {location_id} is not one of this account; it has {known}"]
    flaws = {
        "is not active": not location.is_active,
        "does not ship": not location.is_shipping_enabled,
        "is not open to this account": not location.access_granted,
    }
    return [f"location {location_id} {flaw}" for flaw, present in flaws.items() if present], []
