"""Labels that have no edges left: out of focus, bent, inked too much; and what must not be read."""

import numpy as np
import pytest

from app.scanner.blurred.codes import bits_of, draw_number, shapes
from app.scanner.blurred.path import best_numbers
from app.scanner.decode import decode
from app.scanner.engines.zbar import ZbarEngine
from app.scanner.hard import from_fit
from app.scanner.locate import locate
from app.scanner.straighten import straightened
from tests.support.shelf import View, draw

NUMBERS = ("4006381333931", "0036000291452", "9780441014989", "5901234123457")


def fitted(text: str, kind: str, view: View, seed: int = 1) -> set[str]:
    image = draw([(text, kind)], view, seed=seed).image
    return {
        h.read.text for bars in locate(image)[:2] for h in from_fit(straightened(image, bars), bars)
    }


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_found_in_its_own_drawing_and_leads_far(text: str):
    digits = tuple(map(int, text))
    best, second = best_numbers(draw_number(digits, 1.2, 0.15), shapes(1.2, 0.15), keep=2)

    assert best.digits == digits
    assert len(bits_of(digits)) == 95
    assert best.misfit < 1e-6
    assert second.misfit > 0.1


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_far_out_of_focus_is_read_where_libzbar_sees_nothing(text: str):
    view = View(module_px=2.0, blur_px=2.4, noise=1.0, rotation=2.0)
    image = draw([(text, "EAN-13")], view, seed=1).image

    assert ZbarEngine().read(image) == []
    assert text.removeprefix("0") in fitted(text, "EAN-13", view)
    assert [s.text for s in decode(image, engines=("zbar", "opencv"), budget_ms=5_000)] == [
        text.removeprefix("0") if text.startswith("0") else text
    ]


def test_a_label_seen_from_the_side_is_straightened():
    view = View(module_px=2.5, blur_px=2.0, noise=1.0, tilt_y=40.0, rotation=8.0)
    assert NUMBERS[0] in fitted(NUMBERS[0], "EAN-13", view)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A-01-03-B", "Code 128"),
        ("10012345678902", "ITF"),
        ("HELLO-39", "Code 39"),
        ("96385074", "EAN-8"),
        ("01234565", "UPC-E"),
    ],
)
@pytest.mark.parametrize("blur", [0.8, 2.5])
def test_no_number_is_found_in_bars_of_another_kind(text: str, kind: str, blur: float):
    assert fitted(text, kind, View(module_px=2.5, blur_px=blur, noise=2.0)) == set()


def test_no_number_is_found_in_noise_or_nothing():
    rng = np.random.default_rng(5)
    for image in (
        rng.integers(0, 255, (300, 400)).astype(np.uint8),
        np.repeat(rng.integers(0, 255, (1, 400)).astype(np.uint8), 300, axis=0),
        np.zeros((300, 400), np.uint8),
    ):
        assert [
            h for bars in locate(image) for h in from_fit(straightened(image, bars), bars)
        ] == []


@pytest.mark.parametrize("noise", [0.1, 0.4])
@pytest.mark.parametrize("text", NUMBERS)
def test_no_number_like_the_best_fits_better_than_the_second(text: str, noise: float):
    rng = np.random.default_rng(7)
    clean = draw_number(tuple(map(int, text)), 0.9, 0.0)
    row = clean + rng.normal(0.0, noise, len(clean))
    best, second = best_numbers(row, shapes(0.9, 0.0), keep=2)

    assert best_numbers(row, shapes(0.9, 0.0)) == [best]
    assert best.digits != second.digits
    others = [other for other in _one_digit_apart(best.digits) if other != best.digits]
    nearest = min(((row - draw_number(other, 0.9, 0.0)) ** 2).sum() for other in others)
    assert best.misfit < second.misfit <= nearest * 1.02  # pieces know no neighbour but one


def _one_digit_apart(digits: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Numbers that differ in one digit, and in the check digit which follows from it."""
    found = []
    for place in range(12):
        for digit in range(10):
            body = (*digits[:place], digit, *digits[place + 1 : 12])
            check = -sum(d * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10
            found.append((*body, check))
    return found
