"""What the phone's lane leaves out, and why. Everything else runs in both lanes."""

from __future__ import annotations

import os

collect_ignore: list[str] = []
if os.environ.get("BLINDCOUNT_LANE") == "mobile":
    # These play a server or draw with its packages, which a phone has not; the full lane runs them.
    collect_ignore += [
        "app/review/test_review_away.py",
        "app/review/test_review_service.py",
        "app/screens/review/test_review_pages.py",
        "app/screens/review/test_review_screens.py",
        "app/sync/test_upkeep.py",
        "app/scanner/test_bad_pictures.py",
        "app/store/test_crash_images.py",
    ]
