"""The control face's say in what goes wrong."""

from __future__ import annotations

from dataclasses import asdict, replace

from adapters.sandbox_kit.control_input import Form, Json
from adapters.sandbox_kit.faults import F, Fates, M, Planned


def change_faults(form: Form, faults: Fates[F, M]) -> None:
    """Probabilities and durations by name; `next`: [{fault, operation?, times?}]; `clear`; `down_s`."""
    calm = form.flag("clear", default=False)
    down_s = form.seconds("down_s") if form.has("down_s") else None
    plans = _plans(form, faults.kinds)
    mix = _mix(form, type(faults.mix).none() if calm else faults.mix)
    form.done()
    faults.mix = mix
    if calm:
        faults.calm()
    faults.planned.extend(plans)
    if down_s is not None:
        faults.go_down(down_s)


def fault_report(faults: Fates[F, M]) -> Json:
    return {
        **asdict(faults.mix),
        "down": faults.down,
        "next": [{"fault": plan.fault.value, "operation": plan.operation} for plan in faults.planned],
    }


def _plans(form: Form, kinds: type[F]) -> list[Planned[F]]:
    plans = []
    for plan in form.forms("next") if form.has("next") else []:
        planned = Planned(plan.choice("fault", kinds), plan.optional_text("operation"))
        plans += [planned] * plan.whole("times", 1, minimum=1)
        plan.done()
    return plans


def _mix(form: Form, mix: M) -> M:
    changes = {name: form.number(name, maximum=1) for name in mix.probabilities() if form.has(name)}
    changes |= {name: form.seconds(name) for name in mix.durations() if form.has(name)}
    return replace(mix, **changes)
