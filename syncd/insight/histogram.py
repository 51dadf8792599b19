"""A fixed logarithmic histogram: mergeable, deterministic, of constant size. Bucket width is ten percent."""

from __future__ import annotations

import math
from collections.abc import Mapping

_GROWTH = 1.1
_FLOOR_S = 0.001
_TOP = 240  # 0.001 s * 1.1 ** 240 is some 100 days


def bucket_of(seconds: float) -> int:
    """The bucket of a lag; everything up to a millisecond, negative lags of skewed clocks included, is bucket 0."""
    if seconds <= _FLOOR_S:
        return 0
    return min(_TOP, math.ceil(math.log(seconds / _FLOOR_S) / math.log(_GROWTH)))


def upper_bound_s(bucket: int) -> float:
    return float(_FLOOR_S * _GROWTH**bucket)


def quantile_s(buckets: Mapping[int, int], share: float) -> float | None:
    """The lag that `share` of the samples do not exceed, at most ten percent too high; None without samples."""
    total = sum(buckets.values())
    if not total:
        return None
    wanted = math.ceil(total * share)
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return upper_bound_s(bucket)
    return upper_bound_s(max(buckets))


def mean_s(buckets: Mapping[int, int]) -> float | None:
    total = sum(buckets.values())
    if not total:
        return None
    return sum(upper_bound_s(bucket) * n for bucket, n in buckets.items()) / total
