"""The camera of a phone or browser, mounted as a Flet control. The only Flet import of scanning.

Facts this rests on (flet-camera 1.0.5): frames arrive as JPEG bytes with no rotation applied;
streaming does not exist on the web, so pictures are taken in a loop there; an NV21 stream gives
no frames at all and says nothing; the control raises on desktop; it does nothing on pause.

And on this (flet 1.0.5): an answer that arrives when the control is no longer on the page raises in
Flet's own receiving loop, which ends the connection: every later tap is lost. So a command that is
under way is never left alone, and the control is taken off the page only when all are `settled()`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import flet as ft
import flet_camera as fc

from app.scanner.loop import CameraStatus, OnScan, OnStatus, ScanLoop

_log = logging.getLogger(__name__)

# Between two pictures on the web, so that the page's own events get their turn.
_PICTURE_PAUSE_SECONDS = 0.05
_WATCH_SECONDS = 0.5
_PICTURE_LIMIT_SECONDS = 5.0
SETTLE_SECONDS = 8.0
"""Longest wait for answers under way. Slower ones come from a browser that is gone: nobody answers."""

T = TypeVar("T")


class CameraScanner:
    """Mount `control`, then `await start()`; `await stop()`, then `await settled()` before unmounting.

    Call `pause()` when the app is hidden (lifecycle states hide, pause, inactive) and `resume()`
    when it is shown: the platform takes the camera away and the control does not take it back.
    `on_scan` gets one ScanEvent for each look at a label; `on_status` what to tell the person.
    """

    def __init__(
        self,
        *,
        on_scan: OnScan,
        on_status: OnStatus,
        now: Callable[[], datetime],
        steady: Callable[[], float],
        known: Callable[[str], bool] | None = None,
        engines: Sequence[str] | None = None,
        overlay: ft.Control | None = None,
    ) -> None:
        self.control = fc.Camera(
            expand=True, content=overlay, on_stream_image=self._on_stream_image
        )
        self._make_loop: Callable[[], ScanLoop] = partial(
            ScanLoop,
            on_scan=on_scan,
            on_status=on_status,
            now=now,
            steady=steady,
            known=known,
            engines=engines,
        )
        self._steady = steady
        self._loop = self._make_loop()
        self._rotation = 0
        self._is_streaming = False
        self._tasks: list[asyncio.Task[None]] = []
        self._asked: set[asyncio.Task[Any]] = set()
        self._has_torch_on = False
        self._is_wanted = False

    @staticmethod
    def is_supported(page: ft.Page) -> bool:
        """Whether the control may be mounted at all: it raises on desktop."""
        return page.web or page.platform in (ft.PagePlatform.ANDROID, ft.PagePlatform.IOS)

    @property
    def is_running(self) -> bool:
        """Whether frames are asked for."""
        return self._is_wanted

    async def start(self) -> None:
        """Opens the back camera and begins to look. Failures are told through `on_status`."""
        if self._is_wanted:
            return
        self._is_wanted = True
        await self._loop.tell(CameraStatus.STARTING)
        try:
            camera = self._best(await self._ask(self.control.get_available_cameras()))
            if camera is not None:
                await self._open(camera)
        except (RuntimeError, TimeoutError, ft.FletUnsupportedPlatformException) as error:
            self._is_wanted = False
            await self._loop.tell(_status_of(error), detail=str(error))
            return
        if camera is None:
            self._is_wanted = False
            await self._loop.tell(CameraStatus.NO_CAMERA)
        elif self._is_wanted:  # nobody closed it while it was opening
            self._look()

    def _look(self) -> None:
        if self._tasks:
            return
        self._tasks.append(asyncio.create_task(self._watch(self._steady())))
        if not self._is_streaming:
            self._tasks.append(asyncio.create_task(self._take_pictures()))

    def close_eyes(self) -> None:
        """Nothing is scanned from now on; what is being opened will not be. `stop()` follows."""
        self._is_wanted = False
        self._loop.mute()

    async def stop(self) -> None:
        """Ends looking and gives the camera's light and stream back."""
        self.close_eyes()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._is_streaming:
            self._is_streaming = False
            await self._quietly(self.control.stop_image_stream())
        if self._has_torch_on:
            await self.set_torch(False)
        await self._loop.close()
        await self._loop.tell(CameraStatus.STOPPED)
        self._loop = self._make_loop()

    async def settled(self, seconds: float = SETTLE_SECONDS) -> None:
        """Returns when each command has its answer, or after so many seconds."""
        if self._asked:
            await asyncio.wait(set(self._asked), timeout=seconds)

    def abandon(self) -> None:
        """The page is gone and nobody will answer: nothing is waited for any more."""
        self.close_eyes()
        for task in (*self._tasks, *self._asked):
            task.cancel()
        self._tasks = []

    async def pause(self) -> None:
        """The app is hidden: stop everything, keep the control mounted."""
        await self.stop()
        await self._quietly(self.control.pause_preview())

    async def resume(self) -> None:
        """The app is shown again: the camera is opened anew."""
        await self.start()

    async def set_torch(self, is_on: bool) -> bool:
        """Switches the light; False if this camera has none."""
        mode = fc.FlashMode.TORCH if is_on else fc.FlashMode.OFF
        is_done = await self._quietly(self.control.set_flash_mode(mode))
        self._has_torch_on = is_on and is_done
        return is_done

    async def zoom(self, level: float) -> float | None:
        """Sets the zoom as near to `level` as the camera can; None if it cannot zoom."""
        try:
            low = float(await self._ask(self.control.get_min_zoom_level()))
            high = float(await self._ask(self.control.get_max_zoom_level()))
            level = min(max(level, low), high)
            await self._ask(self.control.set_zoom_level(level))
        except (RuntimeError, TimeoutError, TypeError) as error:
            _log.info("camera cannot zoom: %s", error)
            return None
        return level

    async def focus_at(self, x: float, y: float) -> bool:
        """Focuses and meters at a point of the picture (0 to 1 from its top left)."""
        point = (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        is_focused = await self._quietly(self.control.set_focus_point(point))
        await self._quietly(self.control.set_exposure_point(point))
        return is_focused

    async def choose(self, text: str) -> None:
        """The person tapped one of the labels named by the WHICH_ONE status."""
        await self._loop.choose(text)

    def look_again(self) -> None:
        """The person asks to scan again what is still in view."""
        self._loop.look_again()

    @staticmethod
    def _best(cameras: Sequence[fc.CameraDescription]) -> fc.CameraDescription | None:
        """The back camera, not the ultra-wide one: it cannot focus near."""
        order = {
            fc.CameraLensDirection.BACK: 0,
            fc.CameraLensDirection.EXTERNAL: 1,
            fc.CameraLensDirection.FRONT: 2,
        }
        return min(
            cameras,
            key=lambda c: (
                order.get(c.lens_direction, 3),
                c.lens_type is fc.CameraLensType.ULTRA_WIDE,
            ),
            default=None,
        )

    async def _open(self, camera: fc.CameraDescription) -> None:
        self._rotation = camera.sensor_orientation % 360
        page = self.control.page
        is_ios = isinstance(page, ft.Page) and page.platform is ft.PagePlatform.IOS
        is_web = isinstance(page, ft.Page) and page.web
        group = fc.ImageFormatGroup.BGRA8888 if is_ios else fc.ImageFormatGroup.YUV420
        await self._ask(
            self.control.initialize(
                camera,
                fc.ResolutionPreset.HIGH,
                enable_audio=False,
                image_format_group=None if is_web else group,
            )
        )
        can_stream = bool(await self._ask(self.control.supports_image_streaming()))
        if can_stream and self._is_wanted:
            self._is_streaming = True
            await self._ask(self.control.start_image_stream())

    def _on_stream_image(self, event: fc.CameraImageEvent) -> None:
        if self._is_streaming and event.bytes:
            self._loop.offer(event.bytes, self._rotation)

    async def _take_pictures(self) -> None:
        """The web's way: a picture, a look, the next picture."""
        while True:
            try:
                blob = await self._ask(self.control.take_picture(), _PICTURE_LIMIT_SECONDS)
            except (RuntimeError, TimeoutError) as error:
                _log.info("no picture: %s", error)
                await asyncio.sleep(_WATCH_SECONDS)
                continue
            if blob:
                await self._loop.see(blob)
            await asyncio.sleep(_PICTURE_PAUSE_SECONDS)

    async def _watch(self, since: float) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self._loop.check_frames(since)

    async def _ask(self, call: Awaitable[T], seconds: float | None = None) -> T:
        """Sends a command and waits. Whoever waits may be cancelled; the command goes on to its answer."""
        task = asyncio.ensure_future(_as_coroutine(call))
        self._asked.add(task)
        task.add_done_callback(self._answered)
        return await asyncio.wait_for(asyncio.shield(task), seconds)

    def _answered(self, task: asyncio.Task[Any]) -> None:
        self._asked.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("camera answered: %s", task.exception())

    async def _quietly(self, call: Awaitable[object]) -> bool:
        """Runs a command that a camera may not have; False if it has not."""
        try:
            await self._ask(call)
        except (RuntimeError, TimeoutError) as error:
            _log.info("camera refused: %s", error)
            return False
        return True


async def _as_coroutine(call: Awaitable[T]) -> T:
    return await call


def _status_of(error: Exception) -> CameraStatus:
    if isinstance(error, ft.FletUnsupportedPlatformException):
        return CameraStatus.UNSUPPORTED
    words = str(error).lower()
    denied = ("permission", "accessdenied", "access denied", "notallowed", "cameraaccess")
    if any(word in words for word in denied):
        return CameraStatus.NO_PERMISSION
    return CameraStatus.FAILED
