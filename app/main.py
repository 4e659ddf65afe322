"""Entry point of phone, desktop and web client. Binds its own folder to the name `app`; nothing else.

`flet build` ships the contents of this folder without its name, and runs this file as __main__, so
`import app.…` must be made to mean this folder before anything else is imported.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

if "app" not in sys.modules:
    spec = ModuleSpec("app", None, is_package=True)
    spec.submodule_search_locations = [str(Path(__file__).resolve().parent)]
    sys.modules["app"] = module_from_spec(spec)

from app.client import run

if __name__ == "__main__":
    run()
