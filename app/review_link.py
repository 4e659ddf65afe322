"""The review's way into the client: which server it talks to, and back to the floor's pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import flet as ft

from app.counting.service import FloorService
from app.i18n.words import Words
from app.review.service import ReviewService
from app.screens.review.desk import ReviewDesk
from app.screens.review.page import ReviewPage
from app.settings import ClientSettings
from app.store.device_store import DeviceStore

REVIEW_ROUTE = "/review"
"""The path that opens the review in a browser."""


class ReviewLink:
    """One page that shows the review instead of the floor."""

    def __init__(
        self,
        page: ft.Page,
        *,
        store: DeviceStore,
        settings: ClientSettings,
        say: Words,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        to_floor: Callable[[ft.Page], None],
        floor: FloorService,
        user_id: str = "",
    ) -> None:
        enrolled = store.enrolment()
        url = enrolled.server_url if enrolled is not None else settings.server_url
        self.user_id = user_id
        self._page = page
        self._to_floor = to_floor
        self._floor = floor
        self.service = ReviewService(url, new_id=new_id, now=now)
        self._shown = ReviewPage(page, ReviewDesk(service=self.service, say=say, rim=self))

    def show(self) -> None:
        """Draw the review on the page."""
        self._shown.show()

    def may_count(self, user_id: str) -> bool:
        """Whether this device lets the person count."""
        return self._floor.may_count(user_id)

    def count(self, user_id: str) -> None:
        """Show the floor with that person signed in."""
        self._floor.count_as(user_id)
        self.leave()

    def leave(self) -> None:
        """Show the floor instead."""
        self._shown.close()
        self._to_floor(self._page)
