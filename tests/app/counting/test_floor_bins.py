"""Walking the bins: signing in, the right bin, the wrong one, empty, finish, what survives a kill."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from app.contract.count_fold import CountStatus
from app.contract.vocabulary import Role, ScanSource
from app.contract.wire import RefKind
from app.counting.state import EmptySheet, OtherBinSheet, Stage, SwitchUserSheet, Tone
from app.store.pins import PinVerdict
from tests.support.site import OIL_EACH, PIN, Floor, changes_of, site_people, site_rows


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def test_a_device_that_is_not_enrolled_asks_to_be(tmp_path: Path):
    floor = Floor(tmp_path, is_loaded=False, is_enrolled=False)

    assert floor.service.state.stage is Stage.ENROL


def test_an_enrolled_device_waits_for_its_first_load_and_then_asks_who_is_there(tmp_path: Path):
    floor = Floor(tmp_path, is_loaded=False)
    before = floor.service.state.stage
    floor.load()
    floor.service.refresh()

    assert (before, floor.service.state.stage) == (Stage.LOADING, Stage.SIGN_IN)
    assert [p.name for p in floor.service.state.people] == ["Ana", "Ben", "Sam"]


def test_a_right_pin_shows_the_tasks_in_walking_order(floor: Floor):
    floor.sign_in()

    assert floor.service.state.stage is Stage.TASKS
    assert [t.bin for t in floor.service.state.tasks] == ["A-12-01", "A-12-03", "A-12-08"]


def test_a_task_given_to_somebody_else_is_not_shown(floor: Floor):
    floor.sign_in("ben", "271828")

    assert [t.bin for t in floor.service.state.tasks] == ["A-12-01", "A-12-03"]


def test_a_wrong_pin_says_how_many_tries_are_left_and_five_make_a_pause(floor: Floor):
    outcomes = [floor.service.sign_in("ana", "000000") for _ in range(6)]
    band = floor.service.state.band

    assert outcomes[0].verdict is PinVerdict.WRONG
    assert outcomes[5].verdict is PinVerdict.PAUSED
    assert band is not None
    assert (band.key, band.params["seconds"]) == ("band.pin_paused", "60")
    assert floor.service.state.user is None


def test_a_supervisor_who_was_reviewing_counts_under_their_own_name(floor: Floor):
    floor.sign_in()

    floor.service.count_as("sam")

    assert floor.service.state.stage is Stage.TASKS
    assert floor.service.state.user is not None
    assert floor.service.state.user.user_id == "sam"
    told = [json.loads(e.raw) for e in floor.store.pending(100)]
    opened = [e["user_id"] for e in told if e["payload"]["type"] == "session.opened"]
    assert opened == ["ana", "sam"]


def as_role(floor: Floor, role: Role) -> None:
    """Ana's role is changed at the desk, and the device has heard of it."""
    ana = site_people()[0].model_copy(update={"role": role})
    news = changes_of({RefKind.USER: {"ana": ana}}, rev=1_000)
    floor.reference.apply_page(news, cursor="c2", checkpoint=None, has_more=False)
    floor.service.refresh()


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR, Role.INTEGRATOR])
def test_who_judges_counts_does_not_sign_in_to_make_them(floor: Floor, role: Role):
    as_role(floor, role)

    outcome = floor.service.sign_in("ana", PIN)

    state = floor.service.state
    assert outcome.verdict is PinVerdict.RIGHT
    assert (state.stage, state.user) == (Stage.SIGN_IN, None)
    assert state.band is not None
    assert state.band.key == "band.only_reviews"
    assert floor.store.outbox().unsent == 0, "nothing was recorded in their name"


def test_who_became_an_auditor_is_not_taken_back_to_the_open_bin_after_a_kill(floor: Floor):
    floor.open_bin()
    as_role(floor, Role.AUDITOR)

    floor.kill_and_start()

    assert floor.service.state.user is None
    assert floor.service.state.stage is Stage.SIGN_IN


def test_a_badge_of_somebody_who_does_not_count_leaves_nobody_signed_in(floor: Floor):
    floor.enter("ben")
    as_role(floor, Role.FINANCE)
    floor.service.ask_switch("ana")
    floor.service.switch_user()

    floor.service.settle_pin(floor.service.check_pin(PIN))

    assert floor.service.state.user is None
    assert floor.service.state.band is not None
    assert floor.service.state.band.key == "band.only_reviews"


def test_only_people_who_count_and_whom_the_device_knows_take_up_the_scanner(floor: Floor):
    people = site_rows()[RefKind.USER]
    auditor = site_people()[2].model_copy(update={"user_id": "aud", "role": Role.AUDITOR})
    floor.load({**site_rows(), RefKind.USER: {**people, "aud": auditor}})
    floor.service.refresh()

    for user_id in ("aud", "nobody"):
        floor.service.count_as(user_id)

        assert not floor.service.may_count(user_id)
        assert floor.service.state.stage is Stage.SIGN_IN
    assert floor.service.may_count("sam")


def test_a_badge_chooses_the_person_and_the_pin_is_still_asked(floor: Floor):
    floor.scan("BC:USER:ben")

    assert floor.service.state.stage is Stage.SIGN_IN
    assert floor.service.state.chosen is not None
    assert floor.service.state.chosen.user_id == "ben"


def test_scanning_the_bin_that_is_asked_for_opens_it_with_its_task(floor: Floor):
    floor.enter()
    floor.service.next_bin()
    floor.scan("BIN:A-12-01")
    count = floor.service.state.count

    assert floor.service.state.stage is Stage.COUNT
    assert count is not None
    assert (count.bin, count.task_id) == ("A-12-01", "t1")


def test_the_wrong_bin_is_refused_with_both_names_and_can_be_counted_instead(floor: Floor):
    floor.enter()
    floor.service.next_bin()
    floor.scan("BIN:A-12-08")
    band = floor.service.state.band

    assert floor.service.state.count is None
    assert band is not None
    assert (band.tone, band.key) == (Tone.REJECT, "band.wrong_bin")
    assert band.params == {"bin": "A-12-08", "wanted": "A-12-01"}

    floor.service.count_instead()
    count = floor.service.state.count

    assert count is not None
    assert (count.bin, count.task_id) == ("A-12-08", "t8")


def test_a_missing_label_is_opened_by_touch_and_the_event_says_so(floor: Floor):
    floor.enter()
    floor.service.next_bin()
    floor.service.open_without_label()
    count = floor.service.state.count

    assert count is not None
    opened = count.events[0].payload
    assert opened.type == "bin.opened"
    assert opened.scan is None


def test_a_bin_that_is_not_on_the_list_is_opened_off_the_list(floor: Floor):
    floor.enter()
    floor.scan("BIN:B-01-01")
    count = floor.service.state.count

    assert count is not None
    opened = count.events[0].payload
    assert opened.type == "bin.opened"
    assert (opened.off_list, count.task_id) == (True, None)


def test_a_typed_bin_code_is_as_good_as_its_label(floor: Floor):
    floor.enter()
    floor.scan("A-12-03", ScanSource.TYPED)
    count = floor.service.state.count

    assert count is not None
    assert count.bin == "A-12-03"


def test_an_item_scanned_before_any_bin_is_refused(floor: Floor):
    floor.enter()
    floor.scan(OIL_EACH)
    band = floor.service.state.band

    assert band is not None
    assert band.key == "band.scan_bin_first"
    assert floor.payload_types() == []


def test_an_empty_bin_is_confirmed_twice_before_it_is_recorded(floor: Floor):
    floor.open_bin()
    floor.service.finish()

    assert isinstance(floor.service.state.sheet, EmptySheet)
    assert floor.payload_types() == ["bin.opened"]

    floor.service.confirm_empty()

    assert floor.payload_types() == ["bin.opened", "bin.empty", "bin.closed"]
    assert floor.store.recent_counts(1)[0].fold.is_empty_confirmed


def test_the_bins_own_label_twice_confirms_it_empty_too(floor: Floor):
    floor.open_bin()
    floor.scan("BIN:A-12-03")
    floor.scan("BIN:A-12-03")

    assert floor.payload_types() == ["bin.opened", "bin.empty", "bin.closed"]


def test_a_bin_with_lines_cannot_be_called_empty(floor: Floor):
    floor.open_bin()
    floor.scan(OIL_EACH)
    floor.scan("BC:CMD:EMPTY")
    band = floor.service.state.band

    assert band is not None
    assert band.key == "band.not_empty"
    assert floor.service.state.sheet is None


def test_the_same_label_finishes_and_once_more_sends_and_asks_for_the_next_bin(floor: Floor):
    floor.open_bin("A-12-01")
    floor.scan(OIL_EACH)
    floor.scan("BIN:A-12-01")
    summary = floor.service.state.stage
    floor.scan("BIN:A-12-01")
    state = floor.service.state

    assert summary is Stage.FINISH
    assert floor.store.recent_counts(1)[0].fold.status is CountStatus.CLOSED
    assert state.stage is Stage.SCAN_BIN
    assert state.task is not None
    assert state.task.bin == "A-12-03"
    assert state.band is not None
    assert state.band.tone is Tone.DONE
    assert [t.bin for t in state.tasks] == ["A-12-03", "A-12-08"]
    assert [f.bin for f in state.finished] == ["A-12-01"]


def test_the_next_bins_label_on_the_summary_sends_and_opens_it(floor: Floor):
    floor.open_bin("A-12-01")
    floor.scan(OIL_EACH)
    floor.scan("BC:CMD:FINISH")
    floor.scan("BIN:A-12-03")
    count = floor.service.state.count

    assert count is not None
    assert (count.bin, count.task_id) == ("A-12-03", "t3")
    assert [f.bin for f in floor.service.state.finished] == [
        "A-12-01"
    ] or floor.store.recent_counts(2)[1].fold.status is CountStatus.CLOSED


def test_from_signing_in_to_the_third_line_nothing_but_the_scanner_is_needed(floor: Floor):
    floor.enter()
    for text in ("BIN:A-12-01", OIL_EACH, OIL_EACH, OIL_EACH):
        floor.scan(text)

    assert floor.totals() == {"48213": "3"}


def test_another_bins_label_in_an_open_bin_asks_and_can_finish_this_one_first(floor: Floor):
    floor.open_bin("A-12-01")
    floor.scan(OIL_EACH)
    floor.scan("BIN:A-12-03")
    sheet = floor.service.state.sheet

    assert isinstance(sheet, OtherBinSheet)
    assert sheet.can_finish

    floor.service.finish_and_open()
    count = floor.service.state.count

    assert count is not None
    assert count.bin == "A-12-03"
    assert floor.payload_types() == ["bin.opened", "item.counted", "bin.closed", "bin.opened"]


def test_a_bin_opened_by_mistake_is_left_uncounted_and_stays_on_the_list(floor: Floor):
    floor.open_bin("A-12-01")
    floor.scan("BIN:A-12-03")
    floor.service.finish_and_open()

    assert floor.payload_types() == ["bin.opened"], "an untouched bin is not finished by accident"

    floor.service.leave_and_open()

    assert floor.payload_types() == ["bin.opened", "bin.left", "bin.opened"]
    assert "A-12-01" in [t.bin for t in floor.service.state.tasks]


def test_a_bin_that_cannot_be_reached_is_skipped_and_the_next_one_is_asked_for(floor: Floor):
    floor.enter()
    floor.service.next_bin()
    floor.service.skip("cannot_reach")
    state = floor.service.state

    assert state.task is not None
    assert state.task.bin == "A-12-03"
    assert [t.bin for t in state.tasks] == ["A-12-03", "A-12-08"]


def test_a_kill_in_the_middle_of_a_bin_loses_nothing_and_asks_nothing(floor: Floor):
    floor.open_bin()
    floor.scan(OIL_EACH)
    floor.scan(OIL_EACH)
    before = floor.service.state.count
    floor.kill_and_start()
    after = floor.service.state

    assert before is not None
    assert after.stage is Stage.COUNT
    assert after.count is not None
    assert after.count.events == before.events
    assert after.count.current == before.current
    assert after.user is not None
    assert after.user.user_id == "ana"


def test_after_ten_idle_minutes_a_restart_asks_for_the_pin_and_then_opens_the_bin(floor: Floor):
    floor.open_bin()
    floor.scan(OIL_EACH)
    floor.clock.pass_ms(11 * 60_000)
    floor.kill_and_start()
    locked = floor.service.state.stage
    floor.sign_in("ana", PIN)

    assert locked is Stage.SIGN_IN
    assert floor.service.state.stage is Stage.COUNT
    assert floor.totals() == {"48213": "1"}


def test_an_idle_device_locks_and_the_bin_stays_open(floor: Floor):
    floor.open_bin()
    floor.service.touch(timedelta(minutes=10))

    assert floor.service.state.stage is Stage.SIGN_IN
    assert floor.service.state.chosen is not None

    floor.sign_in("ana", PIN)

    assert floor.service.state.stage is Stage.COUNT


def test_a_colleagues_badge_changes_over_after_a_question_and_bins_do_not_mix(floor: Floor):
    floor.open_bin()
    floor.scan("BC:USER:ben")

    assert isinstance(floor.service.state.sheet, SwitchUserSheet)

    floor.service.switch_user()
    floor.service.settle_pin(floor.service.check_pin("271828"))
    state = floor.service.state

    assert state.user is not None
    assert state.user.user_id == "ben"
    assert state.stage is Stage.TASKS

    floor.service.go_to("t3")
    band = floor.service.state.band

    assert band is not None
    assert (band.key, band.params["name"]) == ("band.bin_taken", "Ana")


def test_a_page_that_cannot_draw_keeps_no_other_page_from_hearing(floor: Floor):
    heard: list[Stage] = []

    def broken(_state) -> None:
        raise AttributeError("its browser is gone")

    floor.service.subscribe(broken)
    floor.service.subscribe(lambda state: heard.append(state.stage))
    floor.open_bin()

    assert heard[-1] is Stage.COUNT
    assert floor.payload_types() == ["bin.opened"]


def test_staying_in_the_bin_takes_the_question_away(floor: Floor):
    floor.open_bin("A-12-01")
    floor.scan(OIL_EACH)
    floor.scan("BIN:A-12-03")
    floor.service.close_sheet()

    assert floor.service.state.band is None
    assert floor.payload_types() == ["bin.opened", "item.counted"]
