"""The status as metrics."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from syncd.insight.histogram import bucket_of
from syncd.web.metrics import cumulative
from tests.integration.web.site import Site, seed


async def test_metrics_tell_the_same_state(site: Site) -> None:
    seed(site)

    status, told, headers = await site.get("/metrics")
    found: dict[tuple[Any, ...], float] = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }

    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    shop = ("account", "shop")
    assert {name for name, *_ in found if not name.startswith("syncd_")} == set()
    assert found[("syncd_build_info", ("version", "1.2.3"))] == 1
    assert found[("syncd_uptime_seconds",)] == 7200
    assert found[("syncd_orders_in_total", shop, ("way", "webhook"))] == 12_041
    assert found[("syncd_oversold_units_total", shop)] == 3
    assert found[("syncd_poll_age_seconds", shop)] == 1200
    assert found[("syncd_account_state", shop, ("channel", "shopify"), ("state", "live"))] == 1
    assert found[("syncd_account_state", shop, ("channel", "shopify"), ("state", "paused"))] == 0
    assert found[("syncd_open_alerts",)] == 7
    assert found[("syncd_stock_units", ("kind", "on_hand"), ("warehouse", "own"))] == 0
    assert found[("syncd_units_reserved_total", ("warehouse", "own"))] == 0
    assert ("syncd_poll_age_seconds", ("account", "retired")) not in found


async def test_lags_are_real_histograms(site: Site) -> None:
    seed(site)

    _, told, _ = await site.get("/metrics")
    (family,) = (f for f in text_string_to_metric_families(told) if f.name == "syncd_placed_to_book_seconds")
    polled = [sample for sample in family.samples if sample.labels.get("way") == "poll"]

    assert family.type == "histogram"
    buckets = {s.labels["le"]: s.value for s in polled if s.name.endswith("_bucket")}
    assert (buckets["30.0"], buckets["60.0"], buckets["+Inf"]) == (0, 1, 1)
    assert [s.value for s in polled if s.name.endswith("_count")] == [1]
    (total,) = (s.value for s in polled if s.name.endswith("_sum"))
    assert 31.0 <= total <= 34.2


def test_a_bound_never_flatters_a_lag() -> None:
    shares = cumulative({bucket_of(0.99): 1, bucket_of(0.3): 2, bucket_of(10**6): 1})

    assert dict(shares) | {"0.1": 0, "0.5": 2, "1.0": 2, "2.5": 3, "7200.0": 3, "+Inf": 4} == dict(shares)
    assert [n for _, n in shares] == sorted(n for _, n in shares)


async def test_metrics_that_cannot_be_read_are_no_metrics(site: Site) -> None:
    site.db.close()

    assert (await site.get("/metrics"))[0] == 503
