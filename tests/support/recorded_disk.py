"""A disk that writes down every write and sync, so that a power cut can be made at each of them.

SQLite's own file calls are recorded through an apsw VFS; the store itself is the real one, on a
connection of apsw's instead of the standard library's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from sqlalchemy import create_engine as sqlalchemy_create_engine

SECTOR = 512


@dataclass(frozen=True, slots=True)
class DiskOp:
    """One thing that was done to a file: write, truncate, sync or delete."""

    verb: str
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass
class Recording:
    """Everything in the order in which it was done."""

    ops: list[DiskOp] = field(default_factory=list)

    def sync_folder(self) -> None:
        """Names of files are durable from here on."""
        self.ops.append(DiskOp("sync", ""))

    def image(self, cut: int, chance: random.Random) -> dict[str, bytes]:
        """What may be on the disk after a power cut before operation `cut`.

        What was synced is there. Of what was not, each write is there, is missing, or is there up to
        a sector; in any combination, because a disk reorders.
        """
        done = self.ops[:cut]
        synced = {
            name: max(
                (i for i, op in enumerate(done) if op.verb == "sync" and op.name == name),
                default=-1,
            )
            for name in {op.name for op in done}
        }
        names = synced.get("", -1)
        files: dict[str, bytearray] = {}
        for i, op in enumerate(done):
            is_safe = i <= (names if op.verb == "delete" else synced[op.name])
            _apply(files, op, "all" if is_safe else chance.choice(["all", "none", "part"]), chance)
        return {name: bytes(content) for name, content in files.items() if name}


def _apply(files: dict[str, bytearray], op: DiskOp, much: str, chance: random.Random) -> None:
    content = files.setdefault(op.name, bytearray())
    if op.verb == "sync" or much == "none":
        return
    if op.verb == "delete":
        del files[op.name]
        return
    if op.verb == "truncate":
        del content[op.offset :]
        return
    data = op.data
    if much == "part":
        data = data[: chance.randrange(len(data) // SECTOR + 1) * SECTOR]
    end = op.offset + len(data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[op.offset : end] = data


class _RecordingFile(apsw.VFSFile):
    def __init__(self, base: str, filename: Any, flags: Any, recording: Recording) -> None:
        super().__init__(base, filename, flags)
        path = filename.filename() if isinstance(filename, apsw.URIFilename) else filename
        self._name = Path(path).name if path else ""
        self._recording = recording

    def _note(self, verb: str, offset: int = 0, data: bytes = b"") -> None:
        if self._name:
            self._recording.ops.append(DiskOp(verb, self._name, offset, data))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._note("write", offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._note("truncate", newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._note("sync")


class RecordingVfs(apsw.VFS):
    """The system's files, with everything written down."""

    def __init__(self, name: str, recording: Recording) -> None:
        self._recording = recording
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: Any) -> _RecordingFile:  # noqa: N802
        return _RecordingFile("", name, flags, self._recording)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        if "_recording" in self.__dict__:  # not while the interpreter clears up
            self._recording.ops.append(DiskOp("delete", Path(filename).name))
            if syncdir:
                self._recording.sync_folder()


class _Cursor:
    """What SQLAlchemy asks of a cursor, over apsw's."""

    arraysize = 1
    description: Any = None
    lastrowid: int | None = None
    rowcount = -1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    def execute(self, statement: str, parameters: Any = ()) -> _Cursor:
        cursor = self._connection.cursor()
        names: list[str] = []

        def trace(running: Any, _sql: str, _bindings: Any) -> bool:
            # Here also a query that finds nothing has a description.
            names.extend(d[0] for d in running.get_description())
            return True

        cursor.exec_trace = trace
        values = parameters if isinstance(parameters, dict) else tuple(parameters)
        found = cursor.execute(statement, values)
        self._rows = list(found)[::-1]
        self.description = [(n, None, None, None, None, None, None) for n in names] or None
        self.rowcount = self._connection.changes()
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, statement: str, rows: Any) -> _Cursor:
        for row in rows:
            self.execute(statement, row)
        return self

    def fetchone(self) -> Any:
        return self._rows.pop() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.pop() for _ in range(min(size or 1, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        return self.fetchmany(len(self._rows))

    def close(self) -> None:
        self._rows = []


class _Connection:
    """What SQLAlchemy and the store ask of a connection, over apsw's."""

    isolation_level: str | None = None

    def __init__(self, path: str, vfs: str) -> None:
        self._apsw = apsw.Connection(path, vfs=vfs)

    def cursor(self, *_args: Any) -> _Cursor:
        return _Cursor(self._apsw)

    def execute(self, statement: str, parameters: Any = ()) -> _Cursor:
        return self.cursor().execute(statement, parameters)

    def executemany(self, statement: str, rows: Any) -> _Cursor:
        return self.cursor().executemany(statement, rows)

    def create_function(self, *_args: Any, **_named: Any) -> None:
        """SQLAlchemy's REGEXP: the store has no use for it."""

    def _end(self, verb: str) -> None:
        if self._apsw.in_transaction:
            self.execute(verb)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def close(self) -> None:
        self._apsw.close()


def engines_over(vfs: str) -> Any:
    """A create_engine whose SQLite connections are on that VFS."""

    def create_engine(url: str, **options: Any) -> Any:
        path = url.removeprefix("sqlite:///")
        options.pop("connect_args", None)
        return sqlalchemy_create_engine(
            "sqlite://", creator=lambda: _Connection(path, vfs), **options
        )

    return create_engine
