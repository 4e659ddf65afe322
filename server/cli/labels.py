"""`blindcount labels`: bin labels, command labels and badges as a PDF to print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli.opening import opened
from server.storage.records import all_bins, find_site
from server.story.sheet import bin_labels, command_labels, draw_sheet


def labels(
    file: Annotated[Path, typer.Argument(help="The PDF to write.")],
    *,
    zone: Annotated[str | None, typer.Option(help="Only bins of this zone.")] = None,
    commands: Annotated[
        bool, typer.Option(help="Also the labels Finish, Undo, Damaged and Empty.")
    ] = True,
) -> None:
    """Print bin labels (Code 128 of each bin's barcode), twelve to an A4 page, in walk order."""
    with opened(must_exist=True) as (database, settings, _rim), database.read() as session:
        bins = [it for it in all_bins(session, settings.site_id) if zone in {None, it.zone}]
        site = find_site(session, settings.site_id)
    if not bins:
        where = f"zone {zone}" if zone else "this site"
        typer.echo(f"There are no bins in {where}. Import them: blindcount import bins", err=True)
        raise typer.Exit(1)
    groups = [bin_labels([(it.bin, it.barcode) for it in bins])]
    if commands:
        groups.append(command_labels())
    name = settings.site_id if site is None else site.name
    file.write_bytes(draw_sheet(groups, f"Blindcount · {name}"))
    typer.echo(f"{file}: {len(bins)} bin labels. Print at full size, without fitting to the page.")
