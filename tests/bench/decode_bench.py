"""Measures the scanner: `python -m tests.bench.decode_bench --photos DIR` (make bench-decode).

Sections, chosen with --section: photos (needs --photos), clean, shelf, clips, soak. All engines see
the same pictures in one process on one thread. Times are that thread's CPU milliseconds, so a
busy machine does not show; compare them with each other only. Figures go to docs/benchmarks.md
by hand; a benchmark is never a test.
"""

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.scanner.decode import Decoder
from app.scanner.engines.opencv import OpenCvEngine
from app.scanner.engines.zxing import ZxingEngine
from app.scanner.gs1 import expand_upc_e
from app.scanner.tracker import SightingKind, Tracker
from tests.support.shelf import View, draw, hand_held

Image = npt.NDArray[np.uint8]
Reader = Callable[[Image], list[tuple[str, str]]]

# What can be read is asked apart from how fast: a busy machine must not lower the level.
_FREE_MS = 2_000.0

LINEAR = ("EAN-13", "EAN-8", "UPC-A", "UPC-E", "Code128", "Code39", "ITF")
PHONE, ALL = "ours, phone engines", "ours, with zxing-cpp"


def say(line: str) -> None:
    """A line of the report, at once: a long run is watched."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def readers(budget_ms: float | None = None) -> dict[str, Reader]:
    """Ours in both outfits, and each engine alone as people use it."""
    from pyzbar import pyzbar

    phone, everything = (
        Decoder(("zbar", "opencv"), clock=time.thread_time),
        Decoder(clock=time.thread_time),
    )
    opencv, zxing = OpenCvEngine(), ZxingEngine()
    kinds = pyzbar.ZBarSymbol
    wanted = [kinds.EAN13, kinds.EAN8, kinds.UPCA, kinds.UPCE]
    wanted += [kinds.CODE128, kinds.CODE39, kinds.I25, kinds.QRCODE]

    def pyzbar_alone(image: Image) -> list[tuple[str, str]]:
        codes = pyzbar.decode(image, symbols=wanted)
        return [(c.data.decode("utf-8", "replace"), c.type) for c in codes]

    return {
        PHONE: lambda image: [
            (s.text, s.symbology.value) for s in phone.decode(image, budget_ms=budget_ms)
        ],
        ALL: lambda image: [
            (s.text, s.symbology.value) for s in everything.decode(image, budget_ms=budget_ms)
        ],
        "pyzbar": pyzbar_alone,
        "opencv": lambda image: [(r.text, r.symbology.value) for r in opencv.read(image)],
        "zxing-cpp": lambda image: [(r.text, r.symbology.value) for r in zxing.read(image)],
    }


def fold(text: str, symbology: str) -> str:
    """One form for one code: GS and AIM prefix dropped, EAN and UPC as 14 digits."""
    kind = "".join(c for c in symbology.lower() if c.isalnum())
    text = text.replace("\x1d", "").replace("\r\n", "\n").strip()
    if text.startswith("("):
        text = text.replace("(", "").replace(")", "")
    if kind in {"ean13", "ean8", "upca", "upce", "isbn13"} and text.isdigit():
        if kind == "upce" and len(text) == 8:
            text = expand_upc_e(text) or text
        return text.zfill(14)
    return text


@dataclass(slots=True)
class Tally:
    """What one reader did on one group of pictures."""

    codes: int = 0
    read: int = 0
    wrong: list[str] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        rate = f"{100 * self.read / self.codes:5.1f} %" if self.codes else "      -"
        p95 = float(np.percentile(self.ms, 95))
        median = statistics.median(self.ms)
        return (
            f"| {name:<22} | {self.codes:5} | {rate} | {len(self.wrong):5} "
            f"| {median:7.1f} | {p95:7.1f} |"
        )


def photos(folder: Path, sides: Sequence[int]) -> None:
    """Real photos with known answers: a folder with manifest.jsonl (its fields: docs/scanning.md)."""
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").open(encoding="utf-8")]
    all_readers = readers()
    for side in sides:
        tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
        for row in rows:
            image = _photo(folder / row["file"], side)
            for name, reader in all_readers.items():
                _judge(row, image, reader, name, tallies)
        say(f"\n### Photos, longest side {side} ({len(rows)} pictures)\n")
        for group in ("1-D", "QR", "DataMatrix", "ALL", *LINEAR, "NONE"):
            _table(group, all_readers, tallies)
        for (group, name), tally in tallies.items():
            if group == "ALL" and name in (PHONE, ALL):
                say(f"misreads of {name}: {tally.wrong or 'none'}")


def _photo(path: Path, side: int) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{path} is not a picture")
    if max(image.shape[:2]) > side:
        scale = side / max(image.shape[:2])
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _judge(
    row: dict[str, list[list[str]]],
    image: Image,
    reader: Reader,
    name: str,
    tallies: dict[tuple[str, str], Tally],
) -> None:
    before = time.thread_time()
    result = reader(image)
    spent = (time.thread_time() - before) * 1000
    got = {fold(text, kind) for text, kind in result}
    needed = {fold(t, s) for t, s in row["expected"]}
    any_of = {fold(t, s) for t, s in row["any_of"]}
    allowed = needed | any_of | {fold(t, s) for t, s in row["also"]}
    symbology = str(row["symbology"])
    groups = ["ALL", symbology] + (["1-D"] if symbology in LINEAR else [])
    for group in groups:
        tally = tallies[group, name]
        tally.codes += len(needed) + bool(any_of)
        tally.read += len(needed & got) + bool(any_of & got)
        tally.wrong += [f"{row['file']}: {text}" for text in sorted(got - allowed)]
        tally.ms.append(spent)


def _table(group: str, names: dict[str, Reader], tallies: dict[tuple[str, str], Tally]) -> None:
    say(f"\n| {group:<22} | codes | read    | wrong | median ms | p95 ms |")
    say("|---|---|---|---|---|---|")
    for name in names:
        say(tallies[group, name].row(name))


AXES: dict[str, tuple[str, tuple[float, ...]]] = {
    "pixels a module": ("module_px", (4, 3, 2.5, 2, 1.7, 1.5, 1.3, 1.1, 1.0)),
    "defocus, sigma px": ("blur_px", (0.6, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5)),
    "motion blur, px": ("motion_px", (0, 2, 4, 6, 8, 10, 12, 15)),
    "tilt about the bars": ("tilt_x", (0, 15, 30, 45, 55, 65, 72)),
    "tilt across the bars": ("tilt_y", (0, 15, 30, 45, 55, 65, 72)),
    "print contrast": ("contrast", (1, 0.6, 0.4, 0.25, 0.15, 0.1, 0.06, 0.04)),
    "noise, sigma": ("noise", (4, 10, 20, 30, 40, 60, 80)),
    "glare, share": ("glare", (0, 0.02, 0.05, 0.1, 0.2, 0.3)),
    "shrink wrap, level": ("wrap", (0, 1, 2, 3, 4)),
}
LABELS = (("A-01-03-B", "Code 128"), ("4006381333931", "EAN-13"), ("A-01-03-B", "QR"))


def clean_label() -> None:
    """One clean label in the middle of a 1280x720 frame: what a scan usually costs."""
    say("\n### A clean label in the middle, 1280x720, median CPU ms\n")
    all_readers = readers()
    for text, kind in LABELS:
        image = draw([(text, kind)], View(module_px=4.0, rotation=1.0), seed=1).image
        for name, reader in all_readers.items():
            spent = []
            for _ in range(9):
                before = time.thread_time()
                got = reader(image)
                spent.append((time.thread_time() - before) * 1000)
            has_read = fold(text, kind) in {fold(*r) for r in got}
            say(
                f"{kind:<9} {name:<22} {statistics.median(spent):6.1f} {'read' if has_read else '-'}"
            )


def shelf(repeats: int) -> None:
    """The level of each degradation at which half of the drawn labels are still read."""
    all_readers = readers(_FREE_MS)
    wrong: dict[str, int] = defaultdict(int)
    say("\n### Drawn shelf: last level with half still read\n")
    say("| label | axis | " + " | ".join(all_readers) + " |")
    say("|---|---|" + "---|" * len(all_readers))
    for text, kind in LABELS:
        for axis, (name, levels) in AXES.items():
            last = dict.fromkeys(all_readers, "none")
            for level in levels:
                views = _views(name, level, repeats)
                read = _level((text, kind), views, all_readers, wrong)
                for reader, count in read.items():
                    if 2 * count >= repeats:
                        last[reader] = f"{level:g}"
            say(f"| {kind} | {axis} | " + " | ".join(last.values()) + " |")
    say(f"\nwrong among all drawn labels: {dict(wrong) or 'none'}")


def _views(axis: str, level: float, repeats: int) -> list[View]:
    turns = [float(np.random.default_rng(seed).normal(0, 1.5)) for seed in range(repeats)]
    return [View(**{"module_px": 4.0, "rotation": turn, axis: level}) for turn in turns]


def _level(
    label: tuple[str, str],
    views: Sequence[View],
    all_readers: dict[str, Reader],
    wrong: dict[str, int],
) -> dict[str, int]:
    counts = dict.fromkeys(all_readers, 0)
    for seed, view in enumerate(views):
        image = draw([label], view, seed=seed).image
        for name, reader in all_readers.items():
            got = {fold(*r) for r in reader(image)}
            counts[name] += fold(*label) in got
            wrong[name] += bool(got - {fold(*label)})
    return counts


def clips(count: int) -> None:
    """Three frames of a shaky hand at 10 a second: accepted by the third, and never wrongly."""
    rng = np.random.default_rng(20)
    decoder = Decoder(("zbar", "opencv"))
    accepted, wrong, one_frame = 0, [], 0
    for number in range(count):
        text, kind = _random_label(rng)
        view = View(
            module_px=float(rng.uniform(2.5, 5)),
            rotation=float(rng.normal(0, 20)),
            tilt_x=float(rng.normal(0, 15)),
            tilt_y=float(rng.normal(0, 15)),
            blur_px=float(rng.uniform(0.5, 1.3)),
            motion_px=float(rng.uniform(0, 3)),
            noise=float(rng.uniform(2, 12)),
            contrast=float(rng.uniform(0.5, 1)),
            surround=int(rng.integers(40, 200)),
        )
        tracker = Tracker()
        for step, frame in enumerate(hand_held([(text, kind)], view, 3, seed=number)):
            sighting = tracker.see(
                decoder.decode(frame.image, budget_ms=_FREE_MS), step / 10, frame.image
            )
            if sighting.kind is SightingKind.ACCEPTED:
                got = sighting.scans[0]
                if fold(got.text, got.symbology.value) == fold(text, kind):
                    accepted, one_frame = accepted + 1, one_frame + (step == 0)
                else:
                    wrong.append(f"{kind} {text} as {got.text}")
                break
    say(f"\n### Clips of three frames: {count}\n")
    say(f"accepted within three frames: {accepted} ({100 * accepted / count:.1f} %)")
    say(f"accepted in the first frame: {one_frame}; wrong: {len(wrong)} {wrong[:5]}")


def soak(count: int) -> None:
    """Many small frames of every kind through one decoder: the process must not grow."""
    rng = np.random.default_rng(7)
    frames = [_soak_frame(rng, number) for number in range(60)]
    decoder = Decoder(("zbar", "opencv"))
    say(f"\n### Soak: {count} frames, memory in use (MB) on the way\n")
    read = 0
    for number in range(count):
        frame = frames[int(rng.integers(0, len(frames)))]
        moved = np.roll(frame, int(rng.integers(0, 8)), axis=1)
        # Mostly the quick attempts, as in a stream of good frames; one in fifty has all of them.
        read += len(decoder.decode(moved, budget_ms=4 if number % 50 else 200))
        if number % max(1, count // 10) == count // 20:
            say(f"{number:7} frames, {read:7} reads, {_memory_mb():6.1f} MB")
    say(f"{count:7} frames, {read:7} reads, {_memory_mb():6.1f} MB at the end")


def _soak_frame(rng: np.random.Generator, number: int) -> Image:
    kind = number % 5
    if kind == 0:
        return rng.integers(0, 255, (90, 160)).astype(np.uint8)
    if kind == 1:
        return np.full((int(rng.integers(1, 90)), int(rng.integers(1, 160))), 0, np.uint8)
    view = View(module_px=1.4, rotation=float(rng.normal(0, 5)), blur_px=0.5)
    return draw([_random_label(rng)], view, size=(240, 136), seed=number).image


def _memory_mb() -> float:
    """Resident memory of this process now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _random_label(rng: np.random.Generator) -> tuple[str, str]:
    aisle, bay, level = chr(65 + rng.integers(0, 26)), rng.integers(1, 60), rng.integers(1, 9)
    body = "".join(map(str, rng.integers(0, 10, 12)))
    weights = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body))
    ean = body + str(-weights % 10)
    choices = (
        (f"{aisle}-{bay:02}-{level:02}", "Code 128"),
        (ean, "EAN-13"),
        (f"{aisle}-{bay:02}-{level:02}", "QR"),
    )
    return choices[int(rng.integers(0, len(choices)))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chosen sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder with manifest.jsonl")
    parser.add_argument(
        "--section", choices=("photos", "clean", "shelf", "clips", "soak", "all"), default="all"
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[1280, 640])
    parser.add_argument("--repeats", type=int, default=10, help="drawn labels a level")
    parser.add_argument("--clips", type=int, default=2_000)
    parser.add_argument("--frames", type=int, default=100_000, help="frames of the soak")
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    if chosen.section in ("photos", "all"):
        if chosen.photos is None:
            parser.error("--photos names the folder of photos; or choose another --section")
        photos(chosen.photos, chosen.sides)
    if chosen.section in ("clean", "all"):
        clean_label()
    if chosen.section in ("shelf", "all"):
        shelf(chosen.repeats)
    if chosen.section in ("clips", "all"):
        clips(chosen.clips)
    if chosen.section in ("soak", "all"):
        soak(chosen.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
