"""How the client's process looks for garbage."""

from __future__ import annotations

import gc


def spare_what_stays() -> None:
    """Do not look for garbage in what was loaded to start, nor every 700 new objects.

    Nearly everything a scan or a push makes is freed by its reference count. Looking through the
    toolkit and all models again and again made a batch take more than twice its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
