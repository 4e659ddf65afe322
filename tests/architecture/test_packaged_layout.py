"""What `flet build` ships must run: the contents of app/ alone, without its name, without the server.

On the phone Flet unpacks the contents of app/ into some folder, puts that folder first on the path and
runs main.py as __main__; of the packages there are only those of [project].dependencies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEVER_ON_A_PHONE = (
    "server",
    "fastapi",
    "starlette",
    "uvicorn",
    "alembic",
    "psycopg",
    "reportlab",
    "openpyxl",
    "typer",
    "rich",
    "segno",
    "prometheus_client",
    "zxingcpp",
    "flet_web",
    "pytest",
    "playwright",
)

# Runs in a new interpreter, as the phone's does: nothing of the repository is on its path.
PHONE = """
import asyncio, runpy, sys
from pathlib import Path

folder, blocked = Path(sys.argv[1]), set(sys.argv[2].split(","))


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"not on a phone: {name}")
        return None


sys.meta_path.insert(0, Missing())
sys.path[:] = [str(folder)] + [p for p in sys.path if p and "site-packages" in p or "python3" in p]

import flet as ft

started = {}
ft.run = lambda main, **named: started.update(main=main, **named)
runpy.run_path(str(folder / "main.py"), run_name="__main__")

import app
from app.contract import wire

assert Path(list(app.__path__)[0]) == folder, app.__path__
assert Path(wire.__file__).is_relative_to(folder), wire.__file__
for name in [n for n in sys.modules if n.split(".")[0] in ("contract", "screens", "counting", "store")]:
    raise AssertionError(f"{name} was imported under a second name")
assert Path(started["assets_dir"]) == folder / "assets"
assert (folder / "assets" / "tones" / "reject.wav").exists()

exec(Path(sys.argv[3]).read_text(encoding="utf-8"))


async def first_screen():
    from flet.controls.context import _context_page

    phone = Headless(web=False)
    phone.open()
    _context_page.set(phone.page)
    await started["main"](phone.page)
    for _ in range(5):
        await phone.settle()
    return phone


phone = asyncio.run(first_screen())
assert phone.crashes == [], phone.crashes
assert "Set up this device" in phone.texts(), phone.texts()
assert not blocked & {name.split(".")[0] for name in sys.modules}
print("first screen:", phone.texts()[0])
"""


def run_phone(folder: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Start the packaged client far enough to draw its first screen."""
    script = tmp_path / "phone.py"
    script.write_text(textwrap.dedent(PHONE), encoding="utf-8")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME") and not name.startswith("BLINDCOUNT_")
    }
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    environment |= {"FLET_APP_STORAGE_DATA": str(data), "PYTHONDONTWRITEBYTECODE": "1"}
    headless = ROOT / "tests" / "support" / "headless.py"
    return subprocess.run(
        [sys.executable, "-I", str(script), str(folder), ",".join(NEVER_ON_A_PHONE), str(headless)],
        cwd=data,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["flet_app_1"])
def test_the_packaged_folder_draws_its_first_screen_without_the_repository(
    tmp_path: Path, name: str
):
    folder = tmp_path / name
    shutil.copytree(ROOT / "app", folder, ignore=shutil.ignore_patterns("__pycache__"))

    result = run_phone(folder, tmp_path)

    assert result.returncode == 0, result.stderr[-3000:]
    assert "first screen:" in result.stdout
    assert (tmp_path / "data" / "ops.db").exists(), "the store is where the platform keeps data"
    assert not list(folder.rglob("*.db")), "the app's own folder is read-only on a phone"


def test_the_blocked_packages_are_really_blocked(tmp_path: Path):
    folder = tmp_path / "app"
    shutil.copytree(ROOT / "app", folder, ignore=shutil.ignore_patterns("__pycache__"))
    entry = folder / "client.py"
    entry.write_text(entry.read_text(encoding="utf-8") + "\nimport fastapi\n", encoding="utf-8")

    result = run_phone(folder, tmp_path)

    assert result.returncode != 0
    assert "not on a phone: fastapi" in result.stderr
