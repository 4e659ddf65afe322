"""Giving a file to whoever holds the device: a dialogue on phone and desktop, a download in a browser."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum

import flet as ft

from app.contract.rescue import RescueExport
from app.i18n.words import Words

_log = logging.getLogger(__name__)


class Saved(StrEnum):
    """What became of it, as far as the platform tells."""

    SAVED = "saved"
    HANDED_OVER = "handed_over"
    """To the browser, which says no more about it."""
    CANCELLED = "cancelled"
    FAILED = "failed"


SaveFile = Callable[[str, bytes], Awaitable[Saved]]
"""Name and content."""


async def save_nowhere(_name: str, _content: bytes) -> Saved:
    """Where there is no page to ask."""
    return Saved.FAILED


async def hand_over(
    rescue: Callable[[], RescueExport], save: SaveFile, *, say: Words, at: datetime
) -> str:
    """Read what the server lacks, on a thread, and give it to the person; what became of it in words."""
    try:
        made = await asyncio.to_thread(rescue)
    except OSError as error:
        _log.error("what is on the device cannot be read: %s", error)
        return say("rescue.failed")
    if not made.events:
        return say("rescue.nothing")
    name = f"blindcount-{at:%Y%m%d-%H%M%S}.jsonl"
    became = await save(name, made.text.encode("utf-8", "surrogatepass"))
    return say(f"rescue.{became.value}", n=made.events, file=name)


class FileSaver:
    """The file dialogue of one page. Make it while its page is the current one."""

    def __init__(self, page: ft.Page) -> None:
        self._page = page
        self._picker = ft.FilePicker()

    async def save(self, name: str, content: bytes) -> Saved:
        """Let the person choose where; never fails."""
        try:
            where = await self._picker.save_file(file_name=name, src_bytes=content)
        except (RuntimeError, TimeoutError, ValueError) as error:
            # A Linux desktop without zenity, a page that is gone.
            _log.warning("the file was not saved: %s", error)
            return Saved.FAILED
        if self._page.web:
            return Saved.HANDED_OVER
        return Saved.SAVED if where else Saved.CANCELLED
