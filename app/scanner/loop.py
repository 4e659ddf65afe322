"""Runs frames through decoder and tracker: newest frame only, decoding off the event loop.

No Flet here; `app.scanner.camera` is the only part that knows it.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from app.contract.vocabulary import ScanSource
from app.scanner.decode import Decoder, ImageError
from app.scanner.engines.base import Gray
from app.scanner.events import Scan, ScanEvent
from app.scanner.frames import open_frame
from app.scanner.tracker import Sighting, SightingKind, Tracker

# Told to the person: by then a working camera has given 20 frames, or 6 pictures on the web.
NO_FRAMES_SECONDS = 2.0

# Mean gray below which no label was read in drawn scenes; the torch is the remedy.
DARK_MEAN = 28.0


class CameraStatus(StrEnum):
    """What the camera is doing, in words a screen can translate by key."""

    STARTING = "starting"
    LOOKING = "looking"
    MORE_FRAMES = "more_frames"
    """Seen but not sure: hold still."""
    WHICH_ONE = "which_one"
    """Several labels: move closer to one, or tap it. `texts` names them."""
    TOO_DARK = "too_dark"
    """Nothing readable and hardly any light: offer the torch."""
    NO_FRAMES = "no_frames"
    """The camera was started but gives no pictures for 2 s."""
    NO_CAMERA = "no_camera"
    NO_PERMISSION = "no_permission"
    UNSUPPORTED = "unsupported"
    """This platform has no camera control (desktop): use a scanner or type."""
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """A new status; `detail` is the platform's own words, for a log, not for a person."""

    status: CameraStatus
    texts: tuple[str, ...] = ()
    detail: str = ""


T = TypeVar("T")

OnScan = Callable[[ScanEvent], Awaitable[None] | None]
OnStatus = Callable[[StatusChange], Awaitable[None] | None]


class ScanLoop:
    """Takes frames as they come and says what was scanned. Belongs to one event loop."""

    def __init__(
        self,
        *,
        on_scan: OnScan,
        on_status: OnStatus,
        now: Callable[[], datetime],
        steady: Callable[[], float],
        known: Callable[[str], bool] | None = None,
        engines: Sequence[str] | None = None,
        budget_ms: float | None = None,
    ) -> None:
        """`now` stamps events; `steady` is a monotonic clock in seconds; `known` asks the site's
        tables (called on a worker thread and on the event loop: it must be safe for both)."""
        self._on_scan, self._on_status = on_scan, on_status
        self._now, self._steady = now, steady
        self._known, self._engines, self._budget_ms = known, engines, budget_ms
        self._tracker = Tracker(known)
        self._decoder: Decoder | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scanner")
        self._newest: tuple[bytes, int] | None = None
        self._busy: asyncio.Task[None] | None = None
        self._frame_at: float | None = None
        self._status: StatusChange | None = None
        self._is_muted = False

    def mute(self) -> None:
        """Nothing is scanned from now on, not even from a frame that is being decoded."""
        self._is_muted = True
        self._newest = None

    def offer(self, blob: bytes, rotation: int = 0) -> None:
        """A frame arrived. If one is being decoded, this one waits and replaces older waiters."""
        self._newest, self._frame_at = (blob, rotation), self._steady()
        if self._busy is None or self._busy.done():
            self._busy = asyncio.get_running_loop().create_task(self._drain())

    async def see(self, blob: bytes, rotation: int = 0) -> None:
        """As `offer`, but returns when the frame has been dealt with (picture loops, tests)."""
        self.offer(blob, rotation)
        if self._busy is not None:
            await asyncio.shield(self._busy)

    async def choose(self, text: str) -> None:
        """The person tapped one of several labels."""
        await self._act(self._tracker.choose(text), None)

    def look_again(self) -> None:
        """The person tapped the picture: what is in view may be scanned again."""
        self._tracker.forget()

    async def check_frames(self, since: float) -> None:
        """Says NO_FRAMES if none came for 2 s since the later of `since` and the last one."""
        last = max(since, self._frame_at or since)
        if self._steady() - last >= NO_FRAMES_SECONDS:
            await self.tell(CameraStatus.NO_FRAMES)

    async def tell(
        self, status: CameraStatus, *, texts: tuple[str, ...] = (), detail: str = ""
    ) -> None:
        """Reports a status once, until it changes."""
        change = StatusChange(status=status, texts=texts, detail=detail)
        if change != self._status:
            self._status = change
            await _call(self._on_status, change)

    async def close(self) -> None:
        """Drops what waits and ends the worker."""
        self._newest = None
        if self._busy is not None:
            await asyncio.gather(self._busy, return_exceptions=True)
        self._worker.shutdown(wait=False)

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._newest is not None:
            (blob, rotation), self._newest = self._newest, None
            try:
                gray, scans = await loop.run_in_executor(self._worker, self._work, blob, rotation)
            except ImageError as error:
                if not self._is_muted:
                    await self.tell(CameraStatus.FAILED, detail=str(error))
                continue
            if not self._is_muted:
                await self._act(self._tracker.see(scans, self._steady(), gray), gray)

    def _work(self, blob: bytes, rotation: int) -> tuple[Gray, list[Scan]]:
        """On the worker thread, which owns the decoder: OpenCV's detectors keep state."""
        if self._decoder is None:
            self._decoder = Decoder(self._engines)
        gray = open_frame(blob, rotation)
        return gray, self._decoder.decode(gray, budget_ms=self._budget_ms, known=self._known)

    async def _act(self, sighting: Sighting, frame: Gray | None) -> None:
        match sighting.kind:
            case SightingKind.ACCEPTED:
                scan = sighting.scans[0]
                event = ScanEvent(
                    text=scan.text,
                    symbology=scan.symbology,
                    source=ScanSource.CAMERA,
                    at=self._now(),
                )
                await _call(self._on_scan, event)
                await self.tell(CameraStatus.LOOKING)
            case SightingKind.WHICH_ONE:
                texts = tuple(s.text for s in sighting.scans)
                await self.tell(CameraStatus.WHICH_ONE, texts=texts)
            case SightingKind.MORE_FRAMES:
                await self.tell(CameraStatus.MORE_FRAMES)
            case SightingKind.NOTHING | SightingKind.STILL_IN_VIEW:
                is_dark = frame is not None and float(frame[::8, ::8].mean()) < DARK_MEAN
                await self.tell(CameraStatus.TOO_DARK if is_dark else CameraStatus.LOOKING)


async def _call(callback: Callable[[T], Awaitable[None] | None], value: T) -> None:
    result = callback(value)
    if inspect.isawaitable(result):
        await result
