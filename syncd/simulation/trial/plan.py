"""What a trial is to be: how long, how busy, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.simulation.kit.boundary import Boundary
from syncd.simulation.kit.network import CALM, MishapMix
from syncd.simulation.shoppers import Habits
from syncd.simulation.wanted import WantedOrder
from syncd.simulation.world import EVERY_VENDOR, Cast

DAY_S = 86_400.0
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong besides the sandboxes' own faults. Rates are per day; durations are seconds."""

    mishaps: MishapMix = field(default_factory=MishapMix)
    cuts: Mapping[Boundary, float] = field(
        default_factory=lambda: {
            Boundary.COMMITTED: 1 / 1500,
            Boundary.ROLLED_BACK: 1 / 10_000,
            Boundary.SENT: 1 / 1000,
            Boundary.REPLIED: 1 / 3000,
        }
    )
    sandboxes: bool = True  # the vendors' own: 429, 5xx, broken bodies, stale reads, late and doubled news
    strikes: Mapping[str, float] = field(default_factory=dict)
    """Probabilities of the sandboxes' faults by name, for each vendor that knows it, instead of the vendor's own."""
    poison: float = 0.0  # times that a Shopify shop tells of an order that can be read and not taken in
    long_outages: float = 2.0  # of a channel or a warehouse
    long_outage_s: tuple[float, float] = (HOUR_S, 3 * HOUR_S)
    short_outages: float = 8.0
    short_outage_s: tuple[float, float] = (60.0, 600.0)
    exhausted: float = 3.0  # times that a vendor's quota is used up by somebody else
    exhausted_s: tuple[float, float] = (120.0, 900.0)
    revoked: float = 4.0  # times that all access tokens of a vendor die
    disk_full: float = 1.0
    disk_full_s: tuple[float, float] = (30.0, 600.0)
    locked: float = 4.0
    locked_s: tuple[float, float] = (0.1, 30.0)
    broken: float = 0.0  # times that the work of `broken_work`, transactions by name, meets a damaged page
    broken_s: tuple[float, float] = (600.0, 1_800.0)
    broken_work: tuple[str, ...] = ()
    frozen: float = 2.0  # times that the daemon's machine stops while another one takes over
    frozen_s: tuple[float, float] = (5.0, 120.0)
    skew_s: float = 0.5  # a start of the daemon finds its clock so far off at most
    clock_steps: float = 0.0  # times that the daemon's clock steps, either way, and is set right later
    clock_step_s: tuple[float, float] = (60.0, 300.0)
    clock_wrong_s: tuple[float, float] = (120.0, 1_200.0)


NO_FAULTS = Faults(
    mishaps=CALM,
    cuts={},
    sandboxes=False,
    long_outages=0.0,
    short_outages=0.0,
    exhausted=0.0,
    revoked=0.0,
    disk_full=0.0,
    locked=0.0,
    frozen=0.0,
    skew_s=0.0,
    clock_steps=0.0,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One trial. The same plan ends in the same trace."""

    seed: int
    days: float = 1.0
    cast: Cast = EVERY_VENDOR
    skus: int = 60
    habits: Habits = field(default_factory=lambda: Habits.of_day(500))
    poll_every_s: float | None = 300.0  # of every vendor; None: as often as each is polled by default
    deliveries_every_s: float = 6 * HOUR_S
    typing_every_s: float = 3 * HOUR_S
    miscounts_every_s: float = 4 * HOUR_S  # a shelf is counted wrongly, and rightly within two hours
    damage_every_s: float = 6 * HOUR_S  # goods break on their shelf
    entries_every_s: float = 3 * HOUR_S  # goods that came, were moved or are lost are entered by hand
    faults: Faults = field(default_factory=Faults)
    audit_every_s: float = HOUR_S
    quiet_within_s: float = 6 * HOUR_S
    orders: tuple[WantedOrder, ...] = ()  # none: shoppers do as they like
