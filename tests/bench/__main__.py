"""`make bench`: runs every bench_*.py beside this file (or those named) and prints their figures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from tests.bench.report import machine_line, print_figures

HERE = Path(__file__).parent


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests.bench.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main(names: list[str]) -> int:
    """Each module offers TITLE and `figures() -> list[Figure]`; names choose among them."""
    known = {p.stem.removeprefix("bench_"): p for p in sorted(HERE.glob("bench_*.py"))}
    unknown = [n for n in names if n not in known]
    if unknown:
        sys.stderr.write(
            f"no such benchmark: {', '.join(unknown)}. There are: {', '.join(known)}\n"
        )
        return 2
    sys.stdout.write(f"Measured on {machine_line()}.\n")
    for name in names or known:
        module = _load(known[name])
        print_figures(module.TITLE, module.figures())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
