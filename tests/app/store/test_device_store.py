"""What a person confirmed is on the disk, numbered, chained and unchangeable."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.contract.codec import hash_event
from app.contract.count_fold import CountStatus, LineKey
from app.contract.events import (
    GENESIS_HASH,
    BinClosed,
    BinLeft,
    BinOpened,
    EventVoided,
    NoteAdded,
)
from app.contract.ids import is_uuid7
from app.contract.rescue import read_rescue
from app.contract.wire import EventResult, Result
from app.store.device_store import OPS_FILE, DeviceStore
from app.store.event_log import EventDraft
from app.store.pins import PinVerdict
from tests.support.device import FakeClock, a_store, a_user, enrolled, seeded
from tests.support.events import an_id, counted

COUNT = an_id(7)


def draft(payload, count_id=COUNT, **fields):
    return EventDraft(payload=payload, user_id="ana", count_id=count_id, **fields)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store(tmp_path, clock):
    opened = a_store(tmp_path, clock)
    yield opened
    opened.close()


def bare(folder):
    return sqlite3.connect(folder / OPS_FILE)


def test_events_are_numbered_without_gaps_and_chained_by_the_hash_of_their_bytes(store):
    first = store.append([draft(BinOpened(bin="A-01")), draft(counted("S1", "3"))])
    second = store.append([draft(counted("S1", "0"))])

    events = [*first, *second]
    raws = [p.raw for p in store.pending(10)]

    assert [e.seq for e in events] == [1, 2, 3]
    assert [e.prev_hash for e in events] == [GENESIS_HASH, *map(hash_event, raws[:2])]
    assert all(is_uuid7(e.id) for e in events)


def test_what_was_appended_is_there_after_the_process_is_gone(tmp_path, clock):
    one = a_store(tmp_path, clock)
    appended = one.append([draft(BinOpened(bin="A-01")), draft(counted("S1", "3"))])

    # Not closed: a killed process closes nothing.
    again = a_store(tmp_path, clock, seed=2)

    assert again.events_of_count(COUNT) == appended
    assert again.install_id == one.install_id
    [open_count] = again.unfinished_counts()
    assert open_count.fold.bin == "A-01"
    assert open_count.fold.line(LineKey(sku="S1")).quantity == 3


def test_no_program_can_change_or_delete_an_event_or_leave_a_gap(store, tmp_path):
    store.append([draft(NoteAdded(text="one")), draft(NoteAdded(text="two"))])

    with bare(tmp_path) as db:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute("UPDATE event SET raw = 'x' WHERE seq = 1")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            db.execute("DELETE FROM event WHERE seq = 1")
        with pytest.raises(sqlite3.IntegrityError, match="no gaps"):
            db.execute(
                "INSERT INTO event (seq, id, type, wall_ms, raw, sha256)"
                " VALUES (4, 'x', 'x', 1, 'x', ?)",
                ("0" * 64,),
            )
    assert len(store.pending(10)) == 2


def test_a_step_that_fails_halfway_leaves_nothing(store, monkeypatch):
    store.append([draft(BinOpened(bin="A-01"))])

    def failing_random(_count):
        raise RuntimeError("the power went")

    sound = store.random
    calls = iter([sound, failing_random])

    def power_fails_at_the_second(count):
        return next(calls)(count)

    monkeypatch.setattr(store, "random", power_fails_at_the_second)
    with pytest.raises(RuntimeError):
        store.append([draft(counted("S1", "1")), draft(counted("S2", "1"))])
    monkeypatch.setattr(store, "random", sound)

    assert [e.seq for e in store.append([draft(counted("S3", "1"))])] == [2]


def test_many_threads_append_one_sequence(store):
    def one(number):
        return store.append([draft(NoteAdded(text=str(number)), count_id=None)])[0].seq

    with ThreadPoolExecutor(8) as pool:
        seqs = list(pool.map(one, range(100)))

    assert sorted(seqs) == list(range(1, 101))


def test_a_closed_count_is_finished_and_a_voided_close_is_not(store):
    store.append([draft(BinOpened(bin="A-01")), draft(counted("S1", "1"))])
    [closed] = store.append([draft(BinClosed())])
    assert store.unfinished_counts() == []

    [undo] = store.append([draft(EventVoided(voids=closed.id))])
    assert [c.count_id for c in store.unfinished_counts()] == [COUNT]

    store.append([draft(EventVoided(voids=undo.id))])
    assert store.unfinished_counts() == []
    assert store.recent_counts(5)[0].fold.status is CountStatus.CLOSED


def test_recent_counts_come_newest_first_with_what_is_unsent_and_held(store):
    other = an_id(8)
    store.append([draft(BinOpened(bin="A-01")), draft(counted("S1", "1")), draft(BinClosed())])
    store.append([draft(BinOpened(bin="A-02"), other), draft(BinLeft(), other)])
    ids = [p.id for p in store.pending(10)]
    store.acknowledge(
        [
            EventResult(id=ids[0], r=Result.CREATED),
            EventResult(id=ids[1], r=Result.QUARANTINED, code="unknown-sku"),
        ],
        epoch="e1",
    )

    counts = store.recent_counts(5)

    assert [(c.fold.bin, c.unsent, c.held) for c in counts] == [("A-02", 2, 0), ("A-01", 1, 1)]


def test_only_listed_and_confirmed_events_leave_the_outbox(store):
    store.append([draft(NoteAdded(text=str(n)), count_id=None) for n in range(5)])
    ids = [p.id for p in store.pending(10)]

    newly = store.acknowledge(
        [
            EventResult(id=ids[0], r=Result.CREATED),
            EventResult(id=ids[1], r=Result.DEFERRED),
            EventResult(id=ids[2], r=Result.TOO_LARGE),
            EventResult(id=ids[3], r=Result.EXISTS),
            EventResult(id="not ours", r=Result.CREATED),
        ],
        epoch="e1",
    )
    again = store.acknowledge([EventResult(id=ids[0], r=Result.EXISTS)], epoch="e1")

    assert (newly, again) == (2, 0)
    assert [p.id for p in store.pending(10)] == [ids[1], ids[2], ids[4]]
    assert [p.id for p in store.pending(1, after=2)] == [ids[2]]
    assert store.outbox().unsent == 3


def test_a_restored_server_is_sent_again_what_it_lost(store):
    store.append([draft(NoteAdded(text=str(n)), count_id=None) for n in range(4)])
    store.acknowledge([EventResult(id=p.id, r=Result.CREATED) for p in store.pending(9)], epoch="1")

    lost = store.adopt_epoch("2", high_seq=1)

    assert lost == 3
    assert [p.seq for p in store.pending(9)] == [2, 3, 4]


DAY_MS = 24 * 3600 * 1000


def _sent(store, number: int, *, count_id=None, result=Result.CREATED) -> None:
    store.append([draft(NoteAdded(text=str(n)), count_id=count_id) for n in range(number)])
    store.acknowledge([EventResult(id=p.id, r=result) for p in store.pending(99)], epoch="1")


def _hello(store, day: int, high_seq: int, epoch: str = "1") -> int:
    return store.confirmed_again(epoch=epoch, high_seq=high_seq, server_ms=day * DAY_MS)


def test_confirmed_events_go_when_confirmed_again_after_thirty_days_but_never_the_newest(store):
    _sent(store, 4)

    assert _hello(store, 1, 2) == 0
    assert _hello(store, 20, 4) == 0
    assert _hello(store, 31, 4) == 2
    assert _hello(store, 60, 4) == 0
    assert _hello(store, 61, 4) == 1
    assert store.append([draft(NoteAdded(text="next"), count_id=None)])[0].seq == 5
    assert store.outbox().unsent == 1


def test_a_restored_server_or_a_clock_set_on_the_device_shortens_no_wait(store, clock):
    _sent(store, 4)
    _hello(store, 1, 4)

    clock.set_wall(clock.wall_ms() + 4000 * DAY_MS)
    assert _hello(store, 2, 4) == 0
    assert _hello(store, 32, 1) == 0, "the server lost some: the wait begins anew"
    assert _hello(store, 40, 4, epoch="2") == 0, "another epoch confirms nothing of the last"
    assert _hello(store, 80, 4, epoch="2") == 0
    assert len(read_rescue(store.rescue_text()).events) == 4


def test_what_the_server_could_not_use_and_a_bin_under_way_stay(store):
    _sent(store, 1, result=Result.QUARANTINED)
    _sent(store, 1)
    store.append([draft(BinOpened(bin="A-01"), count_id=an_id())])
    _sent(store, 2)
    _hello(store, 1, 5)

    assert _hello(store, 32, 5) == 1
    assert store.outbox().held == 1
    assert [s.count_id for s in store.unfinished_counts()]


def test_a_draft_is_kept_for_its_task_bin_and_person_only(tmp_path, store, clock):
    key = {"task_id": "t1", "bin": "A-01", "user_id": "ana"}
    store.save_draft(**key, content="1")
    store.save_draft(**key, content="12")

    again = a_store(tmp_path, clock)

    assert again.draft(**key) == "12"
    assert again.draft(**(key | {"user_id": "ben"})) is None
    again.clear_draft(**key)
    assert again.draft(**key) is None


def test_an_enrolment_comes_back_and_its_secrets_are_not_in_the_database(tmp_path, store):
    saved = enrolled(store).enrolment()

    assert a_store(tmp_path).enrolment() == saved
    assert saved.device_name == "test"
    store.close()
    assert b"5a5a5a" not in (tmp_path / OPS_FILE).read_bytes()
    (tmp_path / "vault.json").unlink()
    assert a_store(tmp_path).enrolment() is None


def test_a_right_pin_opens_and_a_wrong_one_says_how_many_tries_are_left(store):
    user = a_user(pin="481516")
    assert store.check_pin(user, "481516").verdict is PinVerdict.NOT_ENROLLED
    enrolled(store)

    wrong = store.check_pin(user, "000000")
    right = store.check_pin(user, "481516")

    assert (wrong.verdict, wrong.tries_left) == (PinVerdict.WRONG, 9)
    assert (right.verdict, right.tries_left) == (PinVerdict.RIGHT, 10)


def test_five_wrong_pins_pause_and_ten_lock_whatever_is_done_to_clock_and_process(tmp_path, clock):
    user = a_user(pin="481516")
    store = enrolled(a_store(tmp_path, clock))
    for _ in range(5):
        assert store.check_pin(user, "111111").verdict is PinVerdict.WRONG
    paused = store.check_pin(user, "481516")
    assert (paused.verdict, paused.wait_seconds) == (PinVerdict.PAUSED, 60)

    store = a_store(tmp_path, clock)
    clock.set_wall(clock.wall_ms() + 10**9)
    assert store.check_pin(user, "481516").verdict is PinVerdict.PAUSED
    clock.reboot()
    clock.set_wall(0)
    assert store.check_pin(user, "481516").verdict is PinVerdict.PAUSED
    for _ in range(4):
        clock.pass_ms(60_000)
        assert store.check_pin(user, "111111").verdict is PinVerdict.WRONG
    clock.pass_ms(60_000)
    assert store.check_pin(user, "111111").verdict is PinVerdict.LOCKED
    clock.pass_ms(10**9)
    assert store.check_pin(user, "481516").verdict is PinVerdict.LOCKED

    mended = a_user(pin="2342")
    assert store.check_pin(mended, "2342").verdict is PinVerdict.RIGHT


def test_a_pin_try_is_booked_before_the_pin_is_looked_at(tmp_path, monkeypatch):
    user = a_user()
    store = enrolled(a_store(tmp_path))

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("app.store.device_store.is_verified", killed)
    with pytest.raises(KeyboardInterrupt):
        store.check_pin(user, "000000")
    monkeypatch.undo()

    assert a_store(tmp_path).check_pin(user, "000000").tries_left == 8


def test_a_damaged_file_is_set_aside_and_its_events_are_rescued(tmp_path, clock):
    store = a_store(tmp_path, clock)
    old_install = store.install_id
    store.append([draft(NoteAdded(text="x" * 900), count_id=None) for _ in range(60)])
    store.close()
    path = tmp_path / OPS_FILE
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(whole)

    fresh = a_store(tmp_path, clock, seed=9)

    assert fresh.salvage is not None
    assert 30 <= fresh.salvage.events <= 60
    assert (tmp_path / fresh.salvage.set_aside).exists()
    rescued = read_rescue((tmp_path / fresh.salvage.rescue_file).read_text())
    assert len(rescued.events) == fresh.salvage.events
    assert (rescued.install_id, rescued.is_whole) == (old_install, True)
    assert fresh.install_id != old_install
    assert fresh.append([draft(NoteAdded(text="on"), count_id=None)])[0].seq == 1


def test_a_file_of_a_newer_app_is_refused_and_left_alone(tmp_path):
    a_store(tmp_path).close()
    with bare(tmp_path) as db:
        db.execute("PRAGMA user_version = 99")

    from app.store.errors import StoreNewerError

    with pytest.raises(StoreNewerError):
        DeviceStore.open(tmp_path, clock=FakeClock(), random=seeded())
