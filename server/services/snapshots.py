"""The first load of a large site: one prebuilt file instead of hundreds of pages.

Built in the background, at most one at a time, and again when many changes have come since. A file is
given out only if the database knows that it was made of it: one from before a restore is of a time
that never was, however high its revision, and devices would fetch it again and again.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from pathlib import Path

from app.contract.problems import RefusalError
from app.contract.wire import SnapshotManifest
from server.clock import Rim
from server.services.epochs import ensure_epoch
from server.services.pulling import Cursor
from server.storage import changes, snapshot_files
from server.storage.engine import Database

log = logging.getLogger("blindcount.snapshots")
WORTH_IT_FROM = 20_000
"""Rows. Below it a device pulls pages: four requests."""
REBUILD_AFTER = 50_000
"""Changes since the file was built; a device pulls these as pages after the file."""
KEEP = 2
RETRY_SECONDS = 3
TRY_AGAIN_AFTER = timedelta(minutes=10)
"""A disk that was full, or a folder that could not be written, is tried again."""
_MADE = "snapshot "
"""Begins the name of the mark that stands in the database for each file made of it."""


class SnapshotStore:
    """The prebuilt files of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._builder: threading.Thread | None = None
        self._failed_at: datetime | None = None
        """When a file could not be built; None after one was."""

    def manifest(self, database: Database, site_id: str, *, rim: Rim) -> SnapshotManifest:
        """The newest file's manifest. Raises snapshot-none for a small site and for a while after a
        file could not be built (devices pull pages then), busy while it is built.

        A file that is behind is still given out while a new one is built.
        """
        epoch = ensure_epoch(database, site_id, rim)
        with database.read() as session:
            here = changes.position(session, site_id)
            live = changes.totals(session, site_id)
            made_here = changes.server_marks(session, site_id, _MADE)
        rows = sum(n for kind, (n, _) in live.items() if kind in snapshot_files.KINDS)
        if rows < WORTH_IT_FROM:
            raise RefusalError("snapshot-none")
        found = snapshot_files.newest(self.folder, epoch, made_here)
        if found is not None and found.rev < here.forgotten:
            found = None
        has_failed = self._failed_at is not None and rim.now() - self._failed_at < TRY_AGAIN_AFTER
        if not has_failed and (found is None or here.rev - found.rev > REBUILD_AFTER):
            self._begin(database, site_id, epoch, rim)
        if found is None and has_failed:
            raise RefusalError("snapshot-none")
        if found is None:
            raise RefusalError("busy", seconds=RETRY_SECONDS)
        return found

    def _begin(self, database: Database, site_id: str, epoch: str, rim: Rim) -> None:
        with self._lock:
            if self._builder is not None and self._builder.is_alive():
                return
            self._builder = threading.Thread(
                target=self._build_and_log, args=(database, site_id, epoch, rim), daemon=True
            )
            self._builder.start()

    def _build_and_log(self, database: Database, site_id: str, epoch: str, rim: Rim) -> None:
        try:
            self.build(database, site_id, epoch, rim)
            self._failed_at = None
        except Exception:
            self._failed_at = rim.now()
            log.exception("a snapshot could not be built; devices pull pages meanwhile")

    def build(self, database: Database, site_id: str, epoch: str, rim: Rim) -> SnapshotManifest:
        """Build a file of what is there now, and remove old ones."""
        with database.read() as session:
            rev = changes.position(session, site_id).rev
            made = snapshot_files.build(
                session,
                site_id,
                self.folder,
                epoch=epoch,
                cursor=Cursor(epoch=epoch, rev=rev, small=0, sure=rev).text(),
                rev=rev,
                name=rim.new_id().replace("-", ""),
            )
        with database.write() as session:
            changes.set_server_mark(session, site_id, f"{_MADE}{made.snapshot_id}", str(rev))
            kept = snapshot_files.newest_names(
                self.folder, changes.server_marks(session, site_id, _MADE), KEEP
            )
            for name in changes.server_marks(session, site_id, _MADE) - set(kept):
                changes.remove_server_mark(session, site_id, f"{_MADE}{name}")
            session.commit()
        snapshot_files.keep_only(self.folder, kept)
        return made

    def part(self, name: str, index: int) -> Path:
        """The file of a part. Raises not-found: ask for the manifest again."""
        path = snapshot_files.part_path(self.folder, name, index)
        if path is None:
            raise RefusalError("not-found", what="snapshot part", id=f"{name[:40]}/{index}")
        return path
