"""`make bench-peers`: what others need for the same work, each in an environment of its own.

python -m tests.bench.peers [tryton] [pouchdb]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.bench.peers.environments import PeerMissingError
from tests.bench.peers.pouchdb import pouchdb_drain
from tests.bench.peers.route import fastest
from tests.bench.peers.tryton import LINES, tryton_inventory
from tests.bench.report import Figure, machine_line, print_figures


def tryton_figures() -> list[Figure]:
    """Lines per second by each route; the fastest is the one to be quoted."""
    routes = tryton_inventory()
    quoted = fastest(routes)
    return [
        Figure(
            what=route.what,
            value=LINES / route.best,
            unit="lines/s",
            note=route.spread() + (" (quoted)" if route is quoted else ""),
        )
        for route in routes
    ]


def pouchdb_figures() -> list[Figure]:
    """Seconds by batch size; the fastest is the one to be quoted."""
    routes = pouchdb_drain()
    quoted = fastest(routes)
    return [
        Figure(
            what=route.what,
            value=route.best,
            unit="s",
            note=route.spread() + (" (quoted)" if route is quoted else ""),
        )
        for route in routes
    ]


PEERS: dict[str, tuple[str, Callable[[], list[Figure]]]] = {
    "tryton": (
        "Tryton 8.0: an inventory of 2,000 lines, 200 different, entered and confirmed",
        tryton_figures,
    ),
    "pouchdb": ("PouchDB 9: 10,000 documents into express-pouchdb over loopback", pouchdb_figures),
}


def main(names: list[str]) -> int:
    """Print each peer's figures; 1 when one could not be measured, 2 for a name nobody has."""
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        sys.stderr.write(f"no such peer: {', '.join(unknown)}. There are: {', '.join(PEERS)}\n")
        return 2
    sys.stdout.write(f"Measured on {machine_line()}.\n")
    missing = []
    for name in names or PEERS:
        title, figures = PEERS[name]
        try:
            print_figures(title, figures())
        except PeerMissingError as error:
            missing.append(str(error))
    for words in missing:
        sys.stderr.write(f"\n{words}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
