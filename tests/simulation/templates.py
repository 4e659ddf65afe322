"""Files every history starts from, made once and copied: migrating and hashing PINs is slow."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine

from app.contract.vocabulary import Role
from app.contract.wire import RefKind
from app.store import database as device_database
from app.store.database import LocalFile
from app.store.migrations import migrate
from app.store.reference import Reference
from server.clock import Rim
from server.services import access
from server.services.access import NewPerson
from server.services.epochs import ensure_epoch
from server.storage import engine as server_engine
from server.storage.changes import record_changes
from server.storage.engine import Database
from server.storage.migrate import upgrade
from server.storage.records import ensure_site
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow
from tests.simulation.virtual import START_MS

SITE = "main"
BINS = ("A-01", "A-02", "A-03", "B-01")
SKUS = ("S1", "S2", "S3")


_dialects: dict[str, tuple[Any, Any]] = {}


@contextmanager
def shared_sql() -> Iterator[None]:
    """Within it every engine uses one cache of compiled statements.

    A process of the product opens one engine and compiles once; a simulation opens thousands.
    """
    modules: Any = (device_database, server_engine)
    makes = [module.create_engine for module in modules]
    for module, make in zip(modules, makes, strict=True):
        module.create_engine = _sharing(module.__name__, make)
    try:
        yield
    finally:
        for module, make in zip(modules, makes, strict=True):
            module.create_engine = make


def _sharing(name: str, make: Callable[..., Engine]) -> Callable[..., Engine]:
    def create(*args: Any, **options: Any) -> Engine:
        engine = make(*args, **options)
        dialect, cache = _dialects.setdefault(name, (engine.dialect, engine._compiled_cache))
        engine.dialect, engine._compiled_cache = dialect, cache
        return engine

    return create


def fast_folder() -> Path:
    """A folder in memory where there is one: the disk is not what is being proved here."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="simulation-", dir=shm if shm.is_dir() else None))


def make_templates(folder: Path) -> None:
    """`server.sqlite`, `ops.db` and `ref.db` in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_server(folder / "server.sqlite")
    ops = LocalFile(folder / "ops.db")
    migrate(ops)
    ops.close()
    Reference.open(folder).close()


def _make_server(path: Path) -> None:
    at = datetime.fromtimestamp(START_MS / 1000, UTC)
    rim = Rim(now=lambda: at, random=Random(0).randbytes)
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    with database.write() as session:
        ensure_site(session, SITE, "Main warehouse", "EUR", at)
        session.commit()
    people = [("ana", "481516"), ("ben", "234200"), ("cleo", "108108")]
    access.add_people(
        database,
        SITE,
        [NewPerson(user_id=i, name=i.title(), role=Role.COUNTER, pin=p) for i, p in people],
        rim=rim,
    )
    with database.write() as session:
        session.add_all(
            BinRow(site_id=SITE, bin=b, barcode=f"LOC-{b}", walk_order=i)
            for i, b in enumerate(BINS)
        )
        session.add_all(
            SkuRow(site_id=SITE, sku=s, description=f"Article {s}", cost_set_us=START_MS * 1000)
            for s in SKUS
        )
        session.flush()
        session.add_all(BarcodeRow(site_id=SITE, barcode=f"4000{s}", sku=s) for s in SKUS)
        record_changes(session, SITE, RefKind.BIN, BINS)
        record_changes(session, SITE, RefKind.SKU, SKUS)
        record_changes(session, SITE, RefKind.BARCODE, [f"4000{s}\x1f{s}" for s in SKUS])
        session.commit()
    ensure_epoch(database, SITE, rim)
    database.close()
    whole = sqlite3.connect(path)
    whole.execute("PRAGMA journal_mode=DELETE")
    whole.close()
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def copy_live(source: Path, target: Path) -> None:
    """A SQLite file as a kill leaves it: what was written, without what was in memory."""
    for suffix in ("", "-wal"):
        piece = Path(f"{source}{suffix}")
        if piece.exists():
            shutil.copyfile(piece, f"{target}{suffix}")


def remove_file(path: Path) -> None:
    """The file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
