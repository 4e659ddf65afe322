"""PouchDB: 10,000 documents replicated over loopback into express-pouchdb, leveldb on both sides."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tests.bench.peers.backlog import EVENTS, write_documents
from tests.bench.peers.environments import HOME, INSIDE, node, pouchdb_modules, run_inside, say
from tests.bench.peers.route import Route

BATCH_SIZES = (100, 1000)
"""PouchDB's default, and one that needs a tenth of the requests."""
SECONDS_MAX = 600


def pouchdb_drain(*, documents: int = EVENTS, rounds: int = 5) -> list[Route]:
    """Seconds to replicate the backlog's events as documents, by batch size. Raises PeerMissingError.

    Not timed: making the documents, filling the source, starting the server. leveldb does not wait
    for the disk here (its default), and nothing is reconciled.
    """
    modules = pouchdb_modules()
    with tempfile.TemporaryDirectory(dir=HOME) as name:
        folder = Path(name)
        file = folder / "documents.jsonl"
        size = write_documents(file, folder / "device", documents)
        say(f"PouchDB: {documents} documents of {size} bytes on average ...")
        command = [node(), INSIDE / "pouchdb_drain.cjs", file, folder, rounds, *BATCH_SIZES]
        env = os.environ | {"NODE_PATH": str(modules)}
        printed = run_inside("PouchDB", command, env, seconds_max=SECONDS_MAX)
    taken: dict[str, list[float]] = json.loads(printed)
    return [
        Route(what=f"batches of {batch}, {size} bytes a document", seconds=tuple(seconds))
        for batch, seconds in taken.items()
    ]
