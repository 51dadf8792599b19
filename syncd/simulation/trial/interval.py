"""What several trials say together: the mean of a figure, and how far off the true mean may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

# Student's t for 95 %, two-sided, by degrees of freedom from 1 on.
_T_95 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of `n` trials, and its 95 % confidence interval; one trial alone has none."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half_width(self) -> float | None:
        return None if self.high is None else self.high - self.mean


def interval_of(samples: Sequence[float]) -> Interval | None:
    """The interval of a figure over trials; None without any sample."""
    if not samples:
        return None
    mean = fmean(samples)
    if len(samples) == 1:
        return Interval(mean, None, None, 1)
    reach = student_t_95(len(samples) - 1) * stdev(samples) / math.sqrt(len(samples))
    return Interval(mean, mean - reach, mean + reach, len(samples))


def student_t_95(degrees: int) -> float:
    """The quantile of Student's t at 97.5 %: from the table, beyond it by expansion at the normal one."""
    if degrees <= len(_T_95):
        return _T_95[degrees - 1]
    z = NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / degrees + second / degrees**2
