"""`make bench-peers`: the same work by others and by Blindcount, each peer in an environment of its own.

python -m tests.bench.peers [tryton] [pouchdb]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.bench.peers.environments import PeerMissingError, say
from tests.bench.peers.ours import ours_drain, ours_inventory
from tests.bench.peers.pouchdb import pouchdb_drain
from tests.bench.peers.route import Route, fastest
from tests.bench.peers.tryton import LINES, tryton_inventory
from tests.bench.report import Figure, machine_line, print_figures

INVENTORY_TIMES = 100
"""At least so many of Tryton's lines per second."""
DRAIN_SHARE = 0.7
"""At most this share of PouchDB's seconds."""
OUR_ROUNDS = 2


def inventory_figures() -> list[Figure]:
    """Lines per second: Tryton by each route, then ours beside its fastest."""
    routes = tryton_inventory()
    quoted = fastest(routes)
    say("Blindcount: the same inventory ...")
    runs = [ours_inventory() for _ in range(OUR_ROUNDS)]
    entered = Route(
        what="Blindcount: pushed, stored and reconciled", seconds=tuple(r.entered for r in runs)
    )
    whole = Route(
        what="Blindcount: the same, and each difference approved and posted",
        seconds=tuple(r.total for r in runs),
    )
    return [
        *(_peer("Tryton", r, quoted, LINES / r.best, "lines/s") for r in routes),
        Figure(
            what=entered.what, value=LINES / entered.best, unit="lines/s", note=entered.spread()
        ),
        Figure(
            what=whole.what,
            value=LINES / whole.best,
            unit="lines/s",
            limit=INVENTORY_TIMES * LINES / quoted.best,
            at_least=True,
            floor_name="Tryton, quoted",
            floor=LINES / quoted.best,
            note=whole.spread(),
        ),
    ]


def drain_figures() -> list[Figure]:
    """Seconds: PouchDB by batch size, then ours beside its fastest."""
    routes = pouchdb_drain()
    quoted = fastest(routes)
    say("Blindcount: the same backlog ...")
    ours = Route(
        what="Blindcount: stored durably and reconciled",
        seconds=tuple(ours_drain() for _ in range(OUR_ROUNDS)),
    )
    return [
        *(_peer("PouchDB", r, quoted, r.best, "s") for r in routes),
        Figure(
            what=ours.what,
            value=ours.best,
            unit="s",
            limit=DRAIN_SHARE * quoted.best,
            floor_name="PouchDB, quoted",
            floor=quoted.best,
            note=ours.spread(),
        ),
    ]


def _peer(name: str, route: Route, quoted: Route, value: float, unit: str) -> Figure:
    note = route.spread() + (" (quoted)" if route is quoted else "")
    return Figure(what=f"{name}: {route.what}", value=value, unit=unit, note=note)


PEERS: dict[str, tuple[str, Callable[[], list[Figure]]]] = {
    "tryton": (
        "Beside Tryton 8.0: an inventory of 2,000 lines, 200 different, entered and confirmed",
        inventory_figures,
    ),
    "pouchdb": (
        "Beside PouchDB 9 and express-pouchdb: a backlog of 10,000 drained over loopback",
        drain_figures,
    ),
}


def main(names: list[str]) -> int:
    """Print the figures beside each peer; 1 when one could not be measured, 2 for an unknown name."""
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
