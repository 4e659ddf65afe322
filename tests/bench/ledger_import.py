"""One import of the benchmark in a process of its own: prints its seconds and peak memory as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from server.clock import Rim
from server.services.importing.report import ImportKind
from server.services.importing.service import ImportRequest, import_file
from server.settings import Settings
from server.storage.opening import open_database


def main(folder: Path) -> None:
    """Import bins, SKUs and movements of the folder into its db.sqlite; only movements are timed."""
    rim = Rim()
    settings = Settings(database_url=f"sqlite:///{folder / 'db.sqlite'}")
    database = open_database(settings, rim.now())
    seconds = cpu_seconds = 0.0
    for kind in (ImportKind.BINS, ImportKind.SKUS, ImportKind.MOVEMENTS):
        path = folder / f"{kind.value}.csv"
        request = ImportRequest(kind=kind, path=path, name=path.name, actor="bench")
        started, cpu_started = time.perf_counter(), time.process_time()
        report = import_file(database, settings.site_id, request, rim)
        seconds = time.perf_counter() - started
        cpu_seconds = time.process_time() - cpu_started
        assert report.imported, report.errors[:3]
        assert report.negative_total == 0
    database.close()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": kilobytes / 1024}
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
