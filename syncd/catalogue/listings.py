"""`syncd import listings --from ACCOUNT`: the account's listings, and what each of them is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from adapters.contract import ChannelTraits, Clock, ListedItem, ListingPage
from syncd.catalogue.bill_store import components_of
from syncd.catalogue.bills import Components
from syncd.catalogue.codes import find_exact, find_skus, normalise
from syncd.catalogue.gtins import carriers_in_account, find_by_gtin, read_gtin
from syncd.catalogue.listing_store import Attributes, Ref, StoredListing, load_listings, upsert_listings
from syncd.catalogue.relisting import replace_components
from syncd.csv_rows import Progress, in_chunks
from syncd.db.database import Transactor
from syncd.publishing.marks import mark_listings

LISTINGS_A_TRANSACTION: Final = 250

Unmapped = tuple[ListedItem, str]
"""(a listing, why no SKU stands behind it)"""


@dataclass(frozen=True, slots=True)
class ImportedListings:
    """What an import did: `changed` listings are new, look different or are made of something else."""

    mapped: int = 0
    unmapped: tuple[Unmapped, ...] = ()
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a listing will be made of (None: of what it is made of already), or why nothing is known to be."""

    code: str | None  # the code it is mapped by
    components: Components | None = None
    reason: str | None = None


class ShowsListings(Protocol):
    """What of a Channel an import of listings takes."""

    @property
    def traits(self) -> ChannelTraits: ...

    def list_listings(self) -> AsyncIterator[ListingPage]: ...


async def import_listings(
    db: Transactor,
    channel: ShowsListings,
    account_id: int,
    clock: Clock,
    progress: Progress | None = None,
    *,
    remap: bool = False,
) -> ImportedListings:
    """Record every listing that a channel shows, page by page; doing it again changes nothing.

    Raises the channel's AdapterError; the pages before it are recorded then.
    """
    mapped, changed, seen = 0, 0, 0
    unmapped: list[Unmapped] = []
    async for page in channel.list_listings():
        for items in in_chunks(page.items, LISTINGS_A_TRANSACTION):
            told = await db.transact(
                record_listings, account_id, items, clock.now(), cells=channel.traits.cells, remap=remap
            )
            mapped, changed, seen = mapped + told.mapped, changed + told.changed, seen + len(items)
            unmapped += told.unmapped
            if progress:
                progress(seen, None)
    left: list[Unmapped] = []
    for several in in_chunks(unmapped, LISTINGS_A_TRANSACTION):  # once all are known, so that no GTIN is taken for one
        found = await db.transact(map_by_gtin, account_id, several, clock.now())
        mapped, changed = mapped + found.mapped, changed + found.changed
        left += found.unmapped
    return ImportedListings(mapped, tuple(left), changed)


def record_listings(
    connection: Connection,
    account_id: int,
    items: Sequence[ListedItem],
    now: datetime,
    *,
    cells: Sequence[str],
    remap: bool = False,
) -> ImportedListings:
    """Record listings once per account, channel SKU and location, each made of the SKU that has its code: exactly, or
    but for what people do not see as a difference.

    What a listing is made of stays, unless its code has changed or `remap` is set.
    """
    told = {Ref(item.ref.channel_sku, item.ref.channel_location): item for item in items}
    stored = load_listings(connection, account_id, told)
    codes = {item.code for item in told.values() if item.code}
    skus = find_by_code(connection, codes)
    made = components_of(connection, skus.values())

    mapping = {ref: map_listing(item, stored.get(ref), skus, made, remap=remap) for ref, item in told.items()}
    now_stored = {ref: _attributes(item, mapping[ref].code) for ref, item in told.items()}

    looks_new = {ref: each for ref, each in now_stored.items() if ref not in stored or stored[ref].attributes != each}
    ids = {ref: each.listing_id for ref, each in stored.items()}
    ids |= upsert_listings(connection, account_id, looks_new, cells)
    built = {ids[ref]: each.components for ref, each in mapping.items() if each.components is not None}
    replace_components(connection, built, now)
    changed = {ids[ref] for ref in looks_new} | built.keys()
    mark_listings(connection, sorted(changed), now)
    unmapped = tuple((told[ref], each.reason) for ref, each in mapping.items() if each.reason is not None)
    return ImportedListings(len(told) - len(unmapped), unmapped, len(changed))


def find_by_code(connection: Connection, codes: Collection[str]) -> dict[str, int]:
    """sku_id by code as the channel prints it: the SKU of exactly that code, else the one known by it."""
    alike = find_skus(connection, {normalise(code) for code in codes})
    found = {code: alike[normalise(code)] for code in codes if normalise(code) in alike}
    return found | find_exact(connection, codes)


def map_by_gtin(
    connection: Connection, account_id: int, unmapped: Sequence[Unmapped], now: datetime
) -> ImportedListings:
    """Map by GTIN what no code could. What could be several things stays unmapped, and says why.

    A pack often carries the number of what is in it, so a GTIN that several items of an account carry proves nothing.
    """
    by_gtin = {item.ref: gtin for item, _ in unmapped if (gtin := read_gtin(item.gtin)) is not None}
    if not by_gtin:
        return ImportedListings(0, tuple(unmapped), 0)
    skus = find_by_gtin(connection, set(by_gtin.values()))
    carriers = carriers_in_account(connection, account_id, set(by_gtin.values()))
    stored = load_listings(connection, account_id, {Ref(*_ref(item)) for item, _ in unmapped})
    made = components_of(connection, [sku_id for several in skus.values() for sku_id in several])
    built: dict[int, Components] = {}
    left: list[Unmapped] = []
    for item, reason in unmapped:
        gtin, known = by_gtin.get(item.ref), stored[Ref(*_ref(item))]
        found = skus.get(gtin, ()) if gtin else ()
        if known.components or not found:
            left.append((item, reason))
        elif len(found) > 1:
            left.append((item, f"{reason}, and {len(found)} SKUs have its GTIN {gtin}"))
        elif carriers.get(gtin or "", 0) > 1:
            left.append((item, f"{reason}, and {carriers[gtin or '']} items of this account have its GTIN {gtin}"))
        elif found[0] not in made:
            left.append((item, f"{reason}, and the bill of materials behind its GTIN contains itself or lies too deep"))
        else:
            built[known.listing_id] = made[found[0]]
    replace_components(connection, built, now)
    mark_listings(connection, sorted(built), now)
    return ImportedListings(len(built), tuple(left), len(built))


def _ref(item: ListedItem) -> tuple[str, str]:
    return item.ref.channel_sku, item.ref.channel_location


def map_listing(
    item: ListedItem,
    stored: StoredListing | None,
    skus: Mapping[str, int],
    made: Mapping[int, Components],
    *,
    remap: bool,
) -> Mapped:
    """What a listing is made of. Pure.

    A mapped listing whose new code names nothing keeps its parts and the code it is mapped by: its orders go on being
    reserved, and every import tells of it until a person has decided.
    """
    known = stored.components if stored else ()
    known_code = stored.attributes.code if stored else None
    if known and stored and item.code == known_code and not remap:
        return Mapped(item.code)
    sku_id = skus.get(item.code) if item.code else None
    if sku_id is not None and sku_id in made:
        return Mapped(item.code, made[sku_id] if made[sku_id] != known else None)
    if not item.code:
        reason = "the channel shows no code for it"
    elif sku_id is None:
        reason = f"no SKU has the code {item.code}"
    else:
        reason = f"the bill of materials of {item.code} contains itself or lies too deep"
    if not known:
        return Mapped(item.code, reason=reason)
    if item.code == known_code:
        return Mapped(item.code)
    return Mapped(known_code, reason=f"{reason}; it stays mapped as {known_code or 'before'}")


def _attributes(item: ListedItem, code: str | None) -> Attributes:
    return Attributes(
        line_key=item.line_key,
        code=code,
        title=item.title.replace("\0", ""),  # a title is free text, and PostgreSQL's texts have no NUL
        gtin=read_gtin(item.gtin) or item.gtin,  # one spelling, so that carriers of the same number are found
        budget_key=item.budget_key,
        back_orderable=int(item.back_orderable),
        unwritable=item.unwritable,
    )
