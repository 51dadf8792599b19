"""A real headless Chromium, driven over its DevTools protocol with nothing but aiohttp's websocket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
_WITHIN_S = 40.0


@dataclass
class Tab:
    """One page. `complaints` gathers what the console, the network or the security policy found wrong; `logins` counts
    how often its user was asked for a password.
    """

    socket: ClientWebSocketResponse
    complaints: list[str] = field(default_factory=list)
    logins: int = 0
    _password: str = ""
    _answering: set[asyncio.Task[None]] = field(default_factory=set)
    _asked: int = 0
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        number = self._asked
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(_WITHIN_S):
            result: dict[str, Any] = await answer
        return result

    async def open(self, url: str) -> None:
        """Go there, and wait until everything has loaded."""
        self._loaded.clear()
        await self.ask("Page.navigate", url=url)
        async with asyncio.timeout(_WITHIN_S):
            await self._loaded.wait()

    async def knows(self, password: str) -> None:
        """From now on the browser's own login dialog is answered with this password."""
        self._password = password
        await self.ask("Fetch.enable", handleAuthRequests=True, patterns=[{"urlPattern": "*"}])

    async def tells(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        answer = await self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def comes_true(self, expression: str, within_s: float = 20.0) -> None:
        """Wait until an expression is true; what it was last is in the error."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + within_s
        while not (told := await self.tells(expression)):
            assert loop.time() < ends, f"{expression} is still {told!r}"
            await asyncio.sleep(0.1)

    async def looks(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Give the page a window of that size, in light or in dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.ask("Emulation.setEmulatedMedia", features=scheme)

    async def picture(self) -> bytes:
        """What the window shows, as PNG."""
        answer = await self.ask("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    def _answer(self, method: str, **params: Any) -> None:
        """Tell the browser something without waiting for what it says to it: whoever listens must go on listening."""
        self._asked += 1
        told = asyncio.create_task(self.socket.send_json({"id": self._asked, "method": method, "params": params}))
        self._answering.add(told)
        told.add_done_callback(self._answering.discard)

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self._hear(message.json())

    def _hear(self, told: Mapping[str, Any]) -> None:
        if "id" in told:
            answer = self._answers.pop(told["id"], None)
            if answer is None or answer.done():
                return
            if "error" in told:
                answer.set_exception(RuntimeError(str(told["error"])))
            else:
                answer.set_result(told["result"])
            return
        params = told.get("params", {})
        match told.get("method"):
            case "Page.loadEventFired":
                self._loaded.set()
            case "Fetch.requestPaused":
                self._answer("Fetch.continueRequest", requestId=params["requestId"])
            case "Fetch.authRequired":
                self.logins += 1
                login = {"response": "ProvideCredentials", "username": "syncd", "password": self._password}
                self._answer("Fetch.continueWithAuth", requestId=params["requestId"], authChallengeResponse=login)
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"].get("exception", params["exceptionDetails"])))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(each.get("value", each)) for each in params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")


@asynccontextmanager
async def a_tab() -> AsyncIterator[Tab]:
    """A tab of a browser of its own, with an empty profile; both are gone at the end."""
    assert CHROMIUM is not None, "the caller skips where no chromium is installed"
    with tempfile.TemporaryDirectory(prefix="syncd-browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port_of(Path(profile, "DevToolsActivePort"), process)
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    (page,) = [each for each in await answer.json(content_type=None) if each["type"] == "page"]
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    tab = Tab(socket)
                    listening = asyncio.create_task(tab.listen())
                    for domain in ("Page", "Runtime", "Log", "Network"):
                        await tab.ask(f"{domain}.enable")
                    try:
                        yield tab
                    finally:
                        listening.cancel()
                        await asyncio.gather(listening, return_exceptions=True)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10.0)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _port_of(file: Path, process: asyncio.subprocess.Process) -> str:
    """The port that the browser has chosen, which it writes into its profile."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"chromium ended with {process.returncode}")
            if lines := _lines_of(file):
                return lines[0]
            await asyncio.sleep(0.05)


def _lines_of(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []
