"""Colours and sizes that people with gloves, in bad light, can use."""

from __future__ import annotations

import pytest

from app.counting.state import Tone
from app.screens import theme
from app.screens.theme import DARK, LIGHT, Pair, contrast


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_every_text_has_a_contrast_of_seven_to_one(palette):
    weak = {
        (p.back, p.front): round(contrast(p), 2) for p in palette.text_pairs() if contrast(p) < 7
    }

    assert weak == {}


def test_contrast_is_the_one_wcag_defines():
    assert contrast(Pair(back="#FFFFFF", front="#000000")) == pytest.approx(21)
    assert contrast(Pair(back="#FFFFFF", front="#767676")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("tone", list(Tone))
def test_every_answer_has_colours(tone):
    assert contrast(DARK.tone(tone)) >= 7


def test_nothing_on_the_floor_is_smaller_than_a_gloved_finger():
    assert min(theme.TARGET, theme.BUTTON, theme.KEY_HEIGHT, theme.ROW) >= 56
    assert theme.TEXT_MIN >= 14
