"""An environment of its own for each peer under .bench/: made once, made anew when a version changes.

Nothing of a peer is imported by Blindcount or installed beside it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / ".bench"
INSIDE = Path(__file__).parent / "inside"
NODE_MIN = 18
"""Oldest Node that PouchDB 9 is said to run on."""
INSTALL_SECONDS_MAX = 900


class PeerMissingError(RuntimeError):
    """A peer cannot be measured here. Its words say what is missing, what that means, what to do."""


def say(text: str) -> None:
    """A line of progress; standard error, so that the table stays clean."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def tryton_python() -> Path:
    """The Python of the environment that has Tryton in it."""
    folder, wanted = HOME / "tryton", INSIDE / "requirements.txt"
    python = folder / "bin" / "python"
    if _is_ready(folder, wanted):
        return python
    say(f"Making {folder}: Tryton from PyPI (half a minute the first time) ...")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerMissingError(
            f"Tryton cannot be measured: no virtual environment could be made ({error}). "
            "Type: sudo apt-get install python3-venv, then make bench-peers."
        ) from error
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-r", wanted]
    _install("Tryton", "PyPI", pip, folder)
    return _made(folder, wanted) / "bin" / "python"


def pouchdb_modules() -> Path:
    """The node_modules that has PouchDB and express-pouchdb in it."""
    folder, wanted = HOME / "pouchdb", INSIDE / "package.json"
    node()
    if _is_ready(folder, wanted):
        return folder / "node_modules"
    npm = _program("npm")
    say(f"Making {folder}: PouchDB from npm (half a minute the first time) ...")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(wanted, folder / wanted.name)
    _install("PouchDB", "the npm registry", [npm, "install", "--no-audit", "--no-fund"], folder)
    return _made(folder, wanted) / "node_modules"


def node() -> str:
    """The path of a Node that is new enough."""
    found = _program("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").split(".")[0]) < NODE_MIN:
        raise PeerMissingError(
            f"PouchDB cannot be measured: it needs Node {NODE_MIN} or newer and {found} is "
            f"{version.stdout.strip()}. Install a newer one, then: make bench-peers"
        )
    return found


def run_inside(
    peer: str, command: Sequence[object], env: Mapping[str, str], *, seconds_max: float
) -> str:
    """Run a peer's own program; what it printed. Its progress goes straight to the screen.

    Raises PeerMissingError when it fails or takes longer than `seconds_max`.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=dict(env),
            stdout=subprocess.PIPE,
            text=True,
            timeout=seconds_max,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise PeerMissingError(
            f"{peer} could not be measured: its program ended with code {error.returncode}; its "
            f"words are above. Remove {HOME} and type: make bench-peers"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(
            f"{peer} could not be measured: not done after {seconds_max:.0f} s. Is the machine "
            "busy with something else? Try again: make bench-peers"
        ) from error
    return done.stdout


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PeerMissingError(
            f"PouchDB cannot be measured: there is no `{name}` here. Type: "
            "sudo apt-get install nodejs npm (or: brew install node), then make bench-peers."
        )
    return found


def _install(peer: str, source: str, command: Sequence[object], folder: Path) -> None:
    """Run an installer in the folder, naming each package as it is fetched."""
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        limit = threading.Timer(INSTALL_SECONDS_MAX, process.kill)
        limit.start()
        lines = []
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if line.startswith("Collecting "):
                say(f"  getting {line.split()[1]}")
        code = process.wait()
        limit.cancel()
    if code != 0:
        raise PeerMissingError(
            "\n".join(lines[-8:])
            + f"\n{peer} cannot be measured: its packages could not be installed from {source} "
            "(see above). Is there a network, and a proxy set if one is needed? Then: make bench-peers"
        )


def _is_ready(folder: Path, wanted: Path) -> bool:
    """True when the folder was finished with exactly these versions."""
    stamp = folder / ".ready"
    return stamp.exists() and stamp.read_bytes() == wanted.read_bytes()


def _made(folder: Path, wanted: Path) -> Path:
    shutil.copyfile(wanted, folder / ".ready")
    return folder
