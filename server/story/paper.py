"""The story's own sheet: its bins, then the packs that stand in those that are to be counted."""

from __future__ import annotations

from collections.abc import Iterator

from server.story.build import Story
from server.story.sheet import (
    Group,
    Label,
    badge_labels,
    bin_labels,
    command_labels,
    draw_sheet,
)
from server.story.truths import Seen


def story_sheet(story: Story) -> bytes:
    """A PDF to print or to show to a webcam: commands and badges, then per planned bin what is in it."""
    groups = [
        command_labels(),
        badge_labels([(person.user_id, person.name) for person in story.people]),
        *_shelves(story),
        bin_labels([(place.bin, place.bin) for place in story.bins]),
    ]
    return draw_sheet(groups, f"Blindcount · {story.site_name}")


def _shelves(story: Story) -> Iterator[Group]:
    names = {sku.sku: sku.description for sku in story.skus}
    for task in story.tasks:
        truth = story.truth[task.bin]
        packs = tuple(_pack(pack, names) for pack in truth.seen)
        empty = " (empty)" if truth.is_empty else ""
        yield Group(
            title=f"Bin {task.bin}{empty}",
            labels=(Label(text=task.bin, title=f"Bin {task.bin}"), *packs),
        )


def _pack(pack: Seen, names: dict[str, str]) -> Label:
    """A pack's code. How many there are is on the paper because the paper stands for the shelf."""
    condition = "" if pack.condition == "good" else f", {pack.condition}"
    unit = "" if pack.factor == 1 else f" {pack.unit} of {pack.factor}"
    return Label(
        text=pack.barcode,
        symbology=pack.symbology,
        title=names.get(pack.sku, "Unknown item"),
        note=f"there are {pack.quantity}{unit}{condition}",
    )
