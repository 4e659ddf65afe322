"""What befalls whole devices and the server: when, and how it is done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from sqlmodel import Session, select

from app.contract.wire import RefKind
from app.store.vault import FileVault
from server.storage.changes import forget_tombstones, record_changes
from server.storage.tables_access import PersonRow
from server.storage.tables_casework import CountTaskRow
from server.storage.tables_records import BarcodeRow, BinRow, SkuRow
from tests.simulation.templates import BINS, SITE
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from tests.simulation.sim_device import SimDevice
    from tests.simulation.world import World

NIGHT_MS = 8 * 3600_000
JUMPS_MS = (-86_400_000, -120_000, -1_000, 1_000, 120_000, 86_400_000, 10 * 365 * 86_400_000)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something happens at a second. Its dice are those of the history, or its own."""

    at: float
    kind: str
    rng: Random = field(compare=False)


def schedule(rng: Random, later: Random, weather: Weather) -> list[Moment]:
    """Everything that happens, in order; `later`: the dice of what was added later."""
    return sorted(
        [
            *_moments(rng, weather.events, weather.seconds),
            *_moments(later, weather.later_events, weather.seconds),
        ]
    )


def _moments(rng: Random, rates: dict[str, float], seconds: float) -> list[Moment]:
    moments: list[Moment] = []
    for kind, per_minute in rates.items():
        at = rng.expovariate(per_minute / 60)
        while at < seconds and len(moments) < 60:
            moments.append(Moment(at, kind, rng))
            at += rng.expovariate(per_minute / 60)
    return moments


def happen(world: World, kind: str, rng: Random) -> None:
    """Let it happen."""
    world.note("fate", kind)
    device = rng.choice(world.devices)
    match kind:
        case "restart_app":
            device.kill("swiped away")
            device.start_later()
        case "reboot":
            device.kill("battery")
            device.clock.reboot()
            device.start_later()
        case "suspend":
            device.suspended_until_ms = world.now_ms + rng.choice((3_000, 20_000))
        case "night":
            for each in world.devices:
                each.suspended_until_ms = world.now_ms + NIGHT_MS
            world.slept += NIGHT_MS / 1000
            world.night_until = world.loop.time() + NIGHT_MS / 1000
        case "set_clock":
            device.clock.jump(rng.choice(JUMPS_MS))
        case "clog":
            for each in world.devices:
                each.away_until_ms = world.now_ms + rng.choice((5_000, 30_000))
        case "image":
            device.take_image()
        case "image_restored":
            if not device.restore_image():
                device.take_image()  # the next one finds something
        case "clone":
            clone_device(world, device)
        case "lose_reference":
            lose_file(device, "ref.db")
        case "lose_vault":
            lose_file(device, "vault.json")
        case _:
            happen_to_server(world, kind, rng)


def happen_to_server(world: World, kind: str, rng: Random) -> None:
    """The same for the server and its data."""
    server = world.server
    match kind:
        case "server_restart":
            server.crash()
            world.checks.after_server_start()
        case "backup":
            server.backup()
        case "restore" | "silent_restore":
            if server.restore(silently=kind == "silent_restore"):
                world.is_restored_unsaid |= kind == "silent_restore"
                world.checks.after_server_restore()
            else:
                server.backup()  # the next restore finds something
        case "revoke":
            world.note("revoked", server.revoke_one())
        case "change_reference":
            change_reference(world, rng)
        case "change_tasks":
            change_tasks(world, rng)
        case "forget_tombstones":
            with server.database.write() as session:
                forget_tombstones(session, SITE, max(0, server.rev - rng.randrange(3)))
                session.commit()
        case _:
            raise ValueError(kind)


def clone_device(world: World, device: SimDevice) -> None:
    """Somebody copies the storage to a second device, and both go on."""
    if len(world.devices) >= 10 or device.process is None:
        return
    other = world.add_device(f"{device.name}x{len(world.devices)}", like=device)
    other.clock.like(device.clock)
    other.start()
    world.background(_work_once(other))


async def _work_once(device: SimDevice) -> None:
    await device.burst()


def lose_file(device: SimDevice, name: str) -> None:
    """The key store forgot, or the cache was cleared; the app starts again without it."""
    device.kill(f"{name} lost")
    if name == "vault.json":
        FileVault(device.folder / name).put("device_token", None)
    else:
        for path in device.folder.glob("ref*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copyfile(device.world.templates / name, device.folder / name)
    device.start_later()


def change_reference(world: World, rng: Random) -> None:
    """Somebody edits the site's records, in one transaction."""
    number = rng.randrange(10_000)
    with world.server.database.write() as session:
        match rng.choice(("bin", "sku", "unprint", "person", "task", "task_done", "move")):
            case "bin":
                session.add(BinRow(site_id=SITE, bin=f"N-{number}", barcode=f"LOC-N-{number}"))
                record_changes(session, SITE, RefKind.BIN, [f"N-{number}"])
            case "sku":
                sku = f"T{number}"
                session.add(SkuRow(site_id=SITE, sku=sku, description=sku, cost_set_us=0))
                session.flush()
                session.add(BarcodeRow(site_id=SITE, barcode=f"5{number}", sku=sku))
                record_changes(session, SITE, RefKind.SKU, [sku])
                record_changes(session, SITE, RefKind.BARCODE, [f"5{number}\x1f{sku}"])
            case "unprint":
                row = session.exec(select(BarcodeRow).limit(1)).first()
                if row is not None:
                    record_changes(session, SITE, RefKind.BARCODE, [f"{row.barcode}\x1f{row.sku}"])
                    session.delete(row)
            case "person":
                row = session.get(PersonRow, (SITE, "cleo"))
                assert row is not None
                row.is_active = not row.is_active
                record_changes(session, SITE, RefKind.USER, ["cleo"])
            case "task":
                _add_task(world, session, rng.choice(BINS), f"task-{number}")
            case "task_done":
                row = session.exec(
                    select(CountTaskRow).where(CountTaskRow.state == "planned").limit(1)
                ).first()
                if row is not None:
                    row.state = "cancelled"
                    record_changes(session, SITE, RefKind.TASK, [row.task_id], "del")
            case "move":
                row = session.get(BinRow, (SITE, rng.choice(BINS)))
                assert row is not None
                row.walk_order = number
                record_changes(session, SITE, RefKind.BIN, [row.bin])
        session.commit()


def change_tasks(world: World, rng: Random) -> None:
    """A bin is planned, or if it was, its task is called off: devices must hear of both."""
    bin_code, number = rng.choice(BINS), rng.randrange(10_000)
    with world.server.database.write() as session:
        planned = session.exec(
            select(CountTaskRow).where(
                CountTaskRow.bin == bin_code, CountTaskRow.state == "planned"
            )
        ).first()
        if planned is None:
            _add_task(world, session, bin_code, f"later-{number}")
        else:
            planned.state = "cancelled"
            record_changes(session, SITE, RefKind.TASK, [planned.task_id], "del")
        session.commit()


def _add_task(world: World, session: Session, bin_code: str, task_id: str) -> None:
    taken = session.exec(
        select(CountTaskRow).where(CountTaskRow.bin == bin_code, CountTaskRow.state == "planned")
    ).first()
    if taken is None and session.get(CountTaskRow, (SITE, task_id)) is None:
        session.add(
            CountTaskRow(
                site_id=SITE,
                task_id=task_id,
                bin=bin_code,
                created_us=world.now_ms * 1000,
                created_by="sue",
            )
        )
        record_changes(session, SITE, RefKind.TASK, [task_id])
