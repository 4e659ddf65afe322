"""The camera of a phone or browser, mounted as a Flet control. The only Flet import of scanning.

Facts this rests on (flet-camera 1.0.5): frames arrive as JPEG bytes with no rotation applied;
streaming does not exist on the web, so pictures are taken in a loop there; an NV21 stream gives
no frames at all and says nothing; the control raises on desktop; it does nothing on pause.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import flet as ft
import flet_camera as fc

from app.scanner.loop import CameraStatus, OnScan, OnStatus, ScanLoop

_log = logging.getLogger(__name__)

# Between two pictures on the web, so that the page's own events get their turn.
_PICTURE_PAUSE_SECONDS = 0.05
_WATCH_SECONDS = 0.5
_PICTURE_LIMIT_SECONDS = 5.0


class CameraScanner:
    """Mount `control`, then `await start()`; `await stop()` before unmounting.

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
        self._has_torch_on = False

    @staticmethod
    def is_supported(page: ft.Page) -> bool:
        """Whether the control may be mounted at all: it raises on desktop."""
        return page.web or page.platform in (ft.PagePlatform.ANDROID, ft.PagePlatform.IOS)

    @property
    def is_running(self) -> bool:
        """Whether frames are asked for."""
        return bool(self._tasks)

    async def start(self) -> None:
        """Opens the back camera and begins to look. Failures are told through `on_status`."""
        if self._tasks:
            return
        await self._loop.tell(CameraStatus.STARTING)
        try:
            camera = self._best(await self.control.get_available_cameras())
            if camera is None:
                await self._loop.tell(CameraStatus.NO_CAMERA)
                return
            await self._open(camera)
        except (RuntimeError, TimeoutError, ft.FletUnsupportedPlatformException) as error:
            await self._loop.tell(_status_of(error), detail=str(error))
            return
        self._tasks.append(asyncio.create_task(self._watch(self._steady())))
        if not self._is_streaming:
            self._tasks.append(asyncio.create_task(self._take_pictures()))

    async def stop(self) -> None:
        """Ends looking and gives the camera's light and stream back."""
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
            low = float(await self.control.get_min_zoom_level())
            high = float(await self.control.get_max_zoom_level())
            level = min(max(level, low), high)
            await self.control.set_zoom_level(level)
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
        await self.control.initialize(
            camera,
            fc.ResolutionPreset.HIGH,
            enable_audio=False,
            image_format_group=None if is_web else group,
        )
        self._is_streaming = bool(await self.control.supports_image_streaming())
        if self._is_streaming:
            await self.control.start_image_stream()

    def _on_stream_image(self, event: fc.CameraImageEvent) -> None:
        if self._is_streaming and event.bytes:
            self._loop.offer(event.bytes, self._rotation)

    async def _take_pictures(self) -> None:
        """The web's way: a picture, a look, the next picture."""
        while True:
            try:
                picture = self.control.take_picture()
                blob = await asyncio.wait_for(picture, _PICTURE_LIMIT_SECONDS)
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

    @staticmethod
    async def _quietly(call: Awaitable[object]) -> bool:
        """Runs a command that a camera may not have; False if it has not."""
        try:
            await call
        except (RuntimeError, TimeoutError) as error:
            _log.info("camera refused: %s", error)
            return False
        return True


def _status_of(error: Exception) -> CameraStatus:
    if isinstance(error, ft.FletUnsupportedPlatformException):
        return CameraStatus.UNSUPPORTED
    words = str(error).lower()
    denied = ("permission", "accessdenied", "access denied", "notallowed", "cameraaccess")
    if any(word in words for word in denied):
        return CameraStatus.NO_PERMISSION
    return CameraStatus.FAILED
