"""A real browser without a window: Chromium, told what to do over two pipes by the DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT = 30.0  # seconds
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"),
    *(
        "--autoplay-policy=no-user-gesture-required",
        "--disable-background-networking",
        "--disable-component-update",
        "--force-color-profile=srgb",
    ),
)
# Of a key: the text that it types, its number, and what it does besides.
KEYS = {"Enter": ("\r", 13), "Escape": ("", 27), "Tab": ("", 9), "Home": ("", 36), " ": (" ", 32)} | {
    f"Arrow{name}": ("", 37 + i) for i, name in enumerate(("Left", "Up", "Right", "Down"))
}
SHIFT = 8


def find() -> str | None:
    """The program, None where there is none."""
    return os.environ.get("MIDIOPT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A running browser."""

    def __init__(self, program: str, profile: Path) -> None:
        from_here, to_there = os.pipe(), os.pipe()
        shell = f'exec "$0" "$@" 3<&{from_here[0]} 4>&{to_there[1]}'  # the browser reads its commands from 3 and answers on 4
        command = ["bash", "-c", shell, program, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        with (profile / "stderr.txt").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                pass_fds=(from_here[0], to_there[1]),
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=os.environ | {"LD_PRELOAD": ""},  # no sanitizers: Chromium hangs in them
            )
        os.close(from_here[0])
        os.close(to_there[1])
        self._commands, self._answers = from_here[1], to_there[0]
        self._begun = b""
        self._number = 0
        self._pages: dict[str, Page] = {}

    def page(self, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        """A new page with cookies and a history of its own."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        page.resize(width, height)
        page.prefer(dark)
        return page

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command; returns its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            if page := self._pages.get(answer.get("sessionId", "")):
                page.note(answer["method"], answer["params"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._begun:
            assert select.select([self._answers], [], [], TIMEOUT)[0], f"no answer from the browser for {TIMEOUT:.0f} s"
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser has ended"
            self._begun += data
        message, _, self._begun = self._begun.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(AssertionError, OSError):
            self.send("Browser.close")
        try:
            self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._commands)
        os.close(self._answers)


class Page:
    """A page, and what went wrong in it."""

    def __init__(self, browser: Chromium, session: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self._context = context
        self.problems: list[str] = []
        """Uncaught exceptions, errors and warnings of the console, and what the policy of the page has blocked."""
        self.requests: list[str] = []
        self._loads = 0

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to this page."""
        return self._browser.send(method, self._session, **parameters)

    def note(self, event: str, values: dict[str, Any]) -> None:
        """Take an event."""
        if event == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif event == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(argument.get("value", argument.get("description"))) for argument in values["args"]))
        elif event == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{values['entry']['text']} {values['entry'].get('url', '')}")
        elif event == "Page.loadEventFired":
            self._loads += 1
        elif event == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])

    def open(self, url: str) -> None:
        """Go to an address, and wait until the page is loaded."""
        self.evaluate("window.isOld = true")
        self.send("Page.navigate", url=url)
        self.wait("!window.isOld && document.readyState === 'complete'")

    def open_plain(self, url: str) -> None:
        """Go to an address in a page that runs no scripts."""
        number = self._loads
        self.send("Page.navigate", url=url)
        deadline = time.monotonic() + TIMEOUT
        while self._loads == number:
            self.send("Page.getFrameTree")  # takes events
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def html(self) -> str:
        """What is shown, as the browser has it."""
        root = self.send("DOM.getDocument", depth=0)["root"]["nodeId"]
        html: str = self.send("DOM.getOuterHTML", nodeId=root)["outerHTML"]
        return html

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or what its promise resolves to."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"].get("exception", {}).get("description", answer)
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            with contextlib.suppress(AssertionError):  # between two pages
                if self.evaluate(f"Boolean({condition})"):
                    return
            assert time.monotonic() < deadline, f"{condition} is not true; {self.problems}"
            time.sleep(0.02)

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys, one after another: names as in KeyboardEvent.key."""
        for key in keys:
            text, number = KEYS.get(key, (key, ord(key[0].upper())))
            event = {"key": key, "windowsVirtualKeyCode": number, "modifiers": SHIFT if shift else 0}
            self.send("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
            self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        self.send("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click into the middle of an element."""
        place = f"(e => (e.scrollIntoView({{block: 'center'}}), e.getBoundingClientRect()))(document.querySelector({json.dumps(selector)}))"
        box = self.evaluate(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({place})")
        self.click_at(*box)

    def click_at(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Set the size of the window in CSS pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 500)

    def prefer(self, dark: bool, still: bool = False) -> None:
        """Set what the user prefers: the dark scheme, and no motion."""
        features = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce" if still else "no-preference"}
        self.send("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()])

    def close(self) -> None:
        """Close the page."""
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._context)

    def picture(self, whole: bool = False) -> bytes:
        """The window, or the whole page, as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """A browser while the with block runs; `profile` is an empty folder for its files."""
    program = find()
    assert program
    browser = Chromium(program, profile)
    try:
        yield browser
    finally:
        browser.close()
