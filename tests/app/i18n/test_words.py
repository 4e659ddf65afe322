"""Every word a person reads is in the catalogue, and every error says three things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.counting.state import Tone
from app.i18n.words import PSEUDO, MissingWordsError, load_texts, load_words, pseudo
from app.scanner.loop import CameraStatus
from app.store import errors
from app.store.pins import PinVerdict
from app.sync.status import SyncState

APP = Path(__file__).resolve().parents[3] / "app"
TEXTS = load_texts()
KEY = re.compile(r'"([a-z_]+\.[a-z0-9_.]+)"')
AREAS = {key.split(".")[0] for key in TEXTS}


def used_keys() -> dict[str, str]:
    """Every literal that looks like a key of an area we have, and the file it is in."""
    found = {}
    for path in [*(APP / "screens").rglob("*.py"), *(APP / "counting").rglob("*.py")]:
        for match in KEY.finditer(path.read_text(encoding="utf-8")):
            if match[1].split(".")[0] in AREAS:
                found[match[1]] = path.name
    return found


@pytest.mark.parametrize("key", sorted(used_keys()))
def test_every_key_that_a_screen_uses_has_words(key: str):
    if key in {"floor.session", "floor.disk_check"}:
        pytest.skip("names of settings, not words")

    assert load_words().has(key), f"{key} in {used_keys()[key]}"


TROUBLES = {
    SyncState.STORE_PROBLEM,
    SyncState.ENROL,
    SyncState.ENROL_ANEW,
    SyncState.UPDATE,
    SyncState.PORTAL,
    SyncState.OFFLINE,
    SyncState.TROUBLE,
}


def test_keys_made_from_closed_lists_are_complete():
    words = load_words()
    made = [f"tone.{tone}" for tone in Tone]
    made += [f"camera.{status}" for status in CameraStatus]
    made += [f"band.pin_{verdict}" for verdict in PinVerdict if verdict is not PinVerdict.RIGHT]
    made += [f"sync.{state}" for state in SyncState if state in TROUBLES]
    made += [error.words for error in vars(errors).values() if hasattr(error, "words")]

    assert [key for key in made if not words.has(key)] == []


@pytest.mark.parametrize(
    "key",
    [
        k
        for k in TEXTS
        if k.startswith(
            ("store.", "sync.", "enrol.no", "problem.", "review.outage.", "review.missing.")
        )
    ],
)
def test_an_error_says_what_happened_what_it_means_and_what_to_do(key: str):
    sentences = [s for s in re.split(r"(?<=[.;?])\s", TEXTS[key]) if s]

    assert len(sentences) >= 3 or TEXTS[key].count(",") + len(sentences) >= 3


def test_no_text_blames_or_speaks_in_codes():
    banned = re.compile(r"invalid|error \d|are you sure|illegal|failed|oops", re.IGNORECASE)

    assert [key for key, text in TEXTS.items() if banned.search(text)] == []


def test_a_missing_key_is_a_defect_and_not_a_blank():
    with pytest.raises(MissingWordsError):
        load_words()("nothing.here")


def test_a_missing_parameter_is_named():
    with pytest.raises(MissingWordsError, match=r"band.wrong_bin needs .*bin"):
        load_words()("band.wrong_bin")


def test_plural_follows_the_number():
    words = load_words()

    assert words("pill.bins", n=1) == "1 bin waits to be sent."
    assert words("pill.bins", n=3) == "3 bins wait to be sent."


def test_the_made_up_language_is_longer_and_keeps_parameters():
    text = load_words(PSEUDO)("band.wrong_bin", bin="A-1", wanted="A-2")

    assert "A-1" in text
    assert "A-2" in text
    assert len(text) > 1.3 * len(load_words()("band.wrong_bin", bin="A-1", wanted="A-2"))
    assert pseudo("{n} bins") == "[{n} bíñš···]"
