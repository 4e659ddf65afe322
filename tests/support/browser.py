"""A person at the client, in real Chromium: reads the accessibility tree, taps, scans, types.

Flutter draws on a canvas; its accessibility tree is what a screen reader hears and what tests read.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

FLOOR = (360, 800)
QUEUE = (1280, 800)

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Tones must sound without a tap first, as they do in the app on a phone.
    "--autoplay-policy=no-user-gesture-required",
]
_CAMERA = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
WAIT_MS = 20_000
"""Longest wait for something to show: two cores are shared with the whole test run."""


class NoBrowserError(RuntimeError):
    """Chromium is not here. Carries the commands that bring it."""


def chromium_path() -> str | None:
    """Chromium on the path, or None: then Playwright's own is used if it was installed."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    return None


def start_chromium(playwright: Playwright, *, camera: Path | None = None) -> Browser:
    """Chromium without a window; `camera` is a Y4M file (yuv420p) that plays as the camera.

    Raises NoBrowserError with the command to type when there is none: never a silent skip.
    """
    arguments = list(_ARGUMENTS)
    if camera is not None:
        arguments += [*_CAMERA, f"--use-file-for-fake-video-capture={camera}"]
    path = chromium_path()
    if path is None and not Path(playwright.chromium.executable_path).exists():
        raise NoBrowserError(
            "no Chromium: `apt-get install chromium`, or `python -m playwright install chromium`"
        )
    return playwright.chromium.launch(executable_path=path, args=arguments)


@contextmanager
def a_person(
    browser: Browser, url: str, *, size: tuple[int, int] = FLOOR, has_camera: bool = False
) -> Iterator[Person]:
    """Somebody in front of the client, in a browser of their own."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    if has_camera:
        context.grant_permissions(["camera"])
    try:
        yield Person(context, url)
    finally:
        context.close()


IS_UNDER_A_KEY = """button => {
  const place = button.getBoundingClientRect();
  const over = document.elementFromPoint(place.x + place.width / 2, place.y + place.height / 2);
  const key = over && over.closest("[role=button]");
  const name = key && (key.getAttribute("aria-label") || key.textContent).trim();
  return Boolean(key) && key !== button && /^[0-9.,]$/.test(name);
}"""
"""Whether a key of a keypad (a digit, or the decimal sign) lies over the middle of a button."""


_AT_THE_CURSOR = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at;
}"""


class Person:
    """One tab: what is seen, and hands."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error}: {error.stack}"))
        self.open(url)

    def open(self, url: str | None = None) -> None:
        """Load the client and switch its accessibility tree on."""
        self.page.goto(url or self.url)
        self._listen()

    def reload(self) -> None:
        """The person reloads the page (or the client's process came back)."""
        self.page.reload()
        self._listen()

    def _listen(self) -> None:
        placeholder = "flt-semantics-placeholder"
        self.page.wait_for_selector(placeholder, state="attached", timeout=WAIT_MS)
        self.page.eval_on_selector(placeholder, "e => e.click()")
        self.page.wait_for_selector("flt-semantics[role]", timeout=WAIT_MS)

    # -- reading

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its words, or the beginning of them."""
        wanted = re.compile(f"^{re.escape(name)}", re.IGNORECASE) if isinstance(name, str) else name
        return self.page.get_by_role("button", name=wanted).first

    def text(self, words: str | re.Pattern[str]) -> Locator:
        """Something written or spoken on the screen."""
        return self.page.get_by_text(words).or_(self.page.get_by_label(words)).first

    def sees(self, words: str | re.Pattern[str], *, within_ms: int = WAIT_MS) -> None:
        """Wait until the words are on the screen."""
        expect(self.text(words)).to_be_attached(timeout=within_ms)

    def sees_button(self, name: str | re.Pattern[str], *, within_ms: int = WAIT_MS) -> None:
        """Wait until the button is there."""
        expect(self.button(name)).to_be_attached(timeout=within_ms)

    def screen(self) -> str:
        """All that is written on the screen now, for asserting and for failure messages."""
        return str(
            self.page.evaluate(
                """() => [...document.querySelectorAll('flt-semantics, flt-semantics *')]
                    .map(e => e.getAttribute('aria-label')
                        || (e.children.length ? '' : e.textContent)).filter(Boolean).join('\\n')"""
            )
        )

    def fits(self, size: tuple[int, int], *, smallest: int = 48) -> None:
        """Everything to press lies on the screen as a whole and is big enough for a finger."""
        self.page.wait_for_timeout(300)
        boxes: list[list[float]] = self.page.evaluate(
            """() => [...document.querySelectorAll('flt-semantics[role=button]')].map(e => {
                const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]})"""
        )
        assert boxes, "nothing can be pressed"
        for left, top, width, height in boxes:
            assert left >= -0.5, f"cut off on the left: {boxes}"
            assert left + width <= size[0] + 0.5, f"cut off on the right: {left} + {width}"
            assert min(width, height) >= smallest - 0.5, f"too small: {width} x {height}"
            # A list may be longer than the screen; whatever begins on it must be whole enough to press.
            assert 0 <= top < size[1], f"not on the screen: {top}"

    # -- doing

    def tap(self, name: str | re.Pattern[str]) -> None:
        """Tap a button. Fails if something lies over it, but for the old place of a keypad's key
        (see tap_exactly): then the tap goes to the button itself."""
        found = self.button(name)
        try:
            found.click(timeout=WAIT_MS)
        except PlaywrightTimeoutError:
            if not found.evaluate(IS_UNDER_A_KEY):
                raise
            found.dispatch_event("click", timeout=WAIT_MS / 4)

    def choose(self, label: str, item: str) -> None:
        """Open a list of choices, take one, and look whether it is the one that was taken."""
        self.tap(label)
        self.page.get_by_role("menuitemcheckbox", name=item, exact=True).click(timeout=WAIT_MS)
        self.sees_button(f"{label}: {item}")

    def tap_exactly(self, name: str) -> None:
        """Tap the button of exactly that name.

        Once in some twenty plays on a loaded machine Flutter's tree kept a key's old place, under
        its neighbour, until something else was drawn: then the tap goes to the key itself, as a
        screen reader's does.
        """
        key = self.page.get_by_role("button", name=name, exact=True)
        try:
            key.click(timeout=WAIT_MS / 4)
        except PlaywrightTimeoutError:
            key.dispatch_event("click", timeout=WAIT_MS)

    def fill(self, label: str, text: str) -> None:
        """Type into a field, in place of what stands there, and look whether it does.

        A field that had the cursor before the accessibility tree was switched on goes on in an element
        of its own, without a name; the one the tree shows stays empty then. So what counts is what the
        element with the cursor holds, if it is that field or has no name.
        """
        box = self.page.get_by_role("textbox", name=re.compile(f"^{re.escape(label)}", re.I)).first
        for patience in (150, 150, 300, 600, 1200, 2400):
            box.click(timeout=WAIT_MS)
            self.page.wait_for_timeout(patience)
            self.has_the_focus_back()
            if not self._is_the_cursor_in(label):
                continue
            self.page.keyboard.press("ControlOrMeta+A")
            self.page.keyboard.type(text, delay=10)
            self.page.wait_for_timeout(patience)
            if self._at_the_cursor() == text:
                return
        raise AssertionError(f"{label} does not take what is typed")

    def _is_the_cursor_in(self, label: str) -> bool:
        """Not in another field of a name."""
        name = self.page.evaluate(
            f"() => {{ const at = ({_AT_THE_CURSOR})();"
            " return at.getAttribute('aria-label') ?? at.getAttribute('placeholder') ?? ''; }"
        )
        return not name or name.lower().startswith(label.lower())

    def _at_the_cursor(self) -> str:
        """The text of the element that keys go to."""
        return str(self.page.evaluate(f"() => ({_AT_THE_CURSOR})()?.value ?? ''"))

    def write(self, label: str, text: str) -> None:
        """Type into a field key by key, as fast as a person: not before the cursor stands in it."""
        self.page.get_by_role("textbox", name=label).first.click(timeout=WAIT_MS)
        self.page.wait_for_timeout(200)
        self.has_the_focus_back()
        self.page.keyboard.type(text, delay=20)

    def scan(self, *codes: str, gap_ms: int = 150, key_ms: float = 2) -> None:
        """A hardware scanner types each code and Enter. No field is looked for: one is always ready.

        Nobody pulls a trigger within a tenth of a second after a tap; a test would.
        """
        self.page.wait_for_timeout(120)
        for code in codes:
            self.page.keyboard.type(code, delay=key_ms)
            self.page.keyboard.press("Enter")
            self.page.wait_for_timeout(gap_ms)

    def lose_focus(self) -> None:
        """The browser takes the focus from the scanner's field, and Flutter does not notice."""
        self.page.evaluate("document.querySelector('flutter-view').focus()")

    def has_the_focus_back(self) -> None:
        """Wait until what is typed goes into a field."""
        self.page.wait_for_function(
            f"() => ['INPUT', 'TEXTAREA'].includes(({_AT_THE_CURSOR})()?.tagName)", timeout=WAIT_MS
        )

    def enter_pin(self, pin: str) -> None:
        """The PIN on the keys of the screen."""
        for digit in pin:
            self.tap_exactly(digit)
        self.tap("Enter")

    def sign_in(self, name: str, pin: str) -> None:
        """Choose a name and type the PIN."""
        self.tap(name)
        self.sees(f"Hello {name}")
        self.enter_pin(pin)

    def picture(self, path: Path) -> Path:
        """What a person sees, as a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=path)
        return path
