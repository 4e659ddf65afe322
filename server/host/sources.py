"""Rows out of a file: CSV, XLSX or JSON, a chunk at a time, so that memory does not grow with the file.

What a file is, is seen from its first bytes; a name that says otherwise is refused.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NoReturn

import openpyxl

from app.contract.problems import RefusalError
from server.host.mapping import ImportMapping

CHUNK_ROWS = 1000
"""Few enough to be forgotten before Python's collector of cycles has walked over them again and again."""
CSV_BYTES_MAX = 4 * 1024**3
"""Read a chunk at a time; the limit is there to stop a disk image, not a ledger."""
JSON_BYTES_MAX = 32 * 1024**2
XLSX_BYTES_MAX = 64 * 1024**2
"""A workbook holds 1,048,576 rows a sheet at most; that many movements are some 60 MB."""
XLSX_INFLATED_MAX = 2 * 1024**3
_LINE_CHARS_MAX = 1 << 20
_DELIMITERS = (",", ";", "\t")

Row = tuple[int, list[str]]
"""(line in the file, cells in the header's order)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened file: its header as written, and its rows in chunks with the share read so far."""

    header: list[str]
    chunks: Iterator[tuple[list[Row], float]]


def open_source(path: Path, mapping: ImportMapping, name: str | None = None) -> Source:
    """Open a file of rows. `name` is the name its owner gave it, where the path is a spool file.

    Raises RefusalError("file-unreadable") for what is empty, not text, or not what its name says;
    reading on raises the same where a later line cannot be read.
    """
    shown = name or path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        refuse(f"{shown}: {error.strerror or error}.")
    kind = _kind(start, shown)
    _refuse_if_large(kind, size, shown)
    match kind:
        case "xlsx":
            return _open_xlsx(path, mapping, shown)
        case "json":
            return _open_json(path, shown)
        case _:
            return _open_csv(path, size, mapping, shown)


def refuse(reason: str) -> NoReturn:
    """The file cannot be read, for this reason."""
    raise RefusalError("file-unreadable", reason=f"{reason} Nothing was imported.")


def _kind(start: bytes, name: str) -> str:
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        refuse(f"{name} is empty.")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        refuse(f"{name} is UTF-16 text. Save it as CSV UTF-8.")
    said = Path(name).suffix.lower()
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"PK\x03\x04"):
        found = "xlsx"
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        refuse(f"{name} is an old Excel file (.xls). Save it as .xlsx or CSV UTF-8.")
    elif b"\x00" in start:
        refuse(f"{name} is no text and no workbook.")
    else:
        found = "json" if text[:1] in b"[{" else "csv"
    expected = {".xlsx": "xlsx", ".json": "json", ".csv": "csv", ".txt": "csv", ".tsv": "csv"}
    if said in expected and expected[said] != found:
        refuse(f"{name} is not what its name says: it looks like {found.upper()}.")
    return found


def _refuse_if_large(kind: str, size: int, name: str) -> None:
    limit = {"json": JSON_BYTES_MAX, "xlsx": XLSX_BYTES_MAX}.get(kind, CSV_BYTES_MAX)
    if size > limit:
        refuse(
            f"{name} has {size // 1024**2} MB; {kind.upper()} is read up to {limit // 1024**2} MB. "
            "Save it as CSV UTF-8, or in parts."
        )


def _open_csv(path: Path, size: int, mapping: ImportMapping, name: str) -> Source:
    binary = path.open("rb")
    file = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
    try:
        first = file.readline(_LINE_CHARS_MAX)
        delimiter = mapping.delimiter or max(_DELIMITERS, key=first.count)
        header = next(csv.reader([first], delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        file.close()
        refuse(_text_problem(error, path, name, 1))
    rows = csv.reader(_lines(file), delimiter=delimiter, strict=True)

    def chunks() -> Iterator[tuple[list[Row], float]]:
        chunk: list[Row] = []
        with file:
            try:
                for cells in rows:
                    if cells:
                        chunk.append((rows.line_num + 1, cells))
                    if len(chunk) >= CHUNK_ROWS:
                        yield chunk, min(1.0, binary.tell() / size)
                        chunk = []
            except (UnicodeDecodeError, csv.Error) as error:
                # A line that was not handed over is not counted yet.
                line = rows.line_num + (2 if isinstance(error, _LongLineError) else 1)
                refuse(_text_problem(error, path, name, line))
            if chunk:
                yield chunk, 1.0

    return Source(header=header, chunks=chunks())


class _LongLineError(csv.Error):
    """A line that nobody would call a row."""


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    """The file's lines; _LongLineError for one that is no line of a table, before it fills the memory."""
    while line := file.readline(_LINE_CHARS_MAX):
        if len(line) == _LINE_CHARS_MAX:
            raise _LongLineError(f"it is longer than {_LINE_CHARS_MAX:,} characters")
        yield line


def _text_problem(error: Exception, path: Path, name: str, line: int) -> str:
    if isinstance(error, UnicodeDecodeError):
        line, byte = _first_not_utf8(path, error)
        return (
            f"{name} is not UTF-8: in line {line} there is the byte {byte:#04x}. "
            "Save it as CSV UTF-8."
        )
    return (
        f"{name} is not readable as CSV near line {line}: {error}. Is a quotation mark left open?"
    )


def _first_not_utf8(path: Path, error: UnicodeDecodeError) -> tuple[int, int]:
    """(line, byte) of the first byte that is not UTF-8: the reader is ahead of the line it gave."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        try:
            while piece := file.readline(_LINE_CHARS_MAX):
                decoder.decode(piece)
                line += piece.endswith(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as found:
            error = found
    return line, error.object[error.start]


def _open_xlsx(path: Path, mapping: ImportMapping, name: str) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            inflated = sum(part.file_size for part in archive.infolist())
        if inflated > XLSX_INFLATED_MAX:
            refuse(f"{name} unpacks to {inflated // 1024**2} MB. Save it as CSV UTF-8.")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        refuse(f"{name} is not a workbook that can be read: {error}.")
    if mapping.sheet is not None and mapping.sheet not in book.sheetnames:
        refuse(f"{name} has no sheet {mapping.sheet!r}; it has {', '.join(book.sheetnames)}.")
    sheet = book[mapping.sheet] if mapping.sheet is not None else book.worksheets[0]
    lines = sheet.iter_rows(values_only=True)
    first = next(lines, None)
    if first is None or all(cell is None for cell in first):
        refuse(f"{name}: the sheet {sheet.title!r} is empty.")
    header = [_cell_text(cell) for cell in first]

    def rows() -> Iterator[Row]:
        for line, cells in enumerate(lines, start=2):
            if any(cell is not None for cell in cells):
                yield line, [_cell_text(cell) for cell in cells]

    return Source(header=header, chunks=_chunked(rows(), sheet.max_row))


def _cell_text(cell: Any) -> str:
    """A workbook's cell as the text a person would have typed."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


def _open_json(path: Path, name: str) -> Source:
    try:
        # Numbers stay as they are written: a float would round, and lose a barcode's zeros.
        content = json.loads(path.read_bytes(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        refuse(f"{name} is not readable as JSON: {error}.")
    listed = content.get("rows") if isinstance(content, dict) else content
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        refuse(f'{name} must be a list of objects, or {{"rows": [...]}}.')
    header = list(dict.fromkeys(key for row in listed for key in row))

    def rows() -> Iterator[Row]:
        for number, row in enumerate(listed, start=1):
            yield number, [_json_text(row.get(key), name, number, key) for key in header]

    return Source(header=header, chunks=_chunked(rows(), len(listed)))


def _json_text(value: Any, name: str, number: int, key: str) -> str:
    if isinstance(value, dict | list):
        refuse(
            f"{name}, row {number}, {key}: a text or a number is expected, not {type(value).__name__}."
        )
    if value is None:
        return ""
    return _cell_text(value)


def _chunked(rows: Iterator[Row], total: int | None) -> Iterator[tuple[list[Row], float]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= CHUNK_ROWS:
            yield chunk, min(1.0, row[0] / total) if total else 0.0
            chunk = []
    if chunk:
        yield chunk, 1.0
