"""What happens because time passes and nobody did anything: called by the server's own clock.

Any number of workers may do it at once: a case that one of them has moved is no longer overdue to the next.
"""

from __future__ import annotations

from server.clock import Rim
from server.services.casework import escalate_overdue
from server.services.comparing import Comparison, report_gaps
from server.storage.casework_lock import lock_for_casework
from server.storage.engine import Database

AT_ONCE = 500
"""Overdue cases that one transaction moves: a push waits no longer than that for the writer."""


def watch(database: Database, site_id: str, *, rim: Rim) -> int:
    """Give every overdue case to its owner's lead, and open cases for devices that went silent.

    How many cases went to a lead.
    """
    moved = 0
    while True:
        some = escalate_overdue(database, site_id, rim=rim, limit=AT_ONCE)
        moved += some
        if some < AT_ONCE:
            break
    with database.write() as session:
        lock_for_casework(session, site_id)
        report_gaps(Comparison(session=session, site_id=site_id, now=rim.now(), new_id=rim.new_id))
        session.commit()
    return moved
