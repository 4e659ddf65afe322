"""What the device knows of the site: bins, SKUs, barcodes, tasks, people. Rebuildable at any time.

Its loss costs a download, never a count. It holds no expected quantity of anything.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from app.contract.reference_schema import REFERENCE_DDL, REFERENCE_SCHEMA
from app.contract.vocabulary import RecordState
from app.contract.wire import (
    Change,
    Checkpoint,
    RefBarcode,
    RefBin,
    RefSku,
    RefTask,
    RefUser,
    Reply,
    SnapshotManifest,
)
from app.store import reference_writes
from app.store.database import LocalFile, fold_sidecars
from app.store.errors import StoreDamagedError
from app.store.snapshot import Download

REFERENCE_FILE = "ref.db"
ASIDE_FILE = "ref.new.db"
DOWNLOAD_FOLDER = "ref.download"
SEARCH_CHARS_MIN = 2
_GTIN_LENGTHS = (8, 12, 13, 14)
_IN_USE = f"state <> '{RecordState.RETIRED}'"
R = TypeVar("R", bound=Reply)


class Reference:
    """The reference file, opened. Every look-up reads the disk: memory does not grow with the catalogue."""

    def __init__(self, folder: Path, file: LocalFile) -> None:
        self._folder = folder
        self._file = file
        self._aside: Reference | None = None

    @classmethod
    def open(cls, folder: Path | str) -> Reference:
        """Open or make the file; an unreadable or foreign one is replaced by an empty one."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        reference = cls(folder, _open_or_remake(folder / REFERENCE_FILE))
        if (folder / ASIDE_FILE).exists():  # a rebuild was under way: go on where it was
            reference._aside = cls(folder, _open_or_remake(folder / ASIDE_FILE))
        return reference

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        if self._aside is not None:
            self._aside.close()

    # -- looking up

    @property
    def is_ready(self) -> bool:
        """True once a first load was complete and verified: before it no task is begun."""
        return self._mark(reference_writes.READY) is not None

    def bin(self, code: str) -> RefBin | None:
        """The bin of that code."""
        return self._one(RefBin, "bin", "WHERE bin = ?", code)

    def bin_by_barcode(self, text: str) -> RefBin | None:
        """The bin whose label says `text`, or whose code is typed; None when there is none."""
        found = self._one(RefBin, "bin", f"WHERE barcode = ? AND {_IN_USE} LIMIT 1", text)
        return found or self.bin(text)

    def bins(self) -> list[RefBin]:
        """All bins in use, in walking order."""
        return self._all(RefBin, "bin", f"WHERE {_IN_USE} ORDER BY walk_order, bin")

    def sku(self, code: str) -> RefSku | None:
        """The SKU of that code."""
        return self._one(RefSku, "sku", "WHERE sku = ?", code)

    def barcodes(self, text: str) -> list[RefBarcode]:
        """Every (SKU, pack) a barcode stands for; a GTIN is found with and without its padding zeros."""
        spellings = _spellings(text)
        marks = ", ".join("?" * len(spellings))
        return self._all(
            RefBarcode, "barcode", f"WHERE barcode IN ({marks}) ORDER BY sku", *spellings
        )

    def barcodes_of(self, sku: str) -> list[RefBarcode]:
        """The packs of a SKU, smallest first."""
        rows = self._all(RefBarcode, "barcode", "WHERE sku = ?", sku)
        return sorted(rows, key=lambda b: float(b.factor))

    def search_skus(self, text: str, limit: int = 20) -> list[RefSku]:
        """SKUs whose code begins with, or whose description contains, the text; codes first."""
        wanted = text.strip()
        if len(wanted) < SEARCH_CHARS_MIN:
            return []
        like = r"LIKE ? ESCAPE '\'"
        tail = f"AND {_IN_USE} ORDER BY sku LIMIT {int(limit)}"
        words = [f"%{_as_written(word)}%" for word in wanted.split()]
        has_all = " AND ".join([f"description {like}"] * len(words))
        by_code = self._all(RefSku, "sku", f"WHERE sku {like} {tail}", f"{_as_written(wanted)}%")
        by_words = self._all(RefSku, "sku", f"WHERE {has_all} {tail}", *words)
        found = {row.sku: row for row in (*by_code, *by_words)}
        return list(found.values())[:limit]

    def task(self, task_id: str) -> RefTask | None:
        """The task of that id."""
        return self._one(RefTask, "task", "WHERE task_id = ?", task_id)

    def tasks_for(self, user_id: str) -> list[RefTask]:
        """Tasks given to this person, and those that are anybody's, in walking order."""
        return self._all(
            RefTask,
            "task",
            "WHERE assigned_to IS NULL OR assigned_to = ? ORDER BY walk_order, bin, task_id",
            user_id,
        )

    def users(self) -> list[RefUser]:
        """Who may sign in here, by name."""
        return self._all(RefUser, "user", "ORDER BY name, user_id")

    def user(self, user_id: str) -> RefUser | None:
        """The person of that id."""
        return self._one(RefUser, "user", "WHERE user_id = ?", user_id)

    def _all(self, message: type[R], table: str, rest: str, *values: object) -> list[R]:
        """Rows of a table as messages. The driver's own call: every scan asks something of this kind."""
        names = tuple(message.model_fields)
        with self._file.exclusive() as db:
            rows = db.execute(f"SELECT {', '.join(names)} FROM {table} {rest}", values).fetchall()
        return [message(**dict(zip(names, row, strict=True))) for row in rows]

    def _one(self, message: type[R], table: str, rest: str, *values: object) -> R | None:
        return next(iter(self._all(message, table, rest, *values)), None)

    def _mark(self, name: str) -> str | None:
        with self._file.exclusive() as db:
            row = db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    # -- following the server

    def cursor(self) -> str | None:
        """How far the server was followed; None before the first page."""
        return self._mark(reference_writes.CURSOR)

    def apply_page(
        self,
        changes: Sequence[Change],
        *,
        cursor: str,
        checkpoint: Checkpoint | None,
        has_more: bool,
    ) -> bool:
        """Apply one page and its cursor in one transaction; False when the checksum does not match.

        After False the file is as it was; the caller fetches everything anew.
        """
        try:
            with self._file.write_rows() as db:
                reference_writes.apply_changes(db, changes)
                if checkpoint is not None:
                    reference_writes.compare(db, checkpoint)
                reference_writes.mark(db, reference_writes.CURSOR, cursor)
                if not has_more:
                    reference_writes.mark(db, reference_writes.READY, "1")
        except reference_writes.ChecksumError:
            return False
        return True

    def verify(self) -> bool:
        """Recompute every total from the rows themselves; False: fetch everything anew."""
        with self._file.exclusive() as db:
            return reference_writes.is_consistent(db)

    def rebuild(self) -> Reference | None:
        """The new file being filled aside, or None while this one is simply followed.

        A device that has nothing yet fills its own file.
        """
        return self._aside

    def begin_rebuild(self) -> Reference:
        """Fill a new file from the start; this one stays in use until the new one is complete."""
        if self._aside is not None:
            self._aside.close()
        path = self._folder / ASIDE_FILE
        _remove(path)
        self._aside = Reference(self._folder, _open_file(path))
        return self._aside

    def download(self) -> Download:
        """Where a prebuilt file's parts are collected."""
        return Download(self._folder / DOWNLOAD_FOLDER)

    def rebuild_from(self, manifest: SnapshotManifest) -> Reference:
        """Begin a rebuild with a downloaded file instead of an empty one.

        Raises SnapshotDamagedError when it is not what the manifest says. Not ready until the people
        and tasks that such a file does not hold have been pulled.
        """
        path = self._folder / ASIDE_FILE
        work = self._folder / f"{ASIDE_FILE}.work"
        self.download().assemble(manifest, work)
        with closing(sqlite3.connect(work)) as db, db:
            # In the same step as the name by which it is found: half of it is never followed.
            db.execute("INSERT INTO mark VALUES (?, ?)", (reference_writes.CURSOR, manifest.cursor))
        if self._aside is not None:
            self._aside.close()
            self._aside = None
        _remove(path)
        work.replace(path)
        self.download().discard()
        self._aside = Reference(self._folder, _open_file(path))
        return self._aside

    def adopt_rebuild(self) -> None:
        """The new file is complete: it takes this one's place; a kill leaves the old or the new."""
        if self._aside is None:
            return
        self._aside.close()
        self._aside = None
        # In one file, so that the rename takes all of it: no half of it is left in a sidecar.
        aside, path = self._folder / ASIDE_FILE, self._file.path
        fold_sidecars(aside)
        with self._file.replacing():
            _remove_sidecars(path)
            aside.replace(path)

    def begin_for_another_key(self) -> None:
        """This device has another PIN key: the people held here cannot sign in, others take their place.

        They go at once, and until others are here the device is not ready: a right PIN would be called
        wrong. Bins and SKUs stay in use for a count under way. Should the new file be lost, this one
        has no cursor any more and is filled from the start, people included.
        """
        with self._file.write_rows() as db:
            reference_writes.forget_people(db)
        self.begin_rebuild()

    def start_afresh(self) -> None:
        """Empty the file: the device now belongs to another server."""
        with self._file.write_rows() as db:
            reference_writes.empty(db)


def _open_or_remake(path: Path) -> LocalFile:
    try:
        return _open_file(path)
    except StoreDamagedError:
        _remove(path)
        return _open_file(path)


def _open_file(path: Path) -> LocalFile:
    # NORMAL: after a power cut the last page may be missing, never torn; it is fetched again.
    file = LocalFile(path, synchronous="NORMAL")
    with file.write_rows() as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version not in (0, REFERENCE_SCHEMA):
            raise StoreDamagedError(f"reference schema {version} is not ours")
        for statement in REFERENCE_DDL:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {REFERENCE_SCHEMA}")
    return file


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_sidecars(path)


def _remove_sidecars(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _spellings(text: str) -> list[str]:
    """The text itself, and for a GTIN its other lengths: UPC-A is EAN-13 with a leading zero."""
    if not (text.isascii() and text.isdigit() and len(text) in _GTIN_LENGTHS):
        return [text]
    bare = text.lstrip("0")
    return [text, *(bare.zfill(n) for n in _GTIN_LENGTHS if len(bare) <= n != len(text))]


def _as_written(text: str) -> str:
    r"""The text within a LIKE pattern whose escape is \."""
    return re.sub(r"([\\%_])", r"\\\1", text)
