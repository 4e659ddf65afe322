"""A prebuilt reference file on its way in: parts as they came, resumed after a cut at any byte.

Nothing of it is in use until every part and the whole file were verified; then it becomes the file a
rebuild goes on with (people and tasks are still to be pulled).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.contract.reference_schema import REFERENCE_SCHEMA
from app.contract.wire import SnapshotManifest

_GZIP = 16 + zlib.MAX_WBITS
_CHUNK = 64 * 1024
_PLAIN = 256 * 1024
"""Inflated at once: gzip may make a thousand bytes of one, and the largest piece is what memory grows by."""


class SnapshotDamagedError(Exception):
    """What arrived is not what the manifest says: it is thrown away and fetched anew."""


class Download:
    """The parts of one snapshot in a folder of their own. Its progress is what is on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, manifest: SnapshotManifest) -> None:
        """Go on with this snapshot; parts of another one are removed."""
        path = self._folder / "manifest.json"
        known = self.manifest()
        if known is not None and known.snapshot_id == manifest.snapshot_id:
            return
        self.discard()
        self._folder.mkdir(parents=True)
        path.write_text(manifest.model_dump_json(), "utf-8")

    def manifest(self) -> SnapshotManifest | None:
        """The snapshot under way, or None."""
        try:
            return SnapshotManifest.model_validate_json(
                (self._folder / "manifest.json").read_bytes()
            )
        except (OSError, ValueError):
            return None

    def discard(self) -> None:
        """Forget what was fetched."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def missing(self, manifest: SnapshotManifest) -> tuple[int, int] | None:
        """(part, byte in it) to go on from; None when every part is there."""
        for part in manifest.parts:
            have = self._size(part.index)
            if have < part.size:
                return part.index, have
        return None

    def add(self, index: int, chunk: bytes) -> None:
        """Bytes of a part, as they come from the network."""
        with self._path(index).open("ab") as file:
            file.write(chunk)

    def check_part(self, manifest: SnapshotManifest, index: int) -> None:
        """Raises SnapshotDamagedError, after removing it, for a part that is not what it should be."""
        part = manifest.parts[index]
        path = self._path(index)
        if path.stat().st_size == part.size:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == part.sha256:
                    return
        path.unlink()
        raise SnapshotDamagedError(f"part {index} is damaged")

    def assemble(self, manifest: SnapshotManifest, target: Path) -> None:
        """Inflate the parts into `target`, verified and on the disk. Raises SnapshotDamagedError."""
        machine, digest, size = zlib.decompressobj(_GZIP), hashlib.sha256(), 0
        with target.open("wb") as sink:
            for part in manifest.parts:
                with self._path(part.index).open("rb") as source:
                    for plain in _inflated(machine, source):
                        size += len(plain)
                        if size > manifest.size:
                            raise SnapshotDamagedError("larger than announced")
                        digest.update(plain)
                        sink.write(plain)
            sink.flush()
            os.fsync(sink.fileno())
        if digest.hexdigest() != manifest.sha256 or not _is_sound(target):
            target.unlink()
            self.discard()
            raise SnapshotDamagedError("the file is not what the manifest says")

    def _path(self, index: int) -> Path:
        return self._folder / f"part-{index:05d}"

    def _size(self, index: int) -> int:
        try:
            return self._path(index).stat().st_size
        except OSError:
            return 0


def _inflated(machine: zlib._Decompress, source: BinaryIO) -> Iterator[bytes]:
    """The part's plain bytes, in pieces of the same size whatever they were packed into."""
    try:
        while chunk := source.read(_CHUNK):
            while chunk:
                yield machine.decompress(chunk, _PLAIN)
                chunk = machine.unconsumed_tail
    except zlib.error as error:
        raise SnapshotDamagedError(str(error)) from error


def _is_sound(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            return bool(
                version == REFERENCE_SCHEMA
                and db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            )
    except sqlite3.Error:
        return False
