"""Paper to scan: bin labels and the codes of what stands there, as a printable PDF.

Bins are Code 128 of their plain code, items the symbols a factory prints (EAN-13, UPC-A, EAN-8,
ITF-14, GS1-128), commands and badges Code 128 of `BC:…`. Sizes are what a webcam reads at arm's length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.graphics.barcode import createBarcodeDrawing
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

COMMANDS = ("BC:CMD:FINISH", "BC:CMD:UNDO", "BC:CMD:DAMAGED", "BC:CMD:EMPTY")
FNC1 = "\xf1"
_WIDGETS = {
    "EAN-13": "EAN13",
    "EAN-8": "EAN8",
    "UPC-A": "UPCA",
    "ITF": "I2of5",
    "GS1-128": "Code128",
    "Code 128": "Code128",
}
_MARGIN = 14 * mm
_CELL_WIDTH = 91 * mm
_CELL_HEIGHT = 44 * mm
_COLUMNS = 2
_ROWS = 6
_MODULE = 0.42 * mm
"""Width of the narrowest bar: 127 % of the EAN nominal, for webcams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One code on paper, with what a person reads above and below it."""

    text: str
    """What a scanner reads."""
    symbology: str = "Code 128"
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Labels that belong together; each group starts on a new page."""

    title: str
    labels: tuple[Label, ...]


def bin_labels(codes: Sequence[tuple[str, str]]) -> Group:
    """Labels of bins: (code, barcode) each."""
    return Group(
        title="Bins",
        labels=tuple(Label(text=barcode, title=code) for code, barcode in codes),
    )


def command_labels() -> Group:
    """The labels a gloved hand scans instead of touching the screen."""
    return Group(
        title="Commands",
        labels=tuple(
            Label(text=text, title=text.rpartition(":")[2].capitalize()) for text in COMMANDS
        ),
    )


def badge_labels(people: Sequence[tuple[str, str]]) -> Group:
    """Badges: (user id, name) each."""
    return Group(
        title="Badges",
        labels=tuple(Label(text=f"BC:USER:{user_id}", title=name) for user_id, name in people),
    )


def draw_sheet(groups: Sequence[Group], heading: str) -> bytes:
    """The PDF, A4, twelve labels to a page."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True)
    canvas.setTitle(heading)
    for page, (group, labels) in enumerate(_pages(groups), start=1):
        _draw_page(canvas, heading, group.title, labels, page)
    canvas.save()
    return buffer.getvalue()


def _pages(groups: Sequence[Group]) -> Iterator[tuple[Group, Sequence[Label]]]:
    per_page = _COLUMNS * _ROWS
    for group in groups:
        for start in range(0, len(group.labels), per_page):
            yield group, group.labels[start : start + per_page]


def _draw_page(
    canvas: Canvas, heading: str, title: str, labels: Sequence[Label], page: int
) -> None:
    width, height = A4
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawString(_MARGIN, height - _MARGIN, title)
    canvas.setFont("Helvetica", 9)
    canvas.drawRightString(width - _MARGIN, height - _MARGIN, f"{heading} · {page}")
    for number, label in enumerate(labels):
        row, column = divmod(number, _COLUMNS)
        left = _MARGIN + column * _CELL_WIDTH
        top = height - _MARGIN - 8 * mm - row * _CELL_HEIGHT
        _draw_label(canvas, label, left, top)
    canvas.showPage()


def _draw_label(canvas: Canvas, label: Label, left: float, top: float) -> None:
    canvas.setFont("Helvetica-Bold", 11)
    canvas.drawString(left, top - 4 * mm, label.title[:44])
    drawing = _drawing(label)
    scale = min(1.0, (_CELL_WIDTH - 8 * mm) / drawing.width)
    canvas.saveState()
    canvas.translate(left, top - 4 * mm - 24 * mm)
    canvas.scale(scale, 1.0)
    drawing.drawOn(canvas, 0, 0)
    canvas.restoreState()
    canvas.setFont("Helvetica", 8)
    below = f"{label.text}   {label.note}" if label.note else label.text
    canvas.drawString(left, top - 33 * mm, below[:60])


def _drawing(label: Label) -> Drawing:
    value = f"{FNC1}{label.text}" if label.symbology == "GS1-128" else label.text
    options = {"barHeight": 18 * mm, "humanReadable": False}
    if label.symbology == "ITF":
        # The text has its check digit already; the bars must not get a second one.
        options |= {"checksum": 0, "ratio": 2.5, "bearers": 0}
    return createBarcodeDrawing(_WIDGETS[label.symbology], value=value, barWidth=_MODULE, **options)
