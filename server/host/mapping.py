"""The mapping file: another system's column names, words, zone and decimal sign, put into ours.

TOML or JSON. Everything in it may be left out:

    time_zone = "Europe/Berlin"      # zone of times that name none
    decimal_comma = true             # 1,5 is one and a half
    check_gtin = false               # barcodes are numbers of your own
    delimiter = ";"                  # otherwise seen from the header
    sheet = "Export"                 # of a workbook; otherwise the first

    [columns]                        # ours = "theirs"
    sku = "Artikelnummer"
    quantity = "Menge"

    [defaults]                       # for columns the file does not have
    unit = "each"

    [words.unit]                     # theirs = "ours", per column
    Stk = "each"
    Krt = "case"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from app.contract.problems import RefusalError
from server.domain.cells import CellRules


class ImportMapping(BaseModel):
    """What a mapping file says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: str | None = None
    decimal_comma: bool = False
    check_gtin: bool = True
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    sheet: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    defaults: dict[str, str] = Field(default_factory=dict)
    words: dict[str, dict[str, str]] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"{name} is not a zone like Europe/Berlin") from error
        return name

    def rules(self) -> CellRules:
        """How cells are to be read."""
        return CellRules(
            zone=None if self.time_zone is None else ZoneInfo(self.time_zone),
            decimal_comma=self.decimal_comma,
            check_gtin=self.check_gtin,
            words=self.words,
        )


NO_MAPPING = ImportMapping()


def read_mapping(path: Path) -> ImportMapping:
    """Read a mapping file. RefusalError("file-unreadable") naming what is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            return parse_mapping(json.loads(text), path.name)
        return parse_mapping(tomllib.loads(text), path.name)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise RefusalError(
            "file-unreadable", reason=f"The mapping file {path.name}: {error}"
        ) from error


def parse_mapping(content: object, name: str) -> ImportMapping:
    """Check a mapping's content. RefusalError("file-unreadable") naming what is wrong in it."""
    try:
        return ImportMapping.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise RefusalError(
            "file-unreadable", reason=f"The mapping file {name}, {where}: {first['msg']}"
        ) from error


def renamed(header: list[str], mapping: ImportMapping) -> list[str]:
    """The file's header in our words. Names compare without case and surrounding spaces."""
    ours: Mapping[str, str] = {
        theirs.strip().lower(): our for our, theirs in mapping.columns.items()
    }
    plain = [name.strip().lower() for name in header]
    return [ours.get(name, name) for name in plain]
