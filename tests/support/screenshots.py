"""Take the status page's pictures from a running daemon or demo.

    python -m tests.support.screenshots http://127.0.0.1:8480 FOLDER

writes desktop.png, desktop-whole.png, dark.png, phone.png and, for each account and one SKU at risk, their pages.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.support.browser import CHROMIUM, Tab, a_tab

_DESKTOP, _PHONE = (1280, 1400), (390, 844)


async def take(address: str, folder: Path) -> None:
    async with a_tab() as tab:
        await _shoot(tab, f"{address}/status", folder, "desktop")
        await _shoot(tab, f"{address}/status", folder, "desktop-whole", whole=True)
        await _shoot(tab, f"{address}/status", folder, "dark", dark=True, whole=True)
        await _shoot(tab, f"{address}/status", folder, "phone", phone=True, whole=True)
        details = await tab.tells("[...document.querySelectorAll('tbody th a')].map((each) => [each.id, each.href])")
        seen = set()
        for name, href in details:
            kind = name.partition("-")[0]
            if kind not in seen:
                seen.add(kind)
                await _shoot(tab, href, folder, kind, whole=True)
                await _shoot(tab, href, folder, f"{kind}-phone", phone=True, whole=True)
        for complaint in tab.complaints:
            print("complaint:", complaint, file=sys.stderr)


async def _shoot(
    tab: Tab, url: str, folder: Path, name: str, *, dark: bool = False, phone: bool = False, whole: bool = False
) -> None:
    width, height = _PHONE if phone else _DESKTOP
    await tab.looks(width, height, dark=dark, phone=phone)
    await tab.open(url)
    await asyncio.sleep(0.6)
    if whole:
        tall = await tab.tells("document.documentElement.scrollHeight")
        await tab.looks(width, min(int(tall), 8000), dark=dark, phone=phone)
        await asyncio.sleep(0.3)
    picture = await tab.picture()
    await asyncio.to_thread((folder / f"{name}.png").write_bytes, picture)


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("no chromium is installed: apt install chromium")
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    asyncio.run(take(sys.argv[1].rstrip("/"), Path(sys.argv[2])))
