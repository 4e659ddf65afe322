"""`make demo-check`: plays the whole loop here and says which step failed. Exit code 0 or 1.

python -m tests.loop [folder for the pictures]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.loop.play import play


def main(arguments: list[str]) -> int:
    """Play once, in a folder of its own that is kept when a step fails."""
    folder = Path(tempfile.mkdtemp(prefix="blindcount-check-"))
    pictures = Path(arguments[0]) if arguments else folder / "pictures"

    def say(words: str) -> None:
        sys.stdout.write(words + "\n")
        sys.stdout.flush()

    say(f"Playing the whole loop (data in {folder}) ...")
    try:
        with sync_playwright() as playwright:
            play(playwright, folder, pictures, say)
    except Exception as error:  # whatever fails is told, with where to look
        traceback.print_exc()
        say(f"\nThe step after the last one above failed: {error}")
        say(f"What was seen then: {pictures}; logs are in {folder}.")
        return 1
    shutil.rmtree(folder)
    say("The whole loop works.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
