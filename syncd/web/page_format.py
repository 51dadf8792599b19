"""How figures, times and words are written on the page."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from syncd.insight.status import COUNTED_TO, Lag

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_NO_FIGURE = "–"


def number(n: int) -> str:
    return f"{n:,}".replace("-", "−")


def signed(n: int) -> str:
    return f"{n:+,}".replace("-", "−") if n else "0"


def counted(*counts: int) -> str:
    """The sum of counts that each end at COUNTED_TO; it says so when one did."""
    return f"{sum(min(n, COUNTED_TO) for n in counts):,}{'+' if max(counts, default=0) > COUNTED_TO else ''}"


def up_to(n: int, limit: int) -> str:
    """A count that ends at `limit`, one more standing for any number above."""
    return f"{min(n, limit):,}{'+' if n > limit else ''}"


def duration(seconds: float | None) -> str:
    """A rough length of time: `42 s`, `3 min`, `2 h`, `5 d`."""
    if seconds is None:
        return "never"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def quantiles(lag: Lag) -> str:
    return f"{lag_of(lag.quantile_s(0.5))} / {lag_of(lag.quantile_s(0.95))}"


def lag_of(seconds: float | None) -> str:
    """A measured lag with two digits: `420 ms`, `1.3 s`, `42 s`, `2.4 min`."""
    if seconds is None:
        return _NO_FIGURE
    if seconds < 0.95:
        return f"{_two_digits(seconds * 1000)} ms"
    for size, unit in _UNITS:
        if seconds >= 1.5 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{float(f'{value:.2g}'):.0f}"


def sentence(text: str) -> str:
    """A clause as a sentence; nothing but its first letter changes, since names keep theirs."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def away(at: datetime | None, now: datetime) -> Markup:
    """How far from now an instant is, roughly; the exact one is its title. The script keeps it true by `datetime`."""
    if at is None:
        return Markup("never")
    return Markup('<time class="away" datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), instant(at), duration(abs((now - at).total_seconds()))
    )
