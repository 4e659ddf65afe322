"""Flet's component decorators with the types they lose, and a key for a component in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import flet as ft

P = ParamSpec("P")
R = TypeVar("R")


def remembered(fn: Callable[P, R]) -> Callable[P, R]:
    """A component that is drawn again only when its arguments differ."""
    memo = cast(Callable[[Callable[P, R]], Callable[P, R]], ft.memo)
    return memo(ft.component(fn))


def keyed(key: str, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a component with a key: in a list it then keeps its identity when rows move."""
    named: dict[str, Any] = {**kwargs, "key": key}
    return cast(Callable[..., R], fn)(*args, **named)


def pressed(press: Callable[[], Any]) -> Callable[[], None]:
    """A handler without parameters: Flet hands its event to any that would take one."""

    def handler() -> None:
        press()

    return handler


def kept_texts(**initial: str) -> dict[str, str]:
    """What is typed on this page, kept while its component lives; a hook, so call it at the top."""
    made: ft.MutableRef[dict[str, str]] = ft.use_ref(lambda: dict(initial))
    kept: dict[str, str] | None = made.current
    assert kept is not None, "made by the hook"
    return kept
