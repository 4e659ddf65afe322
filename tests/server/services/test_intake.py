"""What a device sent is stored exactly once, byte for byte, or held with a reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from app.contract.codec import encode_event, hash_event
from app.contract.events import BinClosed, BinOpened, NoteAdded
from app.contract.problems import RefusalError
from app.contract.vocabulary import Role
from app.contract.wire import ClockSample, QuarantineRequest, Result, SentEvent
from server.services import access, intake, reconciling
from server.services.access import NewPerson, device_of_token
from server.services.epochs import begin_epoch
from server.storage import count_events, events
from server.storage.tables_casework import ExceptionCaseRow
from server.storage.tables_sync import CompareLaterRow, DeviceEventRow, HeldEventRow, PushRow
from tests.support.devices import BOOT, a_device, sent
from tests.support.events import START_MS, an_event, an_id, counted
from tests.support.rim import ServerTime, a_rim
from tests.support.server import NOW, SITE

COUNT = an_id(4711)


@pytest.fixture
def time():
    return ServerTime()


@pytest.fixture
def device(database, time):
    return a_device(database, a_rim(time))


def a_count(device):
    device.record(BinOpened(bin="A-01"), COUNT)
    device.record(counted("S1", "3"), COUNT)
    device.record(BinClosed(), COUNT)


def stored(database, model):
    with database.read() as session:
        rows = session.exec(select(model)).all()
        return [row.model_dump() for row in rows]


def results(reply):
    return [(r.r, r.code) for r in reply.results]


def test_events_are_stored_with_their_own_bytes_and_confirmed(database, device):
    a_count(device)

    reply = device.push()

    assert results(reply) == [(Result.CREATED, None)] * 3
    assert reply.high_seq == 3
    rows = sorted(stored(database, DeviceEventRow), key=lambda r: r["seq"])
    assert [r["raw"] for r in rows] == [s.raw for s in device.pending]
    assert [r["sha256"] for r in rows] == [hash_event(s.raw) for s in device.pending]


def test_the_same_push_again_stores_nothing_more(database, device):
    a_count(device)
    device.push()

    again = device.push()

    assert results(again) == [(Result.EXISTS, None)] * 3
    assert len(stored(database, DeviceEventRow)) == 3
    assert len(stored(database, PushRow)) == 1


@pytest.mark.parametrize("racers", [64])
def test_identical_pushes_in_parallel_store_each_event_once(database, device, racers):
    a_count(device)
    request = device.request()

    def one(_number):
        return intake.push(database, SITE, device.device, request, rim=device.rim)

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(one, range(racers)))

    words = [r.r for reply in replies for r in reply.results]
    assert words.count(Result.CREATED) == 3
    assert words.count(Result.EXISTS) == 3 * (racers - 1)
    assert len(stored(database, DeviceEventRow)) == 3
    assert all(reply.high_seq == 3 for reply in replies)


def test_a_known_id_with_other_bytes_is_kept_beside_and_reported(database, device):
    first = device.record(counted("S1", "3"), COUNT)
    device.push()
    altered = SentEvent(id=first.id, seq=first.seq, raw=first.raw.replace('"3"', '"4"'))

    reply = device.push([altered])
    again = device.push([altered])

    assert results(reply) == [(Result.MISMATCH, "event-differs")]
    assert results(again) == [(Result.MISMATCH, "event-differs")]
    assert [r["raw"] for r in stored(database, DeviceEventRow)] == [first.raw]
    assert [r["raw"] for r in stored(database, HeldEventRow)] == [altered.raw.encode()]


def test_a_poisoned_event_is_held_and_the_others_go_on(database, device):
    device.record(BinOpened(bin="A-01"), COUNT)
    poison = SentEvent(id="x", seq=2, raw='{"no": "event"}')
    device.push()

    reply = device.push([poison, SentEvent(id="y", seq=3, raw="\x00")])

    assert results(reply) == [(Result.QUARANTINED, "event-malformed")] * 2
    assert reply.high_seq == 3
    with database.read() as session:
        held = events.held_events(session, SITE)
    assert {(h.event_id, h.code, h.device_name) for h in held} == {
        ("x", "event-malformed", "scanner 1"),
        ("y", "event-malformed", "scanner 1"),
    }


def test_an_unknown_person_an_other_id_and_a_broken_chain_are_held(device):
    stranger = device.record(NoteAdded(text="hi"), COUNT, user_id="mallory")
    other = device.record(NoteAdded(text="hi"), COUNT)
    other = SentEvent(id=an_id(), seq=other.seq, raw=other.raw)
    unchained = sent(an_event(NoteAdded(text="hi"), seq=3, count_id=COUNT, prev_hash="1" * 64))

    reply = device.push([stranger, other, unchained])

    assert results(reply) == [
        (Result.QUARANTINED, "unknown-user"),
        (Result.QUARANTINED, "event-id-differs"),
        (Result.QUARANTINED, "chain-broken"),
    ]


def test_a_second_event_under_one_number_is_a_fork_and_ends_the_enrolment(database, device):
    device.record(NoteAdded(text="mine"), COUNT)
    device.push()
    clone = sent(an_event(NoteAdded(text="the clone's"), seq=1, count_id=COUNT))

    reply = device.push([clone])

    assert results(reply) == [(Result.QUARANTINED, "seq-taken")]
    with database.read() as session, pytest.raises(RefusalError, match="install-forked"):
        device_of_token(session, SITE, device.token)


def test_a_gap_is_noted_and_never_blocks(database, device, time):
    for number in range(4):
        device.record(NoteAdded(text=str(number)), COUNT)
    one, two, three, four = device.pending

    assert device.push([one]).high_seq == 1
    assert device.push([three, four]).high_seq == 1
    with database.read() as session:
        install = events.find_install(session, SITE, device.device.install_id)
        assert (install.max_seq, install.gap_since_us is not None) == (4, True)
    assert device.push([two]).high_seq == 4
    with database.read() as session:
        install = events.find_install(session, SITE, device.device.install_id)
        assert install.gap_since_us is None


def test_a_gap_that_stays_for_a_day_becomes_a_case(database, device, time):
    for number in range(3):
        device.record(NoteAdded(text=str(number)), COUNT)
    one, _, three = device.pending
    device.push([one, three])
    assert gap_cases(database) == []

    time.advance(hours=25)
    device.push([])
    device.push([])

    assert gap_cases(database) == ["device_gap"]


def gap_cases(database):
    with database.read() as session:
        return list(session.exec(select(ExceptionCaseRow.kind)))


def test_what_is_too_large_is_left_with_the_device(database, device):
    huge = SentEvent(id=an_id(), seq=1, raw="x" * 20_000)

    assert results(device.push([huge])) == [(Result.TOO_LARGE, None)]
    assert stored(database, HeldEventRow) == []

    request = QuarantineRequest(
        install_id=device.device.install_id, id=huge.id, seq=1, blob_base64=""
    )
    for _ in range(2):
        kept = intake.hold_opaque(
            database, SITE, device.device, request, b"\xff\x00 bytes", rim=device.rim
        )
        assert kept.r is Result.QUARANTINED
    assert [h["raw"] for h in stored(database, HeldEventRow)] == [b"\xff\x00 bytes"]


def test_a_device_that_missed_our_restore_is_told_before_anything_is_stored(database, device):
    a_count(device)
    request = device.request()
    begin_epoch(database, SITE, device.rim)

    with pytest.raises(RefusalError, match="epoch-changed"):
        intake.push(database, SITE, device.device, request, rim=device.rim)

    assert stored(database, DeviceEventRow) == []


def test_a_comparison_that_crashes_never_costs_the_events(database, device, monkeypatch):
    a_count(device)

    def crashing(session, site_id, count_ids, now, new_id):
        session.execute(text("INSERT INTO nowhere VALUES (1)"))

    monkeypatch.setattr(reconciling, "counts_changed", crashing)
    reply = device.push()

    assert results(reply) == [(Result.CREATED, None)] * 3
    assert len(stored(database, DeviceEventRow)) == 3
    [later] = stored(database, CompareLaterRow)
    assert later["count_id"] == COUNT

    compared = []

    def mended(session, site_id, count_ids, now, new_id):
        compared.extend(count_ids)

    monkeypatch.setattr(reconciling, "counts_changed", mended)
    device.push([])
    assert compared == [COUNT]
    assert stored(database, CompareLaterRow) == []


def test_a_clock_exchange_dates_events_made_before_it(database, device, time):
    # The device's boot clock reads 61 s at event 1; the exchange says that boot second 1000 is NOW.
    a_count(device)
    now_ms = int(NOW.timestamp() * 1000)
    sample = ClockSample(
        boot_id=BOOT,
        t0_boot_ms=1_000_000,
        t0_wall_ms=START_MS,
        t1_ms=now_ms + 20,
        t2_ms=now_ms + 21,
        t3_boot_ms=1_000_050,
    )
    time.advance(seconds=1)

    device.push(samples=(sample,))

    with database.read() as session:
        [opened, *_] = count_events.events_of_count(session, SITE, COUNT)
    happened = NOW - timedelta(milliseconds=1_000_000 - 61_000)
    assert opened.earliest <= happened <= opened.latest
    assert opened.latest - opened.earliest < timedelta(seconds=1)
    assert opened.clock_quality == "good"
    assert (opened.device_name, opened.event.payload.type) == ("scanner 1", "bin.opened")


def test_each_push_lengthens_the_installs_chain(database, device):
    heads = []
    for number in range(3):
        device.record(NoteAdded(text=str(number)), COUNT)
        heads.append(device.push([device.pending[-1]]).audit_head)

    links = sorted(stored(database, PushRow), key=lambda r: r["number"])
    assert [link["head"] for link in links] == heads
    assert len(set(heads)) == 3


def test_stored_events_cannot_be_changed_by_any_program(database, device):
    a_count(device)
    device.push()

    for statement in ("UPDATE device_event SET raw = 'x'", "DELETE FROM device_event"):
        with database.write() as session, pytest.raises(Exception, match="append-only"):
            session.execute(text(statement))


def test_encoding_is_never_redone(device, database):
    event = an_event(NoteAdded(text="é\u2028\\u0000 and more"), seq=1, count_id=COUNT)
    spaced = encode_event(event).replace('":', '" : ')

    reply = device.push([SentEvent(id=event.id, seq=1, raw=spaced)])

    assert results(reply) == [(Result.CREATED, None)]
    assert [r["raw"] for r in stored(database, DeviceEventRow)] == [spaced]


def test_an_id_known_from_another_device_with_other_bytes_is_told_apart(database, device):
    device.record(NoteAdded(text="first"), COUNT)
    device.push()
    other = a_device(database, device.rim, "scanner 2")
    stolen = device.pending[0]
    altered = SentEvent(id=stolen.id, seq=1, raw=stolen.raw.replace("first", "other"))

    reply = other.push([altered])

    assert results(reply) == [(Result.MISMATCH, "event-differs")]
    assert [r["raw"] for r in stored(database, DeviceEventRow)] == [stolen.raw]


@pytest.mark.parametrize(
    ("earlier", "role", "result"),
    [
        (None, Role.FINANCE, Result.QUARANTINED),
        (None, Role.AUDITOR, Result.QUARANTINED),
        (None, Role.INTEGRATOR, Result.QUARANTINED),
        (None, Role.LEAD, Result.CREATED),
        (Role.COUNTER, Role.AUDITOR, Result.CREATED),
    ],
)
def test_a_count_by_somebody_who_never_could_count_is_held_for_a_supervisor(
    database, device, earlier, role, result
):
    roles = [role] if earlier is None else [earlier, role]
    for each in roles:
        access.add_people(
            database, SITE, [NewPerson(user_id="kim", name="Kim", role=each)], rim=device.rim
        )
    device.record(BinOpened(bin="A-01"), COUNT, user_id="kim")

    reply = device.push()

    assert [r for r, _ in results(reply)] == [result]
    assert len(stored(database, DeviceEventRow)) + len(stored(database, HeldEventRow)) == 1
