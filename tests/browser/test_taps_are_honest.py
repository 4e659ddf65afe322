"""What the browser's person may press: a button that something lies over is not pressed behind its back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.support.browser import IS_UNDER_A_KEY

PAGE = """<style>body {margin: 0} div {position: absolute; left: 0; top: 0; width: 90px; height: 40px}</style>
<div role="button" id="below" aria-label="Approve">Approve</div>
<div %s></div>"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("over", "is_forgiven"),
    [
        pytest.param('role="button" aria-label="5"', True, id="a key of the keypad"),
        pytest.param('role="button" aria-label="Undo"', False, id="another button"),
        pytest.param('role="button" aria-label="OK"', False, id="another button of two letters"),
        pytest.param('role="button"', False, id="a button without a name"),
        pytest.param('role="dialog" aria-label="5"', False, id="something else"),
        pytest.param('style="left: 300px"', False, id="nothing"),
    ],
)
def test_only_a_keypads_key_may_lie_over_what_is_tapped(
    chromium: Browser, over: str, is_forgiven: bool
):
    page = chromium.new_page()
    page.set_content(PAGE % over)

    assert page.locator("#below").evaluate(IS_UNDER_A_KEY) is is_forgiven
    page.close()
