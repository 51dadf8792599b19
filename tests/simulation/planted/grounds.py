"""Where planted bugs are looked for: short and busy, few SKUs, and of all faults only those that a bug needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syncd.simulation.kit.boundary import Boundary
from syncd.simulation.shoppers import Habits
from syncd.simulation.trial.plan import DAY_S, HOUR_S, NO_FAULTS, Plan
from syncd.simulation.world import EVERY_VENDOR, Cast
from syncd.simulation.world import TWO_SHOPS as _TWO_SHOPS
from tests.simulation.planted.bug import Ground

_NEVER_S = 10 * DAY_S
_SHOP, _AMAZON, _EBAY = EVERY_VENDOR.channels
_EAST, _WEST, _BOB, _FBA = EVERY_VENDOR.warehouses


def _cast(*keys: str) -> Cast:
    """These channels and warehouses; every channel lists everything, from every warehouse but FBA."""
    warehouses = tuple(each for each in EVERY_VENDOR.warehouses if each.key in keys)
    stocked = tuple(each.key for each in warehouses if each.kind != "fba")
    channels = tuple(replace(each, warehouses=stocked) for each in EVERY_VENDOR.channels if each.key in keys)
    return Cast(channels, warehouses, (tuple(each.key for each in channels),), skus=6)


SHOP = _cast(_SHOP.key, _EAST.key)
SHOP_AND_3PL = _cast(_SHOP.key, _EAST.key, _BOB.key)
AMAZON = _cast(_AMAZON.key, _EAST.key, _FBA.key)
EBAY = _cast(_EBAY.key, _EAST.key)
SHOPS = _TWO_SHOPS
POOLS = Cast(
    channels=(
        replace(_SHOP, warehouses=(_EAST.key, _WEST.key), share=0.4),
        replace(_TWO_SHOPS.channels[1], warehouses=(_WEST.key,), share=0.3, buffer=1, cap=4),
        replace(_EBAY, warehouses=(_EAST.key, _BOB.key), share=0.3, buffer=2),
    ),
    warehouses=(_EAST, _WEST, _BOB),
    assortments=((_SHOP.key, _TWO_SHOPS.channels[1].key, _EBAY.key),),
    skus=6,
)
"""Accounts that sell from different sets of warehouses, keep some back, and show so many at most."""

_BUSY = Habits(orders_per_hour=240.0, cancel_share=0.0, edit_share=0.0, unpaid_share={}, by_channel_share={})
_CALM = Plan(
    seed=0,
    days=840.0 / DAY_S,  # own parcels leave after 900 s: nothing of a ground depends on them
    cast=SHOP,
    skus=6,
    habits=_BUSY,
    deliveries_every_s=240.0,
    typing_every_s=_NEVER_S,
    miscounts_every_s=_NEVER_S,
    damage_every_s=_NEVER_S,
    entries_every_s=_NEVER_S,
    faults=NO_FAULTS,
    audit_every_s=420.0,
    quiet_within_s=0.75 * HOUR_S,
)
_LOST_NEWS = {"webhook_drop": 0.85}
_UNHURRIED = replace(_BUSY, orders_per_hour=60.0)
_INDECISIVE = replace(_BUSY, cancel_share=0.35)


def _with_faults(plan: Plan, **faults: Any) -> Plan:
    return replace(plan, faults=replace(plan.faults, **faults))


CALM_SHOP = Ground("calm shop", _CALM)
CHANGED_MINDS = Ground("calm shop, changed minds", replace(_CALM, habits=_INDECISIVE))
QUIET_HOURS = Ground(
    "quiet hours",  # what is due once an hour is due twice
    replace(_CALM, days=4500.0 / DAY_S, habits=replace(_BUSY, orders_per_hour=20.0), deliveries_every_s=_NEVER_S),
)
RESTARTS = Ground("restarts", replace(QUIET_HOURS.plan, faults=replace(NO_FAULTS, cuts={Boundary.COMMITTED: 1 / 800})))
LOST_NEWS = Ground("lost news", _with_faults(_CALM, strikes=_LOST_NEWS))
OUTAGES = Ground(
    "outages",
    replace(
        _CALM,
        days=HOUR_S / 2 / DAY_S,
        deliveries_every_s=_NEVER_S,
        faults=replace(NO_FAULTS, short_outages=150.0, short_outage_s=(400.0, 600.0), strikes=_LOST_NEWS),
    ),
)
POWER_CUTS = Ground("power cuts", _with_faults(_CALM, cuts={Boundary.COMMITTED: 1 / 20}))
CUTS_AT_REPLIES = Ground("cuts at replies", _with_faults(_CALM, cuts={Boundary.SENT: 1 / 10, Boundary.REPLIED: 1 / 20}))
LOST_REPLIES = Ground(
    "lost replies", _with_faults(replace(_CALM, cast=SHOPS), strikes={"lost_reply": 0.3, "webhook_drop": 0.5})
)
LOST_EBAY_REPLIES = Ground(
    "lost replies of plain sets",
    _with_faults(replace(_CALM, cast=EBAY, deliveries_every_s=120.0), strikes={"lost_reply": 0.4}),
)
HIDDEN_SALES = Ground(
    "hidden sales",
    _with_faults(
        replace(_CALM, cast=SHOPS, deliveries_every_s=120.0), strikes={"webhook_drop": 0.7, "stale_read": 0.05}
    ),
)
HIDDEN_FOR_A_WHILE = replace(
    HIDDEN_SALES, name="hidden sales for a while", plan=replace(HIDDEN_SALES.plan, days=600.0 / DAY_S)
)
CALM_SHOPS = Ground("two calm shops", replace(_CALM, cast=SHOPS))
RUNNING_OUT = Ground("two calm shops that run out", replace(CALM_SHOPS.plan, deliveries_every_s=_NEVER_S))
TYPED_OVER = Ground("numbers typed over", replace(_CALM, typing_every_s=40.0))
FROZEN = Ground("frozen machines", _with_faults(replace(_CALM, cast=SHOPS), frozen=400.0, frozen_s=(35.0, 60.0)))
POISON = Ground("poison", _with_faults(_CALM, poison=300.0))
CALM_AMAZON = Ground("calm amazon", replace(_CALM, cast=AMAZON))
UNPAID = Ground(
    "unpaid purchases",
    replace(
        _CALM,
        days=HOUR_S / DAY_S,
        cast=EBAY,
        habits=replace(_BUSY, orders_per_hour=45.0, unpaid_share={"ebay": 0.5}),
        deliveries_every_s=900.0,
        quiet_within_s=HOUR_S,
    ),
)
UNPAID_PACKS = Ground(
    "unpaid packs",  # a plain listing and its pack of three
    replace(
        UNPAID.plan,
        days=_CALM.days,
        skus=1,
        habits=replace(_BUSY, unpaid_share={"ebay": 0.5}),
        deliveries_every_s=120.0,
        audit_every_s=60.0,
    ),
)
WITH_3PL = Ground(
    "3pl", _with_faults(replace(_CALM, cast=SHOP_AND_3PL, habits=_INDECISIVE), strikes={"lost_reply": 0.25})
)
SEVERAL_POOLS = Ground("several pools", replace(_CALM, cast=POOLS, days=1200.0 / DAY_S, deliveries_every_s=900.0))
SHORT_OF_STOCK = Ground(
    "shelves counted wrongly",
    replace(
        CALM_SHOPS.plan, days=1200.0 / DAY_S, deliveries_every_s=600.0, miscounts_every_s=30.0, damage_every_s=60.0
    ),
)
ENTERED_BY_HAND = Ground(
    "goods entered by hand",
    replace(CALM_SHOPS.plan, days=1200.0 / DAY_S, deliveries_every_s=600.0, entries_every_s=15.0),
)
CLOCK_STEPS = Ground(
    "a clock that steps",
    _with_faults(replace(CALM_SHOPS.plan, days=1200.0 / DAY_S), clock_steps=240.0, clock_wrong_s=(60.0, 200.0)),
)
WORK_FAILS = Ground(
    "work that fails for long",
    _with_faults(
        replace(_CALM, days=1500.0 / DAY_S, habits=_UNHURRIED, deliveries_every_s=_NEVER_S),
        broken=1440.0,
        broken_s=(1200.0, 1200.0),
        broken_work=("orders.take_in.apply_batch", "jobs._cover"),
    ),
)
WORK_STUMBLES = Ground(
    "work that fails for a moment",
    _with_faults(
        WORK_FAILS.plan,
        broken=240.0,
        broken_s=(150.0, 250.0),
        broken_work=("orders.take_in.apply_batch", "jobs._cover"),
    ),
)
POLLS_FAIL = Ground(
    "polls that fail for long",
    _with_faults(replace(WORK_FAILS.plan, poll_every_s=120.0), broken_work=("orders.take_in.finish_poll",)),
)
_UNLISTED: tuple[tuple[str, ...], ...] = ((),)
BACK_ORDERS = Ground(
    "back orders",  # two goods are listed: one of them sells below 0
    replace(
        _CALM,
        cast=replace(SHOP, assortments=_UNLISTED * 27 + ((_SHOP.key,),) * 2),
        skus=29,
        habits=replace(_BUSY, orders_per_hour=120.0),
        deliveries_every_s=_NEVER_S,
    ),
)
FEW_KITS = Ground(
    "few kits",  # a kit and the two goods that it is made of are listed, and of these few are left
    replace(
        _CALM,
        cast=replace(SHOP, assortments=tuple((_SHOP.key,) if number in (1, 8) else () for number in range(9))),
        days=1200.0 / DAY_S,
        skus=9,
        habits=replace(_BUSY, orders_per_hour=480.0, more_lines=(0.9, 0.9)),
        deliveries_every_s=40.0,
    ),
)
