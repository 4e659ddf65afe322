"""The camera's life: streams and picture loops, silence said aloud, pause and resume."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cv2
import flet as ft
import flet_camera as fc
import pytest

from app.contract.vocabulary import ScanSource
from app.scanner.camera import CameraScanner
from app.scanner.events import ScanEvent, Symbology
from app.scanner.loop import CameraStatus, ScanLoop, StatusChange
from tests.support.shelf import View, draw

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)


def jpeg(text: str | None, seed: int = 0) -> bytes:
    labels = [(text, "Code 128")] if text else []
    image = draw(labels, View(module_px=4.0), seed=seed).image
    return bytes(cv2.imencode(".jpg", image)[1])


@dataclass
class Heard:
    """What a screen would hear."""

    scans: list[ScanEvent] = field(default_factory=list)
    changes: list[StatusChange] = field(default_factory=list)

    async def on_scan(self, event: ScanEvent) -> None:
        self.scans.append(event)

    def on_status(self, change: StatusChange) -> None:
        self.changes.append(change)

    @property
    def statuses(self) -> list[CameraStatus]:
        return [c.status for c in self.changes]


@dataclass
class Steady:
    """A steady clock moved by hand."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


class Device:
    """Stands for the phone's camera: the methods of fc.Camera that are called, nothing else."""

    def __init__(self, *, is_streaming: bool, pictures: list[bytes] | None = None) -> None:
        self.calls: list[str] = []
        self.is_streaming, self.pictures = is_streaming, pictures or []
        self.error: Exception | None = None
        self.cameras = [
            fc.CameraDescription("selfie", fc.CameraLensDirection.FRONT, 270),
            fc.CameraDescription(
                "wide", fc.CameraLensDirection.BACK, 90, fc.CameraLensType.ULTRA_WIDE
            ),
            fc.CameraDescription("main", fc.CameraLensDirection.BACK, 90, fc.CameraLensType.WIDE),
        ]
        self.page = None

    async def get_available_cameras(self) -> list[fc.CameraDescription]:
        if self.error:
            raise self.error
        return self.cameras

    async def supports_image_streaming(self) -> bool:
        return self.is_streaming

    async def initialize(self, camera: fc.CameraDescription, *_a: Any, **words: Any) -> None:
        assert words["enable_audio"] is False
        self.calls.append(f"initialize {camera.name}")

    async def take_picture(self) -> bytes:
        await asyncio.sleep(0.01)
        return self.pictures.pop(0) if self.pictures else jpeg(None)

    async def set_flash_mode(self, mode: fc.FlashMode) -> None:
        if mode is fc.FlashMode.TORCH and "no torch" in self.calls:
            raise RuntimeError("no torch")
        self.calls.append(f"flash {mode.value}")

    async def get_min_zoom_level(self) -> float:
        return 1.0

    async def get_max_zoom_level(self) -> float:
        return 4.0

    async def set_zoom_level(self, level: float) -> None:
        self.calls.append(f"zoom {level}")

    async def set_focus_point(self, point: tuple[float, float]) -> None:
        self.calls.append(f"focus {point}")

    async def set_exposure_point(self, point: tuple[float, float]) -> None:
        self.calls.append(f"expose {point}")

    async def start_image_stream(self) -> None:
        self.calls.append("start_image_stream")

    async def stop_image_stream(self) -> None:
        self.calls.append("stop_image_stream")

    async def pause_preview(self) -> None:
        self.calls.append("pause_preview")


def scanner(device: Device, heard: Heard, steady: Callable[[], float]) -> CameraScanner:
    made = CameraScanner(
        on_scan=heard.on_scan, on_status=heard.on_status, now=lambda: T0, steady=steady
    )
    made.control = device  # type: ignore[assignment]
    return made


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def stream(device: Device, blob: bytes) -> fc.CameraImageEvent:
    return fc.CameraImageEvent(
        name="stream_image",
        control=device,  # type: ignore[arg-type]
        width=1280,
        height=720,
        format=fc.ImageFormatGroup.YUV420,
        encoded_format="jpeg",
        bytes=blob,
    )


def test_the_web_scans_by_taking_pictures() -> None:
    async def session() -> Heard:
        heard = Heard()
        device = Device(is_streaming=False, pictures=[jpeg(None), jpeg("A-01-03", 1)])
        camera = scanner(device, heard, Steady())
        await camera.start()
        await until(lambda: bool(heard.scans))
        await camera.stop()
        assert not camera.is_running
        return heard

    heard = asyncio.run(session())
    assert heard.scans == [
        ScanEvent(text="A-01-03", symbology=Symbology.CODE_128, source=ScanSource.CAMERA, at=T0)
    ]
    assert heard.statuses[0] is CameraStatus.STARTING
    assert heard.statuses[-1] is CameraStatus.STOPPED


def test_a_phone_streams_from_its_main_back_camera_and_stops_on_pause() -> None:
    async def session() -> tuple[Heard, Device]:
        heard, device = Heard(), Device(is_streaming=True)
        camera = scanner(device, heard, Steady())
        await camera.start()
        camera._on_stream_image(stream(device, jpeg("B-02-01", 2)))
        await until(lambda: bool(heard.scans))
        await camera.set_torch(True)
        await camera.pause()
        camera._on_stream_image(stream(device, jpeg("B-02-02", 3)))
        await asyncio.sleep(0.2)
        await camera.resume()
        camera._on_stream_image(stream(device, jpeg("B-02-03", 4)))
        await until(lambda: len(heard.scans) == 2)
        await camera.stop()
        return heard, device

    heard, device = asyncio.run(session())
    assert [s.text for s in heard.scans] == ["B-02-01", "B-02-03"]
    assert device.calls == [
        "initialize main",
        "start_image_stream",
        "flash torch",
        "stop_image_stream",
        "flash off",
        "pause_preview",
        "initialize main",
        "start_image_stream",
        "stop_image_stream",
    ]


def test_a_camera_that_gives_no_frames_says_so_after_two_seconds() -> None:
    async def session() -> Heard:
        heard, steady = Heard(), Steady()
        camera = scanner(Device(is_streaming=True), heard, steady)
        await camera.start()
        await asyncio.sleep(0.6)
        assert CameraStatus.NO_FRAMES not in heard.statuses
        steady.seconds = 2.1
        await until(lambda: CameraStatus.NO_FRAMES in heard.statuses)
        await camera.stop()
        return heard

    assert asyncio.run(session()).statuses.count(CameraStatus.NO_FRAMES) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("CameraException(CameraAccessDenied, denied)"), CameraStatus.NO_PERMISSION),
        (RuntimeError("camera in use"), CameraStatus.FAILED),
        (ft.FletUnsupportedPlatformException("desktop"), CameraStatus.UNSUPPORTED),
    ],
)
def test_a_camera_that_cannot_open_is_a_status_not_a_crash(
    error: Exception, status: CameraStatus
) -> None:
    async def session() -> Heard:
        heard, device = Heard(), Device(is_streaming=True)
        device.error = error
        camera = scanner(device, heard, Steady())
        await camera.start()
        assert not camera.is_running
        return heard

    assert asyncio.run(session()).statuses == [CameraStatus.STARTING, status]


def test_no_camera_at_all_is_said() -> None:
    async def session() -> Heard:
        heard, device = Heard(), Device(is_streaming=True)
        device.cameras = []
        await scanner(device, heard, Steady()).start()
        return heard

    assert asyncio.run(session()).statuses[-1] is CameraStatus.NO_CAMERA


class SlowDevice(Device):
    """A browser that takes its time over a picture."""

    def __init__(self, pictures: list[bytes]) -> None:
        super().__init__(is_streaming=False, pictures=pictures)
        self.answer = asyncio.Event()

    async def take_picture(self) -> bytes:
        self.calls.append("take_picture")
        await self.answer.wait()
        self.calls.append("picture taken")
        return await super().take_picture()


def test_a_picture_under_way_is_waited_for_before_the_camera_may_leave_the_page() -> None:
    async def session() -> tuple[Heard, SlowDevice, bool]:
        heard, device = Heard(), SlowDevice([jpeg("A-01-03")])
        camera = scanner(device, heard, Steady())
        await camera.start()
        await until(lambda: "take_picture" in device.calls)
        await camera.stop()
        leaving = asyncio.create_task(camera.settled())
        await asyncio.sleep(0.05)
        was_waiting = not leaving.done()
        device.answer.set()
        await leaving
        return heard, device, was_waiting

    heard, device, was_waiting = asyncio.run(session())
    assert was_waiting
    assert device.calls[-1] == "picture taken", "stopping does not leave a command alone"
    assert heard.scans == [], "what arrives after the camera was closed is not scanned"


def test_a_browser_that_is_gone_keeps_nobody_waiting() -> None:
    async def session() -> list[str]:
        device = SlowDevice([])
        camera = scanner(device, Heard(), Steady())
        await camera.start()
        await until(lambda: "take_picture" in device.calls)
        await camera.settled(0.05)
        camera.abandon()
        await camera.settled()
        return device.calls

    assert "picture taken" not in asyncio.run(session())


def test_a_camera_closed_while_it_opens_looks_at_nothing() -> None:
    async def session() -> Device:
        device = Device(is_streaming=True)
        camera = scanner(device, Heard(), Steady())
        opening = asyncio.create_task(camera.start())
        await asyncio.sleep(0)
        camera.close_eyes()
        await opening
        await camera.stop()
        return device

    assert "start_image_stream" not in asyncio.run(session()).calls


def test_zoom_stays_in_range_focus_in_the_picture_and_a_missing_torch_is_false() -> None:
    async def session() -> Device:
        device = Device(is_streaming=True)
        camera = scanner(device, Heard(), Steady())
        assert await camera.zoom(9.0) == 4.0
        assert await camera.focus_at(0.5, 1.5)
        device.calls.append("no torch")
        assert not await camera.set_torch(True)
        return device

    calls = asyncio.run(session()).calls
    assert calls[:3] == ["zoom 4.0", "focus (0.5, 1.0)", "expose (0.5, 1.0)"]


def test_only_the_newest_waiting_frame_is_decoded() -> None:
    async def session() -> Heard:
        heard = Heard()
        loop = ScanLoop(
            on_scan=heard.on_scan, on_status=heard.on_status, now=lambda: T0, steady=Steady()
        )
        loop.offer(jpeg(None))
        for name in ("OLD-1", "OLD-2", "OLD-3"):
            loop.offer(jpeg(name))
        await loop.see(jpeg("NEWEST"))
        await loop.close()
        return heard

    assert [s.text for s in asyncio.run(session()).scans] == ["NEWEST"]


@pytest.mark.parametrize("blob", [b"", b"\xff\xd8\xff broken", b"not a picture at all"])
def test_bytes_that_are_no_picture_are_told_and_the_next_frame_is_read(blob: bytes) -> None:
    async def session() -> Heard:
        heard = Heard()
        loop = ScanLoop(
            on_scan=heard.on_scan, on_status=heard.on_status, now=lambda: T0, steady=Steady()
        )
        await loop.see(blob)
        await loop.see(jpeg("A-01-03"))
        await loop.close()
        return heard

    heard = asyncio.run(session())
    assert heard.statuses[0] is CameraStatus.FAILED
    assert [s.text for s in heard.scans] == ["A-01-03"]


def test_a_dark_aisle_asks_for_the_torch() -> None:
    async def session() -> Heard:
        heard = Heard()
        loop = ScanLoop(
            on_scan=heard.on_scan, on_status=heard.on_status, now=lambda: T0, steady=Steady()
        )
        dark = draw([], View(exposure=0.03), seed=1).image
        await loop.see(bytes(cv2.imencode(".jpg", dark)[1]))
        await loop.close()
        return heard

    assert asyncio.run(session()).statuses == [CameraStatus.TOO_DARK]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_sensors_rotation_is_taken_out(rotation: int) -> None:
    async def session() -> Heard:
        heard = Heard()
        loop = ScanLoop(
            on_scan=heard.on_scan, on_status=heard.on_status, now=lambda: T0, steady=Steady()
        )
        await loop.see(jpeg("A-01-03"), rotation)
        await loop.close()
        return heard

    assert [s.text for s in asyncio.run(session()).scans] == ["A-01-03"]
