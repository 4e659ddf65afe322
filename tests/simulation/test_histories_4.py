"""Whatever befalls devices, network and server, no count is lost, doubled or altered: share 4 of 4.

Four files, so that as many processes can take them; `shares.py` says how many histories and of which kind.
"""

from __future__ import annotations

import pytest

from tests.simulation.shares import live_through, share


@pytest.mark.slow
@pytest.mark.parametrize("seeds", share(3), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_whatever_happens_no_count_is_lost_doubled_or_altered(seeds):
    live_through(seeds)
