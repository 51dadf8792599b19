"""What trials came to, as one document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import msgspec

from syncd.simulation.trial.numbers import ALL, intervals_of
from syncd.simulation.trial.plan import Plan
from syncd.simulation.trial.run import Outcome
from syncd.simulation.trial.side_by_side import BrokeOff

Json = dict[str, Any]


def document_of(ended: Sequence[Outcome | BrokeOff]) -> Json:
    """Plan, figures over all trials, every trial by itself, and what was found."""
    outcomes = [each for each in ended if isinstance(each, Outcome)]
    return {
        "plan": _plan(ended[0].plan) if ended else None,
        "seeds": [each.plan.seed for each in ended],
        "trace_sha256": _traces(ended),
        "findings": [finding for each in ended for finding in _findings(each)],
        "figures": _figures(outcomes),
        "trials": [_trial(each) for each in outcomes],
    }


def _traces(ended: Sequence[Outcome | BrokeOff]) -> str | dict[str, str] | None:
    """The hash of the one trial, None where that broke off; of several trials an object by seed."""
    hashes = {str(each.plan.seed): each.trace_sha256 for each in ended if isinstance(each, Outcome)}
    return hashes if len(ended) > 1 else next(iter(hashes.values()), None)


def _plan(plan: Plan) -> Json:
    """The plan without its seed, which differs, and without its orders, which have a file."""
    told: Json = msgspec.to_builtins(replace(plan, orders=()), str_keys=True)
    del told["seed"]
    return told | {"orders": len(plan.orders) or None}


def _findings(ended: Outcome | BrokeOff) -> list[Json]:
    if isinstance(ended, BrokeOff):
        return [{"seed": ended.plan.seed, "rule": "trial.broke_off", "detail": ended.story}]
    return [{"seed": ended.plan.seed, **msgspec.to_builtins(each)} for each in ended.findings]


def _figures(outcomes: Sequence[Outcome]) -> Json:
    """Each figure over all channels, and by channel."""
    told: Json = {}
    for name, interval in intervals_of(outcomes).items():
        what, channel = name
        place = told.setdefault(what, {})
        if channel == ALL:
            place |= asdict(interval)
        else:
            place.setdefault("channels", {})[channel] = asdict(interval)
    return told


def _trial(outcome: Outcome) -> Json:
    return {
        "seed": outcome.plan.seed,
        "trace_sha256": outcome.trace_sha256,
        "figures": None if outcome.figures is None else asdict(outcome.figures),
        "power_cuts": outcome.cuts,
        "lives_ended": outcome.lives_ended,
        "quiet_after_s": outcome.quiet_after_s,
        "excused": [msgspec.to_builtins(each) for each in outcome.excused],
        "counted": dict(outcome.counted),
        "findings": len(outcome.findings),
        "virtual_s": round(outcome.virtual_s, 3),
        "cpu_s": round(outcome.cpu_s, 2),
    }
