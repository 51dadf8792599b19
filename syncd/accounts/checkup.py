"""Ask accounts and warehouses who they are, what they allow, what time it is there, and what they have on sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.contract import AdapterError, Identity, ListingPage, Page
from adapters.probe import Seen, look
from syncd import secrets
from syncd.accounts.findings import Finding, odd, right, wrong
from syncd.accounts.mistakes import mistakes_of_account
from syncd.accounts.reachability import judge, not_running
from syncd.accounts.remedies import remedy
from syncd.clock import real_now
from syncd.config import Account, Config, Warehouse
from syncd.config.values import is_here

_ODD_SKEW: Final = timedelta(seconds=30)
_WRONG_SKEW: Final = timedelta(minutes=4)  # signatures of AWS die at five
_A_WHILE: Final = timedelta(minutes=10)
_SCOPES: Final = "add these scopes to the app, install it again (or renew the consent), and check again"


class Asked(Protocol):
    """A vendor's adapter, as far as it can say who it speaks for."""

    async def identify(self) -> Identity: ...


class Seller(Asked, Protocol):
    def list_listings(self) -> AsyncIterator[ListingPage]: ...

    def poll_orders(self, since: datetime) -> AsyncIterator[Page]: ...


def mistakes(account: Account) -> list[Finding]:
    """What the settings alone give away. Raises SecretMissing."""
    table = account.shopify or account.amazon or account.ebay
    named = table.model_dump() if table is not None else {}
    values = {
        name: secrets.resolve(value).get_secret_value()
        for name, value in named.items()
        if name.endswith("_secret") and isinstance(value, str)
    }
    return mistakes_of_account(account, values)


async def ask(subject: str, vendor: str, adapter: Asked) -> list[Finding]:
    """Who it is, and whether everything is granted."""
    try:
        identity = await adapter.identify()
    except AdapterError as err:
        return [wrong(subject, str(err), remedy(err, vendor))]
    if identity.missing_scopes:
        missing = ", ".join(identity.missing_scopes)
        return [wrong(subject, f"{identity.name} does not grant {missing}", _SCOPES)]
    if identity.wrongs:
        return [wrong(subject, each, "write the one that is meant into the configuration") for each in identity.wrongs]
    version = f", API {identity.api_version}" if identity.api_version else ""
    return [right(subject, f"{identity.name}{version}"), *(odd(subject, each) for each in identity.warnings)]


async def look_at_orders(subject: str, vendor: str, channel: Seller, now: datetime) -> list[Finding]:
    """Whether the newest orders can be read, of every marketplace that is named; says nothing where they can."""
    pages = channel.poll_orders(now - _A_WHILE)
    try:
        await anext(pages, None)
    except AdapterError as err:
        return [wrong(subject, f"its orders cannot be read: {err}", remedy(err, vendor))]
    return []


async def look_at_listings(subject: str, key: str, channel: Seller) -> list[Finding]:
    """What keeps listings from being set, as far as the first page of them tells."""
    try:
        page = await anext(channel.list_listings(), None)
    except AdapterError as err:
        return [odd(subject, f"its listings cannot be read: {err}", remedy(err))]
    if page is None or not page.items:
        return [odd(subject, "it has no listing yet", "put something on sale there; check the location if you did")]
    reasons = Counter(item.unwritable for item in page.items if item.unwritable)
    codeless = sum(1 for item in page.items if not item.code)
    seen = f"of the first {len(page.items)} listings" if page.cursor else f"of {len(page.items)} listings"
    found = [
        odd(subject, f"{count} {seen} cannot be set: {reason}", _unwritable_remedy(reason))
        for reason, count in reasons.most_common(5)
    ]
    if codeless:
        fix = f"give them SKUs at the channel, or map them by hand after `syncd import listings --from {key}`"
        found.append(odd(subject, f"{codeless} {seen} have no SKU", fix))
    return found


def _unwritable_remedy(reason: str) -> str:
    if "untracked" in reason:
        return "switch on Track quantity for them at the channel, or leave them: syncd will not touch them"
    if "not stocked" in reason or "inactive" in reason:
        return "stock them at that location, or check that the location in the configuration is the right one"
    return "nothing is written to them; change them at the channel if syncd is to set them"


async def look_at_clock(subject: str, url: str) -> list[Finding]:
    """Compare this machine's clock with the vendor's."""
    before = real_now()
    seen = await look(url)
    if seen.at is None:
        return []
    return _skew(subject, seen, (real_now() - before) / 2 + before - seen.at)


def _skew(subject: str, seen: Seen, skew: timedelta) -> list[Finding]:
    seconds = skew.total_seconds()
    told = f"this machine's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the vendor's"
    fix = "let the machine keep time: `timedatectl set-ntp true`, then check again"
    if abs(skew) >= _WRONG_SKEW:
        return [wrong(subject, told, fix)]
    return [odd(subject, told, fix)] if abs(skew) >= _ODD_SKEW else []


def clock_address(account: Account) -> str | None:
    """Where an account's vendor tells its time; None for a sandbox of this machine, whose time may run faster."""
    if account.shopify is not None:
        address = account.shopify.base_url
    elif account.amazon is not None:
        address = account.amazon.host
    else:
        address = account.ebay.base_url if account.ebay is not None else ""
    return None if not address or is_here(address) else address


async def look_from_outside(config: Config) -> list[Finding]:
    """Whether `public_url` leads to this syncd, asked by way of it."""
    public_url = config.http.public_url
    if public_url is None:
        return [odd("webhooks", "no public_url: orders come by polling alone", "set public_url to get them in seconds")]
    keys = [each.key for each in config.accounts]
    if not keys:
        return []
    if is_here(public_url) and any(clock_address(each) for each in config.accounts):
        told = f"public_url {public_url} is this machine's own address: no vendor reaches it"
        return [wrong("webhooks", told, "write the address by which the world reaches this machine")]
    here = await look(f"http://{_own_address(config.http.host)}:{config.http.port}/healthz")
    if here.status != 200:
        return [not_running()]
    url = f"{public_url}/webhooks/{keys[0]}"
    return [judge(url, await look(url))]


def _own_address(host: str) -> str:
    """The address of a server of this machine that listens there, as it stands in a URL."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - looked up, not bound
    return f"[{here}]" if ":" in here else here


def vendor_of(warehouse: Warehouse) -> str:
    return "shipbob" if warehouse.shipbob is not None else "amazon"
