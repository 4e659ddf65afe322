"""What pip cannot bring: libzbar, the libraries OpenCV links to, a browser for tests.

Run by make with the machine's own Python before anything is installed, so: standard library only.

    python3 -m server.cli.system_packages scanner browser

Each part is looked for first. What is missing is installed with apt (as root or with sudo) or brew;
where that is not possible the exact command to type is printed.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def has_library(*names: str) -> bool:
    """True when every shared library can be loaded (by soname, or by the linker's short name)."""
    return all(_loads(name) for name in names)


def _loads(name: str) -> bool:
    short = name.removeprefix("lib").split(".")[0].split("-2")[0]
    for candidate in (name, ctypes.util.find_library(short)):
        if candidate is None:
            continue
        try:
            ctypes.CDLL(candidate)
        except OSError:
            continue
        return True
    return False


def find_browser() -> str | None:
    """The path of a Chromium: on the path, a Mac application, or one that Playwright installed."""
    on_path = next((p for p in map(shutil.which, BROWSER_NAMES) if p), None)
    if on_path:
        return on_path
    for path in MAC_BROWSERS:
        if Path(path).exists():
            return path
    return _playwright_browser()


def _playwright_browser() -> str | None:
    caches = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")]
    caches += [
        str(Path.home() / ".cache/ms-playwright"),
        str(Path.home() / "Library/Caches/ms-playwright"),
    ]
    for cache in filter(None, caches):
        for pattern in (
            "chromium-*/chrome-linux*/chrome",
            "chromium-*/chrome-mac*/**/MacOS/Chromium",
        ):
            found = sorted(Path(cache).glob(pattern))
            if found:
                return str(found[-1])
    return None


@dataclass(frozen=True)
class Part:
    """One thing a machine must have: how to see it, what installs it, what it means without it."""

    name: str
    is_there: Callable[[], bool]
    apt: tuple[str, ...]
    brew: tuple[str, ...]
    without: str
    is_required: bool


PARTS = {
    part.name: part
    for part in (
        Part(
            "opencv",
            lambda: (
                sys.platform != "linux"
                or has_library("libGL.so.1", "libglib-2.0.so.0", "libgthread-2.0.so.0")
            ),
            ("libgl1", "libglib2.0-0"),
            (),
            "OpenCV cannot be loaded: the camera will not work.",
            True,
        ),
        Part(
            "scanner",
            lambda: has_library("libzbar.so.0" if sys.platform == "linux" else "libzbar.dylib"),
            ("libzbar0",),
            ("zbar",),
            "OpenCV alone reads barcodes, and fewer of them. Typing and hardware scanners work as before.",
            False,
        ),
        Part(
            "browser",
            # Playwright's own driver links to libatomic, which a minimal Debian has not.
            lambda: (
                find_browser() is not None
                and (sys.platform != "linux" or has_library("libatomic.so.1"))
            ),
            ("chromium", "libatomic1"),
            (),
            "The browser tests cannot run.",
            True,
        ),
    )
}


def install_command(part: Part) -> list[str] | None:
    """The command that installs a part here, or None where we know of none."""
    if part.apt and shutil.which("apt-get"):
        as_root = [] if os.geteuid() == 0 else ["sudo"]
        return [*as_root, "apt-get", "install", "-y", "--no-install-recommends", *part.apt]
    if part.brew and shutil.which("brew"):
        return ["brew", "install", *part.brew]
    return None


def _may_run(command: Sequence[str]) -> bool:
    if command[0] != "sudo":
        return True
    if shutil.which("sudo") is None:
        return False
    quiet = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return quiet.returncode == 0 or sys.stdin.isatty()


def ensure(part: Part) -> bool:
    """See that a part is there, installing it if that is possible. Says what it does."""
    if part.is_there():
        return True
    say(f"{part.name}: not on this machine yet")
    if part.name == "browser" and find_browser() is None and _install_playwright_browser():
        return True
    command = install_command(part)
    if command and _may_run(command) and _run_install(command) and part.is_there():
        say(f"{part.name}: installed")
        return True
    typed = (
        " ".join(command)
        if command
        else f"install {' '.join(part.brew or part.apt)} with your system's packages"
    )
    say(
        f"{part.name}: could not be installed from here. {part.without}\n  To add it, type:  {typed}"
    )
    return False


def _run_install(command: Sequence[str]) -> bool:
    say("  " + " ".join(command))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if "apt-get" in command:
        update = [*command[: command.index("apt-get")], "apt-get", "update", "-qq"]
        subprocess.run(update, env=environment, check=False, stdout=subprocess.DEVNULL)
    return (
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode
        == 0
    )


def _install_playwright_browser() -> bool:
    """Playwright's own Chromium, where its download is reachable; a closed network answers at once."""
    say("  playwright install chromium")
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and find_browser() is not None and _browser_starts()


def _browser_starts() -> bool:
    """Playwright brings the browser without the libraries it links to: only a start tells."""
    browser = find_browser()
    if browser is None:
        return False
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank"]
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def say(text: str) -> None:
    """One line for the person who typed make."""
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ensure the named parts; 1 when a required one is missing (or any, with --strict)."""
    parser = argparse.ArgumentParser(
        prog="system_packages", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("parts", nargs="+", choices=sorted(PARTS))
    parser.add_argument(
        "--strict", action="store_true", help="fail also for what one can do without"
    )
    options = parser.parse_args(arguments)
    missing = [PARTS[name] for name in options.parts if not ensure(PARTS[name])]
    return 1 if any(part.is_required or options.strict for part in missing) else 0


if __name__ == "__main__":
    sys.exit(main())
