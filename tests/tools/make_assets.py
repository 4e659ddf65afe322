"""Makes app/assets: tones, icon, splash. Run it after changing it: python tests/tools/make_assets.py

Everything is computed here, so it is ours; the one thing taken from elsewhere is the font (OFL).
"""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

from PIL import Image, ImageDraw

ASSETS = Path(__file__).resolve().parents[2] / "app" / "assets"
RATE = 22_050
LOUDNESS = 0.85

# (start Hz, end Hz, milliseconds, silence after it in milliseconds); research 4.6.
TONES: dict[str, list[tuple[float, float, int, int]]] = {
    "accept": [(2300, 2300, 80, 0)],
    "case": [(2300, 2300, 60, 50), (2300, 2300, 60, 0)],
    "attention": [(1200, 1200, 90, 60), (1200, 1200, 90, 60), (1200, 1200, 90, 0)],
    "reject": [(400, 400, 220, 80), (400, 400, 220, 0)],
    "undo": [(900, 500, 150, 0)],
    "done": [(1000, 1000, 80, 0), (1600, 1600, 80, 0), (2200, 2200, 120, 0)],
}


def samples(parts: list[tuple[float, float, int, int]]) -> list[float]:
    """The wave of a tone; each part fades in and out over 5 ms, so that it does not click."""
    made: list[float] = []
    for start, end, long_ms, silent_ms in parts:
        n = RATE * long_ms // 1000
        edge = RATE * 5 // 1000
        phase = 0.0
        for i in range(n):
            phase += 2 * math.pi * (start + (end - start) * i / n) / RATE
            fade = min(1.0, i / edge, (n - i) / edge)
            # A third harmonic carries through the low end of a handheld's small loudspeaker.
            made.append(fade * (0.8 * math.sin(phase) + 0.2 * math.sin(3 * phase)))
        made += [0.0] * (RATE * silent_ms // 1000)
    return made


def write_tone(name: str, parts: list[tuple[float, float, int, int]]) -> None:
    path = ASSETS / "tones" / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = b"".join(struct.pack("<h", int(32767 * LOUDNESS * value)) for value in samples(parts))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(frames)


def mark(size: int, *, ground: str | None) -> Image.Image:
    """Five bars of a barcode behind closed eyelids: a count that does not look at the book."""
    scale = 4
    big = size * scale
    image = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    if ground:
        draw.rectangle((0, 0, big, big), fill=ground)
    unit = big / 32
    bars = [(8, 1.5), (11, 3), (15.5, 1.5), (18.5, 3), (23, 1.5)]
    for x, wide in bars:
        draw.rounded_rectangle(
            (x * unit, 7 * unit, (x + wide) * unit, 18 * unit), radius=0.4 * unit, fill="#F3F6FA"
        )
    box = (6.5 * unit, 11 * unit, 25.5 * unit, 25 * unit)
    draw.arc(box, 15, 165, fill="#8AB4F8", width=int(2 * unit))
    for angle in (45, 90, 135):
        radians = math.radians(angle)
        x = 16 * unit + 9.5 * unit * math.cos(radians)
        y = 18 * unit + 7 * unit * math.sin(radians)
        tip = (x + 2.2 * unit * math.cos(radians), y + 2.2 * unit * math.sin(radians))
        draw.line([(x, y), tip], fill="#8AB4F8", width=int(1.6 * unit))
    return image.resize((size, size), Image.Resampling.LANCZOS)


def main() -> None:
    for name, parts in TONES.items():
        write_tone(name, parts)
    mark(1024, ground="#0B0F14").convert("RGB").save(ASSETS / "icon.png", optimize=True)
    mark(512, ground=None).save(ASSETS / "splash.png", optimize=True)
    total = sum(p.stat().st_size for p in (ASSETS / "tones").glob("*.wav"))
    print(f"tones: {total} bytes; icon and splash written to {ASSETS}")


if __name__ == "__main__":
    main()
