"""What scanned texts mean on a site, whatever the symbology and with or without FNC1."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.vocabulary import SCAN_LENGTH_MAX, ScanSource, Unit
from app.scanner.events import ScanEvent, Symbology
from app.scanner.label import (
    Ambiguous,
    AmbiguousReason,
    Badge,
    BarcodeHit,
    BinLabel,
    CaseLabel,
    Command,
    CommandKind,
    EnrolmentCode,
    Gs1Label,
    SkuLabel,
    SsccLabel,
    Unknown,
    UnknownReason,
    interpret,
    interpret_event,
)

GS = "\x1d"
EACH = BarcodeHit(sku="48213", unit=Unit.EACH, factor=1)
CASE = BarcodeHit(sku="48213", unit=Unit.CASE, factor=12)
PIECE = BarcodeHit(sku="777", unit=Unit.EACH, factor=1)


@dataclass
class Tables:
    """A site's tables, exact look-ups only."""

    bins: dict[str, str] = field(default_factory=lambda: {"A-01-03": "A-01-03"})
    barcodes: dict[str, list[BarcodeHit]] = field(
        default_factory=lambda: {
            "4006381333931": [EACH],
            "14006381333938": [CASE],
            "036000291452": [PIECE],
            "012345000065": [PIECE],
            "96385074": [PIECE],
            "LUBE-400": [EACH],
        }
    )

    def lookup_bin(self, barcode: str) -> str | None:
        return self.bins.get(barcode)

    def lookup_barcode(self, text: str) -> list[BarcodeHit]:
        return self.barcodes.get(text, [])


SITE = Tables()


def test_a_plain_bin_code_is_a_bin() -> None:
    assert interpret("A-01-03", Symbology.CODE_128, SITE) == BinLabel(bin="A-01-03")
    assert interpret(" A-01-03\r\n", None, SITE) == BinLabel(bin="A-01-03")


@pytest.mark.parametrize(
    ("text", "symbology", "barcode", "sku"),
    [
        ("4006381333931", Symbology.EAN_13, "4006381333931", "48213"),
        ("]E04006381333931", None, "4006381333931", "48213"),
        ("036000291452", Symbology.UPC_A, "036000291452", "777"),
        ("0036000291452", Symbology.EAN_13, "036000291452", "777"),
        ("00036000291452", None, "036000291452", "777"),
        ("01234565", Symbology.UPC_E, "012345000065", "777"),
        ("01234565", None, "012345000065", "777"),
        ("96385074", Symbology.EAN_8, "96385074", "777"),
        ("LUBE-400", Symbology.CODE_39, "LUBE-400", "48213"),
    ],
)
def test_every_printed_form_of_a_piece_finds_its_sku(
    text: str, symbology: Symbology | None, barcode: str, sku: str
) -> None:
    assert interpret(text, symbology, SITE) == SkuLabel(sku=sku, unit=Unit.EACH, barcode=barcode)


def test_a_case_code_takes_its_factor_from_the_catalogue() -> None:
    expected = CaseLabel(sku="48213", unit=Unit.CASE, factor=12, barcode="14006381333938")
    assert interpret("14006381333938", Symbology.ITF, SITE) == expected
    assert interpret("14006381333938", None, SITE) == expected


def test_a_case_code_the_catalogue_lacks_is_asked_about_never_given_a_factor() -> None:
    meaning = interpret("24006381333935", Symbology.ITF, SITE)
    assert isinstance(meaning, Ambiguous)
    assert [(c.meaning, c.reason) for c in meaning.candidates] == [
        (
            SkuLabel(sku="48213", unit=Unit.EACH, barcode="4006381333931"),
            AmbiguousReason.CASE_OF_KNOWN_PIECE,
        )
    ]


@pytest.mark.parametrize(
    ("text", "symbology"),
    [
        (f"011400638133393810AB12{GS}17261231{GS}3712", Symbology.GS1_128),
        (f"]C1011400638133393810AB12{GS}17261231{GS}3712", None),
        (f"{GS}011400638133393810AB12{GS}172612313712", Symbology.CODE_128),
        ("(01)14006381333938(10)AB12(17)261231(37)12", None),
        (f"]d201140063813339381726123110AB12{GS}3712", None),
    ],
)
def test_a_gs1_case_label_gives_sku_lot_expiry_and_quantity_in_one_look(
    text: str, symbology: Symbology | None
) -> None:
    meaning = interpret(text, symbology, SITE)
    assert isinstance(meaning, Gs1Label)
    assert meaning.hit == CASE
    message = meaning.message
    assert message.gtin == "14006381333938"
    assert message.lot == "AB12"
    assert message.expiry == date(2026, 12, 31)
    assert message.count == Decimal(12)


def test_a_digital_link_is_a_message() -> None:
    url = "https://id.gs1.org/01/14006381333938/10/AB12/21/S9?17=261231"
    meaning = interpret(url, Symbology.QR, SITE)
    assert isinstance(meaning, Gs1Label)
    assert (meaning.hit, meaning.message.lot, meaning.message.serial) == (CASE, "AB12", "S9")


def test_a_bare_ean_is_a_gtin_although_it_parses_as_a_message() -> None:
    assert interpret("4006381333931", None, Tables(barcodes={})) == Unknown(
        text="4006381333931", reason=UnknownReason.NOT_IN_CATALOGUE, gtin="04006381333931"
    )


def test_a_lot_that_may_have_swallowed_the_expiry_is_asked_about() -> None:
    meaning = interpret("011400638133393810AB1217261231", Symbology.CODE_128, SITE)
    assert isinstance(meaning, Ambiguous)
    lots = {
        c.reason: (c.meaning.message.lot, c.meaning.message.expiry)
        for c in meaning.candidates
        if isinstance(c.meaning, Gs1Label)
    }
    assert lots == {
        AmbiguousReason.LOT_RUNS_TO_THE_END: ("AB1217261231", None),
        AmbiguousReason.SEPARATOR_LOST: ("AB12", date(2026, 12, 31)),
    }


@pytest.mark.parametrize(
    ("source", "symbology", "is_asked"),
    [
        (ScanSource.CAMERA, Symbology.GS1_128, False),
        (ScanSource.WEDGE, Symbology.GS1_128, True),
        (ScanSource.CAMERA, Symbology.CODE_128, True),
    ],
)
def test_a_symbol_the_camera_read_keeps_its_separators_and_is_not_asked_about(
    source: ScanSource, symbology: Symbology, is_asked: bool
) -> None:
    event = ScanEvent(
        text="011400638133393810AB1217261231",
        symbology=symbology,
        source=source,
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    meaning = interpret_event(event, SITE)
    assert isinstance(meaning, Ambiguous) is is_asked
    if isinstance(meaning, Gs1Label):
        assert (meaning.message.lot, meaning.message.expiry) == ("AB1217261231", None)


def test_a_message_of_fixed_fields_needs_no_separator() -> None:
    meaning = interpret("01140063813339381726123110AB12", None, SITE)
    assert isinstance(meaning, Gs1Label)
    assert (meaning.message.lot, meaning.message.expiry) == ("AB12", date(2026, 12, 31))


def test_a_day_of_zero_is_the_last_day_of_the_month() -> None:
    meaning = interpret("(01)14006381333938(17)270200", None, SITE)
    assert isinstance(meaning, Gs1Label)
    assert meaning.message.expiry == date(2027, 2, 28)


@pytest.mark.parametrize(
    "text",
    [
        "(01)14006381333939(10)AB12",
        "(01)14006381333938(17)270230",
        "01906626589574681121102566485330402152731515",
    ],
)
def test_a_broken_message_is_not_believed(text: str) -> None:
    meaning = interpret(text, Symbology.GS1_128, SITE)
    assert meaning == Unknown(text=text, reason=UnknownReason.NOT_A_GS1_MESSAGE)


@pytest.mark.parametrize(
    "text", ["00340123450000000017", "(00)340123450000000017", "340123450000000017"]
)
def test_a_pallet_number_is_an_sscc(text: str) -> None:
    assert interpret(text, None, SITE) == SsccLabel(sscc="340123450000000017")


def test_a_pallet_with_its_content_names_the_sku() -> None:
    meaning = interpret("(00)340123450000000017(02)14006381333938(37)40(10)L1", None, SITE)
    assert isinstance(meaning, SsccLabel)
    assert meaning.content is not None
    assert meaning.content.hit == CASE
    assert meaning.content.message.count == Decimal(40)
    assert meaning.content.message.is_content


def test_two_skus_with_one_barcode_are_candidates_not_a_choice() -> None:
    meaning = interpret("X", None, Tables(barcodes={"X": [EACH, PIECE]}))
    assert isinstance(meaning, Ambiguous)
    assert {c.meaning for c in meaning.candidates} == {
        SkuLabel(sku="48213", unit=Unit.EACH, barcode="X"),
        SkuLabel(sku="777", unit=Unit.EACH, barcode="X"),
    }


def test_a_text_that_is_bin_and_barcode_is_ambiguous_with_reasons() -> None:
    meaning = interpret("A-01-03", None, Tables(barcodes={"A-01-03": [EACH]}))
    assert isinstance(meaning, Ambiguous)
    assert [c.reason for c in meaning.candidates] == [
        AmbiguousReason.BIN_LABEL,
        AmbiguousReason.CATALOGUE_BARCODE,
    ]


def test_one_hit_through_two_twins_is_one_hit() -> None:
    twice = Tables(barcodes={"036000291452": [PIECE], "0036000291452": [PIECE]})
    assert interpret("0036000291452", Symbology.EAN_13, twice) == SkuLabel(
        sku="777", unit=Unit.EACH, barcode="0036000291452"
    )


def test_commands_badges_and_enrolment() -> None:
    for kind in CommandKind:
        assert interpret(f"BC:CMD:{kind.value}", Symbology.CODE_128, SITE) == Command(kind=kind)
    assert interpret("BC:CMD:EXPLODE", None, SITE) == Unknown(
        text="BC:CMD:EXPLODE", reason=UnknownReason.UNKNOWN_COMMAND
    )
    assert interpret("BC:USER:ana-7", None, SITE) == Badge(user_id="ana-7")
    assert interpret("BC:USER:", None, SITE) == Unknown(
        text="BC:USER:", reason=UnknownReason.EMPTY_BADGE
    )
    code = '{"v":1,"url":"https://10.0.0.5:8443","token":"s3cret","ca":"PEM"}'
    assert interpret(code, Symbology.QR, SITE) == EnrolmentCode(
        url="https://10.0.0.5:8443", token="s3cret", ca="PEM"
    )


@pytest.mark.parametrize(
    "code", ['{"v":2,"url":"https://x","token":"t"}', '{"v":1,"url":"file:///x","token":"t"}']
)
def test_a_broken_enrolment_code_never_echoes_its_token(code: str) -> None:
    assert interpret(code, Symbology.QR, SITE) == Unknown(
        text="", reason=UnknownReason.ENROLMENT_BROKEN
    )


def test_a_token_is_not_in_the_text_form_of_an_enrolment_code() -> None:
    assert "s3cret" not in repr(EnrolmentCode(url="https://x", token="s3cret", ca=None))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", UnknownReason.EMPTY),
        (GS, UnknownReason.EMPTY),
        ("x" * 4_100, UnknownReason.TOO_LONG),
        ("A\x00B", UnknownReason.UNPRINTABLE),
        ("A\x1b[31m", UnknownReason.UNPRINTABLE),
        ("[" * SCAN_LENGTH_MAX, UnknownReason.NOT_IN_CATALOGUE),
        ("{" * SCAN_LENGTH_MAX, UnknownReason.NOT_IN_CATALOGUE),
    ],
)
def test_texts_no_label_carries_are_refused_with_a_reason(text: str, reason: UnknownReason) -> None:
    meaning = interpret(text, None, SITE)
    assert isinstance(meaning, Unknown)
    assert meaning.reason is reason


def test_a_misread_retail_code_is_never_looked_up() -> None:
    assert interpret("4006381333932", Symbology.EAN_13, SITE) == Unknown(
        text="4006381333932", reason=UnknownReason.CHECK_DIGIT_WRONG
    )


@given(st.text(max_size=64), st.sampled_from([None, *Symbology]))
def test_any_text_has_a_meaning_and_nothing_raises(text: str, symbology: Symbology | None) -> None:
    meaning = interpret(text, symbology, SITE)
    known = {*SITE.bins.values(), *(h.sku for hits in SITE.barcodes.values() for h in hits)}
    if isinstance(meaning, BinLabel):
        assert meaning.bin in known
    if isinstance(meaning, SkuLabel | CaseLabel):
        assert meaning.sku in known
