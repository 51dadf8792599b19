"""Seeds that found real bugs, by the name of the bug."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncd.simulation.shoppers import Habits
from syncd.simulation.trial.plan import HOUR_S, NO_FAULTS, Plan
from syncd.simulation.trial.run import run_trial
from tests.simulation.gate import look
from tests.simulation.planted.bug import Ground
from tests.simulation.planted.grounds import EBAY, TYPED_OVER, UNPAID

pytestmark = [pytest.mark.sim, pytest.mark.timeout(300)]

_DAY_S = 24 * HOUR_S


def test_a_number_typed_by_hand_is_seen_although_an_older_echo_overtakes_it(schema: Path) -> None:
    ground = Ground("numbers typed now and then", replace(TYPED_OVER.plan, typing_every_s=100.0))

    assert look(ground, 4, schema).findings == ()


@pytest.mark.parametrize("seed", [1, 4])
def test_a_parcel_that_was_counted_as_gone_is_not_taken_off_the_shelf_again(schema: Path, seed: int) -> None:
    habits = replace(UNPAID.plan.habits, orders_per_hour=90.0, unpaid_share={"ebay": 0.5})
    plan = replace(UNPAID.plan, cast=EBAY, skus=1, days=HOUR_S / _DAY_S, deliveries_every_s=300.0, habits=habits)

    assert look(Ground("parcels counted as gone", plan), seed, schema).findings == ()


def test_a_machine_that_was_frozen_for_long_leaves_no_alert_open_behind_its_successor(schema: Path) -> None:
    faults = replace(NO_FAULTS, frozen=1440.0, frozen_s=(_DAY_S, _DAY_S))
    plan = Plan(2, days=600 / _DAY_S, skus=6, habits=Habits(orders_per_hour=60.0), faults=faults)

    assert run_trial(plan, template=schema).findings == []
