"""Frames in a row: agreement, one scan while in view, the aimed label among several."""

import numpy as np

from app.scanner.events import EngineName, Scan, Symbology, box_corners
from app.scanner.tracker import SightingKind, Tracker, aimed_at

SIZE = (720, 1280)
RNG = np.random.default_rng(5)
AISLE = RNG.integers(0, 255, SIZE, dtype=np.uint8)
ELSEWHERE = RNG.integers(0, 255, SIZE, dtype=np.uint8)


def scan(
    text: str, *, at: tuple[int, int] = (640, 360), half: int = 100, is_certain: bool = True
) -> Scan:
    x, y = at
    return Scan(
        text=text,
        symbology=Symbology.CODE_128,
        corners=box_corners([(x - half, y - 40), (x + half, y + 40)]),
        engine=EngineName.ZBAR,
        quality=30.0,
        is_certain=is_certain,
    )


def kinds(tracker: Tracker, frames: list[tuple[float, list[Scan], np.ndarray]]) -> list[str]:  # type: ignore[type-arg]
    return [tracker.see(scans, at, frame).kind.value for at, scans, frame in frames]


def test_a_certain_read_is_one_scan_while_it_stays_in_view() -> None:
    frames = [(i / 10, [scan("A")], AISLE) for i in range(30)]
    assert kinds(Tracker(), frames) == ["accepted"] + ["still_in_view"] * 29


def test_a_label_that_is_read_only_now_and_then_does_not_count_twice() -> None:
    tracker = Tracker()
    frames = [(i / 10, [scan("A")] if i % 12 == 0 else [], AISLE) for i in range(60)]
    assert kinds(tracker, frames).count("accepted") == 1


def test_the_same_code_counts_again_after_it_left_the_view() -> None:
    tracker = Tracker()
    frames = [(0.0, [scan("A")], AISLE)]
    frames += [(0.1 * i, [], ELSEWHERE) for i in range(1, 7)]
    frames += [(0.7, [scan("A")], AISLE)]
    assert kinds(tracker, frames) == ["accepted", *["nothing"] * 6, "accepted"]


def test_a_single_missed_frame_is_not_leaving() -> None:
    frames = [(0.0, [scan("A")], AISLE), (0.5, [], ELSEWHERE), (0.6, [scan("A")], AISLE)]
    assert kinds(Tracker(), frames)[-1] == "still_in_view"


def test_an_uncertain_read_waits_for_a_second_frame() -> None:
    frames = [(i / 10, [scan("A", is_certain=False)], AISLE) for i in range(2)]
    assert kinds(Tracker(), frames) == ["more_frames", "accepted"]


def test_uncertain_reads_far_apart_never_add_up() -> None:
    frames = [(i * 2.0, [scan("A", is_certain=False)], AISLE) for i in range(6)]
    assert kinds(Tracker(), frames) == ["more_frames"] * 6


def test_two_texts_of_one_label_are_not_accepted_until_one_leads() -> None:
    tracker = Tracker()
    frames = [
        (i / 10, [scan("C-02" if i % 2 else "C-0P", is_certain=False)], AISLE) for i in range(10)
    ]
    assert "accepted" not in kinds(tracker, frames)


def test_a_code_the_site_knows_needs_no_second_frame() -> None:
    tracker = Tracker(known=lambda text: text == "A-01-03")
    assert kinds(tracker, [(0.0, [scan("A-01-03", is_certain=False)], AISLE)]) == ["accepted"]


def test_the_label_under_the_middle_is_the_aimed_one() -> None:
    left, middle = scan("L", at=(250, 360)), scan("M")
    assert aimed_at([left, middle], SIZE, lambda _t: False) == middle
    sighting = Tracker().see([left, middle], 0.0, AISLE)
    assert (sighting.kind, sighting.scans) == (SightingKind.ACCEPTED, (middle,))


def test_two_labels_as_near_are_asked_about_and_a_tap_chooses() -> None:
    tracker = Tracker()
    pair = [scan("L", at=(400, 360)), scan("R", at=(880, 360))]
    sighting = tracker.see(pair, 0.0, AISLE)
    assert (sighting.kind, {s.text for s in sighting.scans}) == (
        SightingKind.WHICH_ONE,
        {"L", "R"},
    )
    assert tracker.choose("R").scans[0].text == "R"
    assert tracker.choose("never seen").kind is SightingKind.NOTHING


def test_the_only_label_the_site_knows_wins_over_one_that_is_nothing() -> None:
    pair = [scan("junk", at=(560, 360), half=40), scan("A-01-03", at=(1100, 600), half=40)]
    aimed = aimed_at(pair, SIZE, lambda text: text == "A-01-03")
    assert aimed is not None
    assert aimed.text == "A-01-03"


def test_the_next_label_is_accepted_while_the_last_one_is_still_in_view() -> None:
    tracker = Tracker()
    assert tracker.see([scan("A")], 0.0, AISLE).kind is SightingKind.ACCEPTED
    both = [scan("A", at=(300, 360)), scan("B")]
    assert tracker.see(both, 0.1, AISLE).scans[0].text == "B"


def test_a_tap_lets_what_is_in_view_be_scanned_again() -> None:
    tracker = Tracker()
    tracker.see([scan("A")], 0.0, AISLE)
    tracker.forget()
    assert tracker.see([scan("A")], 0.1, AISLE).kind is SightingKind.ACCEPTED


def test_of_labels_about_as_near_the_much_larger_one_is_aimed_at() -> None:
    large = scan("large", at=(340, 360), half=200)
    small = scan("small", at=(820, 360), half=80)
    assert aimed_at([small, large], SIZE, lambda _t: False) == large
    like = scan("like", at=(940, 360), half=200)
    assert aimed_at([like, large], SIZE, lambda _t: False) is None


def test_a_large_label_far_from_the_middle_does_not_win_over_the_aimed_one() -> None:
    large = scan("large", at=(240, 360), half=220)
    aimed = scan("aimed", at=(720, 360), half=60)
    assert aimed_at([large, aimed], SIZE, lambda _t: False) == aimed
