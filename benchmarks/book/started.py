"""A real `syncd run` on a large book: how soon it answers beside what its imports take, and its resident memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from benchmarks.book.runs import Run
from benchmarks.book.seller import LOCATION, WAREHOUSES, accounts_of
from benchmarks.book.stop import NotMeasured

_WITHIN_S: Final = 120.0
_SETTLES_S: Final = 10.0  # its first rounds of every loop and job are over
_IMPORTS: Final = "import syncd.cli.app, syncd.daemon, syncd.web.app, adapters.shopify"
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:[0-9]+")


def run_daemon(url: str, folder: Path, channels: int) -> Run:
    """`rate`: seconds until it answers to those of its imports; `mib` is its memory some seconds later."""
    config = folder / "syncd.toml"
    config.write_text(_config(url, channels))
    log = folder / "daemon.log"
    environment = {**os.environ, "SHOP_SECRET": "a-secret-of-the-benchmark"}
    imports_s = _seconds_of_imports()
    began_s = time.perf_counter()
    with log.open("wb") as told:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "syncd", "run", "-c", config], stdout=told, stderr=told, env=environment
        )
    try:
        ready_s = _until_it_answers(daemon, log) - began_s
        time.sleep(_SETTLES_S)
        mib = _resident_mib(daemon.pid)
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)
    return Run(ready_s / imports_s, "x", mib=mib, note=f"ready after {ready_s:.1f} s, imports {imports_s:.1f} s")


def _seconds_of_imports() -> float:
    subprocess.run([sys.executable, "-c", _IMPORTS], check=True)  # from the disk, once
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", _IMPORTS], check=True)
    return time.perf_counter() - began_s


def _until_it_answers(daemon: subprocess.Popen[bytes], log: Path) -> float:
    give_up_s = time.perf_counter() + _WITHIN_S
    while time.perf_counter() < give_up_s and daemon.poll() is None:
        if (address := _ADDRESS.search(log.read_text())) is not None and _answers(address[0]):
            return time.perf_counter()
        time.sleep(0.02)
    raise NotMeasured(f"the daemon did not answer: {log.read_text()[-2000:]}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False


def _resident_mib(pid: int) -> float:
    told = re.search(r"^VmRSS:\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert told is not None, "Linux tells it"
    return int(told[1]) / 1024


def _config(url: str, channels: int) -> str:
    keys = [f"w{number}" for number in range(1, WAREHOUSES + 1)]
    parts = [f'[database]\nurl = "{url}"\n[http]\nport = 0\n']
    parts += [
        f'[[warehouse]]\nkey = "{key}"\nkind = "own"\ncountry = "US"\npostcode = "{10000 + number}"\n'
        for number, key in enumerate(keys)
    ]
    pool = ", ".join(f'"{key}"' for key in keys)
    parts += [
        f'[[account]]\nkey = "{key}"\nchannel = "shopify"\nwarehouses = [{pool}]\n[account.shopify]\n'
        f'base_url = "http://127.0.0.1:{port}"\nclient_id = "id"\nclient_secret = "SHOP_SECRET"\n'
        f'location = "{LOCATION}"\n'
        for port, key in enumerate(accounts_of(channels), start=9)  # where nobody answers
    ]
    return "\n".join(parts)
