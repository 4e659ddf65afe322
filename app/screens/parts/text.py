"""Texts: plain words, and codes in the monospaced face with the slashed zero."""

from __future__ import annotations

import flet as ft

from app.screens import theme


def words(
    text: str,
    *,
    size: float = theme.BODY,
    color: str | None = None,
    strong: bool = False,
    lines: int | None = None,
    align: ft.TextAlign = ft.TextAlign.START,
    expand: bool = False,
    key: str | None = None,
) -> ft.Text:
    """A sentence or label. Never smaller than 14."""
    return ft.Text(
        text,
        size=max(size, theme.TEXT_MIN),
        color=color,
        weight=ft.FontWeight.W_600 if strong else ft.FontWeight.W_400,
        max_lines=lines,
        overflow=ft.TextOverflow.ELLIPSIS if lines else ft.TextOverflow.CLIP,
        text_align=align,
        expand=expand,
        key=key,
    )


def code(
    text: str,
    *,
    size: float = theme.SKU,
    color: str | None = None,
    lines: int | None = 1,
    expand: bool = False,
    key: str | None = None,
) -> ft.Text:
    """A bin, SKU, lot or barcode: never translated, never capitalised."""
    return ft.Text(
        text,
        size=max(size, theme.TEXT_MIN),
        color=color,
        font_family=theme.MONO,
        weight=ft.FontWeight.W_700,
        max_lines=lines,
        overflow=ft.TextOverflow.ELLIPSIS if lines else ft.TextOverflow.CLIP,
        expand=expand,
        key=key,
    )
