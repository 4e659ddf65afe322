"""The floor's use-cases, as screens see them: one object, one state, verbs that answer with a band.

Every verb that counts appends events to the device's store and returns after COMMIT; only then does
the state change, and only the state makes a tone. Knows no Flet and no network.
"""

from __future__ import annotations

from app.counting.scans import Scans


class FloorService(Scans):
    """All verbs of the floor: signing in, bins, items, keypad, scans."""
