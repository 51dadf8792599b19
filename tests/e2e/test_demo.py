"""The demo's and the sandboxes' promises to whoever runs them by a script."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from syncd.simulation.processes import Process, free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHANNELS = {"main-shop", "amazon-us", "ebay-us"}
SHIP_TO = {"name": "A Shopper", "address1": "1 Main Street", "city": "Denver", "zip": "80202", "country": "US"}


def test_the_demo_ends_converged_and_writes_its_figures(tmp_path: Path) -> None:
    target, picture = tmp_path / "summary.json", tmp_path / "demo.svg"
    options = ["--for", "12s", "--seed", "7", "--summary", str(target), "--picture", str(picture), "--dir", "here"]

    done = subprocess.run(
        [sys.executable, "-m", "syncd", "demo", *options],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "status page: http://127.0.0.1:" in done.stdout
    told = json.loads(target.read_text())
    assert told["orders_expected"] > 0
    assert sum(n for ways in told["orders_in"].values() for n in ways.values()) == told["orders_expected"]
    assert set(told["orders_in"]) == set(told["channels"]) == CHANNELS
    assert sum(told["units_reserved"].values()) > 0
    assert told["pushes"] > 0
    assert told["lag_s"]["placed_to_shown"]["count"] > 0
    assert (told["audit_violations"], told["listings_differing"]) == (0, 0)
    assert {"oversold_units", "rejected_rows", "orders_per_s", "peak_rss_mib"} <= set(told)
    assert sum(channel["down_s"] > 0 for channel in told["channels"].values()) == 1, "one channel was down"
    for channel in told["channels"].values():
        assert sum(channel["orders_in"].values()) == channel["orders_expected"] > 0
        assert sum(channel["oversold_causes"].values()) == channel["oversold_units"]
        assert channel["pushes"] > 0
    assert all(key in picture.read_text() for key in CHANNELS)
    assert (tmp_path / "here" / "syncd.db").is_file(), "a folder that was named stays"


@pytest.fixture
def sandboxes(tmp_path: Path) -> Iterator[tuple[Process, int]]:
    (base,) = free_ports(1)
    arguments = ["sandbox", "--only", "shopify", "--port-base", str(base), "--speed", "60"]
    process = Process(arguments, tmp_path / "sandbox.log")
    yield process, base
    process.kill()


async def test_a_sandbox_runs_alone_and_says_how_to_reach_it(sandboxes: tuple[Process, int]) -> None:
    process, port = sandboxes
    address = f"http://127.0.0.1:{port}"
    await process.answers(f"{address}/_control/stats")

    async with httpx.AsyncClient(base_url=f"{address}/_control") as counter:
        before = (await counter.get("/truth")).json()["levels"][0]
        body = {"lines": [{"sku": before["sku"], "quantity": 1}], "ship_to": SHIP_TO}
        bought = await counter.post("/orders", json=body)
        after = (await counter.get("/truth")).json()["levels"][0]

    assert bought.status_code == httpx.codes.CREATED
    assert after["available"] == before["available"] - 1
    assert await process.stop() == 0
    told = process.log.read_text()
    assert f'base_url = "{address}"' in told
    assert 'client_secret = "main-shop-sandbox-secret"' in told
    assert before["channel_location"] in told


def test_a_folder_with_an_earlier_run_is_left_alone(tmp_path: Path) -> None:
    book = tmp_path / "syncd.db"
    book.write_bytes(b"an earlier book")

    done = subprocess.run(
        [sys.executable, "-m", "syncd", "demo", "--for", "1s", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert f"{tmp_path} has the files of an earlier run in it: name another folder" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["syncd.db"]
    assert book.read_bytes() == b"an earlier book"


def test_a_vendor_whom_nobody_knows_is_told_with_those_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "sandbox", "--only", "etsy"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    said = " ".join(done.stderr.replace("│", " ").split())
    assert "no sandbox is called 'etsy': there is shopify, amazon, ebay, shipbob" in said
