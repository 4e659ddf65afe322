"""What a first load holds in memory: the same for a catalogue of any size, and for bytes of a stranger."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from pathlib import Path

import pytest

from app.contract.wire import SnapshotManifest, SnapshotPart
from app.store.snapshot import Download, SnapshotDamagedError

MEGABYTE = 1 << 20


@pytest.mark.parametrize("megabytes", [8, 64])
def test_a_part_that_holds_a_thousand_times_its_size_is_inflated_in_small_pieces(
    tmp_path: Path, megabytes: int
):
    plain = bytes(megabytes * MEGABYTE)
    packed = gzip.compress(plain)
    part = SnapshotPart(index=0, size=len(packed), sha256=hashlib.sha256(packed).hexdigest())
    manifest = SnapshotManifest(
        server_epoch="e",
        snapshot_id="s",
        rev=1,
        cursor="c",
        schema_version=1,
        size=len(plain),
        sha256=hashlib.sha256(plain).hexdigest(),
        rows={},
        parts=(part,),
    )
    download = Download(tmp_path / "download")
    download.begin(manifest)
    download.add(0, packed)
    download.check_part(manifest, 0)
    del plain

    tracemalloc.start()
    try:
        with pytest.raises(SnapshotDamagedError):  # all zeros: not the database it should be
            download.assemble(manifest, tmp_path / "target")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2 * MEGABYTE
