"""The closed list of what a scanned text can mean. Values only; the rules are in `label`."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.contract.vocabulary import Unit
from app.scanner.gs1 import GsMessage


class CommandKind(StrEnum):
    """What a command label on the counter's lanyard asks for."""

    FINISH = "FINISH"
    UNDO = "UNDO"
    DAMAGED = "DAMAGED"
    EMPTY = "EMPTY"


@dataclass(frozen=True, slots=True, kw_only=True)
class BarcodeHit:
    """A barcode the catalogue knows: `factor` single pieces of `sku` in one `unit`."""

    sku: str
    unit: Unit
    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ValueError(f"a unit holds at least one piece, not {self.factor}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BinLabel:
    """A bin of this site."""

    bin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuLabel:
    """One SKU, one piece at a time. `barcode` is the form the catalogue knows."""

    sku: str
    unit: Unit
    barcode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLabel:
    """A pack of one SKU: `factor` pieces in one `unit`, from the catalogue, never guessed."""

    sku: str
    unit: Unit
    factor: int
    barcode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gs1Label:
    """A GS1 message; `hit` is what its GTIN is in the catalogue, None if it is not there."""

    message: GsMessage
    hit: BarcodeHit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SsccLabel:
    """A logistic unit (pallet, carton) by its number, with its content if it says so."""

    sscc: str
    content: Gs1Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command label."""

    kind: CommandKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A person's badge."""

    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentCode:
    """Where a new device reports, with what token, and whose certificate it must trust."""

    url: str
    token: str = field(repr=False)
    ca: str | None


class UnknownReason(StrEnum):
    """Why a text means nothing here."""

    NOT_IN_CATALOGUE = "not_in_catalogue"
    CHECK_DIGIT_WRONG = "check_digit_wrong"
    NOT_A_GS1_MESSAGE = "not_a_gs1_message"
    UNKNOWN_COMMAND = "unknown_command"
    EMPTY_BADGE = "empty_badge"
    ENROLMENT_BROKEN = "enrolment_broken"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nothing we know; `gtin` is set when it is at least a well-formed trade item number."""

    text: str
    reason: UnknownReason
    gtin: str | None = None


class AmbiguousReason(StrEnum):
    """Why one of several candidates was proposed."""

    BIN_LABEL = "bin_label"
    CATALOGUE_BARCODE = "catalogue_barcode"
    CASE_OF_KNOWN_PIECE = "case_of_known_piece"
    LOT_RUNS_TO_THE_END = "lot_runs_to_the_end"
    SEPARATOR_LOST = "separator_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One possible meaning and why."""

    meaning: "BinLabel | SkuLabel | CaseLabel | Gs1Label | SsccLabel"
    reason: AmbiguousReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """More than one meaning, or one that must be confirmed: a person chooses."""

    text: str
    candidates: tuple[Candidate, ...]


Meaning = (
    BinLabel
    | SkuLabel
    | CaseLabel
    | Gs1Label
    | SsccLabel
    | Command
    | Badge
    | EnrolmentCode
    | Ambiguous
    | Unknown
)
