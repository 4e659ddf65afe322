"""The doctor draws a label and reads it through each engine that is here."""

import json
import subprocess
import sys

import pytest

from app.scanner import doctor
from app.scanner.decode import decode
from app.scanner.events import EngineName


def test_every_engine_here_reads_the_drawn_label_and_names_its_version() -> None:
    report = doctor.examine()
    assert report.is_healthy
    assert [e.name for e in report.engines] == ["zbar", "opencv", "zxing"]
    assert all(e.has_read and e.version for e in report.engines)


def test_the_drawn_label_is_read_with_the_phones_engines_alone() -> None:
    scans = decode(doctor.sample_label(), engines=("zbar", "opencv"), budget_ms=2_000)
    assert [s.text for s in scans] == [doctor.SAMPLE_TEXT]


def test_an_engine_that_reads_nothing_is_sick_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = doctor._read
    monkeypatch.setattr(
        doctor, "_read", lambda name, scene: [] if name is EngineName.OPENCV else real(name, scene)
    )
    report = doctor.examine()
    assert not report.is_healthy
    (sick,) = [e for e in report.engines if not e.has_read]
    assert (sick.name, sick.is_available) == ("opencv", True)
    assert sick.reason
    assert sick.remedy


def test_it_runs_as_a_process_and_exits_zero_when_scanning_works() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "app.scanner.doctor"], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout)["is_healthy"] is True


WITHOUT_ZBAR = """
import ctypes.util, sys, json
ctypes.util.find_library = lambda name: None
import numpy as np
from app.scanner.decode import decode, engines_here
from app.scanner.doctor import sample_label, examine
zbar = engines_here()[0]
print(json.dumps({
    "available": zbar.is_available, "reason": zbar.reason, "remedy": zbar.remedy,
    "zxing": [s.text for s in decode(sample_label(), engines=("zbar", "zxing"), budget_ms=5000)],
    "healthy": examine().is_healthy,
}))
"""


def test_without_libzbar_the_other_engines_work_and_the_reason_is_data() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_ZBAR], capture_output=True, text=True, check=True
    )
    told = json.loads(run.stdout)
    assert told["available"] is False
    assert "zbar" in told["reason"]
    assert "libzbar0" in told["remedy"]
    assert told["zxing"] == [doctor.SAMPLE_TEXT]
    assert told["healthy"] is True
