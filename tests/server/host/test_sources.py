"""What is no table of rows is refused by name; what is one is read the same from every format."""

from __future__ import annotations

import json

import openpyxl
import pytest

from app.contract.problems import RefusalError
from server.host import sources
from server.host.mapping import ImportMapping, parse_mapping, read_mapping
from server.host.sources import open_source

ROWS = [["sku", "barcode"], ["S-1", "0012345678905"], ["S-2", ""]]


def read(path, **mapping):
    source = open_source(path, ImportMapping(**mapping))
    return source.header, [row for chunk, _ in source.chunks for row in chunk]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_is_read_with_whatever_separates_its_header(tmp_path, sign):
    path = tmp_path / "rows.csv"
    path.write_text("".join(sign.join(row) + "\r\n" for row in ROWS), encoding="utf-8-sig")

    assert read(path) == (ROWS[0], [(2, ROWS[1]), (3, ROWS[2])])


def test_a_workbook_is_read_as_its_text(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["sku", "quantity"])
    book.active.append(["S-1", 5.0])
    book.active.append([None, None])
    book.active.append([17, 2.5])
    book.save(tmp_path / "rows.xlsx")

    header, rows = read(tmp_path / "rows.xlsx")

    assert header == ["sku", "quantity"]
    assert rows == [(2, ["S-1", "5"]), (4, ["17", "2.5"])]


def test_json_numbers_keep_every_digit(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('{"rows": [{"sku": "S-1", "quantity": 0.1}, {"sku": 7, "lot": null}]}')

    header, rows = read(path)

    assert header == ["sku", "quantity", "lot"]
    assert rows == [(1, ["S-1", "0.1", ""]), (2, ["7", "", ""])]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf\r\n", "is empty"),
        ("a.csv", b"PK\x03\x04rest", "looks like XLSX"),
        ("a.xlsx", b"sku,bin\n", "looks like CSV"),
        ("a.json", b"sku,bin\n", "looks like CSV"),
        ("a.csv", b'[{"sku": 1}]', "looks like JSON"),
        ("a.xlsx", b"PK\x03\x04 not a workbook", "not a workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        ("a.csv", "sku\n".encode("utf-16"), "UTF-16"),
        ("a.csv", b"\x7fELF\x00\x00", "no text"),
        ("a.csv", "sku,description\nS-1,Käse\n".encode("latin-1"), "not UTF-8: in line 2.*0xe4"),
        ("a.csv", b"sku\n" + b"S-1\n" * 9000 + b"K\xe4\n", "not UTF-8: in line 9002.*0xe4"),
        ("a.csv", b"sku\nS-1\nK\xc3", "not UTF-8: in line 3.*0xc3"),
        ("a.csv", b"sku\nS-1\n" + b"x," * 600_000, "line 3: it is longer than 1,048,576"),
        ("a.csv", b'sku,description\nS-1,"open\nS-2,x\n', "quotation mark"),
        ("a.json", b'[{"sku": ', "not readable as JSON"),
        ("a.json", b"[1, 2]", "list of objects"),
        ("a.json", b'[{"sku": {"a": 1}}]', "row 1, sku"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(RefusalError, match=words) as refused:
        read(path)
    assert refused.value.code == "file-unreadable"
    assert name in refused.value.detail


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RefusalError, match=r"gone\.csv: No such file"):
        read(tmp_path / "gone.csv")


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(tmp_path):
    openpyxl.Workbook().save(tmp_path / "rows.xlsx")

    with pytest.raises(RefusalError, match=r"no sheet 'Stock'; it has Sheet"):
        read(tmp_path / "rows.xlsx", sheet="Stock")


def test_a_mapping_file_may_be_toml_or_json(tmp_path):
    (tmp_path / "m.toml").write_text('decimal_comma = true\n[columns]\nsku = "Artikel"\n')
    (tmp_path / "m.json").write_text(json.dumps({"columns": {"sku": "Artikel"}}))

    assert read_mapping(tmp_path / "m.toml").columns == {"sku": "Artikel"}
    assert read_mapping(tmp_path / "m.json").decimal_comma is False


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone.*not a zone"),
        ({"colums": {}}, "colums"),
        ({"delimiter": ";;"}, "delimiter"),
    ],
)
def test_a_wrong_mapping_says_where(content, words):
    with pytest.raises(RefusalError, match=words):
        parse_mapping(content, "m.toml")


@pytest.mark.parametrize(
    ("limit", "name", "content"),
    [
        ("JSON_BYTES_MAX", "a.json", b'[{"sku": "S-1"}]'),
        ("CSV_BYTES_MAX", "a.csv", b"sku,bin\nS-1,A\n"),
        ("XLSX_BYTES_MAX", "a.xlsx", b"PK\x03\x04 and so on"),
    ],
)
def test_a_file_over_its_formats_limit_is_refused_before_it_is_read(
    tmp_path, monkeypatch, limit, name, content
):
    monkeypatch.setattr(sources, limit, 5)
    (tmp_path / name).write_bytes(content)

    with pytest.raises(RefusalError, match=r"is read up to 0 MB. Save it as CSV UTF-8"):
        read(tmp_path / name)


def test_a_long_csv_comes_in_chunks_with_the_share_read(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("sku\n" + "S-1\n" * 12_000)

    chunks = list(open_source(path, ImportMapping()).chunks)

    assert [len(rows) for rows, _ in chunks] == [1000] * 12
    assert chunks[-1][0][-1] == (12_001, ["S-1"])
    assert [share for _, share in chunks] == sorted(share for _, share in chunks)
    assert chunks[-1][1] == 1.0
