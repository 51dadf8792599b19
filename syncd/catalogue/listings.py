"""`syncd import listings --from ACCOUNT`: the account's listings, and what each of them is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from adapters.contract import ChannelTraits, Clock, ListedItem, ListingPage
from syncd.catalogue.bill_store import components_of
from syncd.catalogue.bills import Components
from syncd.catalogue.codes import find_exact
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
    return ImportedListings(mapped, tuple(unmapped), changed)


def record_listings(
    connection: Connection,
    account_id: int,
    items: Sequence[ListedItem],
    now: datetime,
    *,
    cells: Sequence[str],
    remap: bool = False,
) -> ImportedListings:
    """Record listings once per account, channel SKU and location, each made of the SKU that has exactly its code.

    What a listing is made of stays, unless its code has changed or `remap` is set.
    """
    told = {Ref(item.ref.channel_sku, item.ref.channel_location): item for item in items}
    stored = load_listings(connection, account_id, told)
    skus = find_exact(connection, {item.code for item in told.values() if item.code})
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
        reason = f"no SKU has exactly the code {item.code}"
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
        gtin=item.gtin,
        budget_key=item.budget_key,
        back_orderable=int(item.back_orderable),
        unwritable=item.unwritable,
    )
