"""The peers' figures are only as good as what they are given, and a missing peer must be said."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.contract.codec import decode_event, hash_event
from app.contract.count_fold import CountStatus, fold_count
from tests.bench.peers import __main__ as peers
from tests.bench.peers import environments
from tests.bench.peers.backlog import write_documents
from tests.bench.peers.route import Route, fastest


def test_the_documents_are_whole_counts_in_an_unbroken_chain(tmp_path: Path):
    file = tmp_path / "documents.jsonl"

    size = write_documents(file, tmp_path / "device", 40)

    texts = file.read_text(encoding="utf-8").splitlines()
    events = [decode_event(text) for text in texts]
    assert [e.seq for e in events] == list(range(1, 41))
    assert [e.prev_hash for e in events[1:]] == [hash_event(text) for text in texts[:-1]]
    bins = [events[:20], events[20:]]
    counts = [fold_count(str(bin[0].count_id), bin) for bin in bins]
    assert [count.status for count in counts] == [CountStatus.CLOSED] * 2
    assert [count.oddities for count in counts] == [(), ()]
    assert 300 < size < 700


def test_a_backlog_that_cannot_be_made_of_whole_bins_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="20 events are unsent where 30 were asked for"):
        write_documents(tmp_path / "documents.jsonl", tmp_path / "device", 30)


def test_a_peer_is_quoted_with_its_fastest_route():
    slow = Route(what="slow", seconds=(3.0, 9.0, 4.0))
    fast = Route(what="fast", seconds=(2.0, 8.0, 7.5))

    assert fastest([slow, fast]) is fast
    assert (fast.best, fast.median) == (2.0, 7.5)


def test_a_machine_without_node_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(environments, "HOME", tmp_path / ".bench")

    code = peers.main(["pouchdb"])

    assert code == 1
    words = capsys.readouterr().err
    assert "there is no `node` here" in words
    assert "apt-get install nodejs npm" in words


def test_a_registry_out_of_reach_is_said_with_the_installers_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(environments, "HOME", tmp_path)
    for name, value in {"INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")

    code = peers.main(["tryton"])

    assert code == 1
    words = capsys.readouterr().err
    assert "could not be installed from PyPI" in words
    assert "Is there a network" in words
    assert not (tmp_path / "tryton" / ".ready").exists()


def test_a_name_that_no_peer_has_is_answered_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
):
    assert peers.main(["odoo"]) == 2
    assert "There are: tryton, pouchdb" in capsys.readouterr().err
