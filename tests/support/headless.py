"""A Flet page without Flutter: draws components in plain Python, presses keys, reads texts.

The only place that knows Flet's internals (sessions, connections, patches), pinned with flet itself.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flet as ft
import msgpack
from flet.components.component import Component
from flet.controls.base_control import BaseControl
from flet.controls.context import _context_page
from flet.messaging.connection import Connection
from flet.messaging.protocol import (
    InvokeMethodRequestBody,
    Message,
    configure_encode_object_for_msgpack,
)
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub


class _Recorder(Connection):
    """A client that takes every message and answers nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.pubsubhub = PubSubHub(loop=self.loop, executor=self.executor)
        self.messages: list[Message] = []

    def send_message(self, message: Message) -> None:
        # Packing is part of it: Flet takes its snapshots for the next difference while it packs.
        self.pack(message.body)
        self.messages.append(message)

    @staticmethod
    def pack(body: Any) -> bytes:
        """What would go over the wire."""
        default = configure_encode_object_for_msgpack(BaseControl)
        return bytes(msgpack.packb(body, default=default))


class Headless:
    """One page in memory. Use inside a running event loop."""

    def __init__(self, *, web: bool = True) -> None:
        self._client = _Recorder()
        self.session = Session(self._client)
        self.page = self.session.page
        self.page.web = web
        self.page.platform = ft.PagePlatform.LINUX
        self.page.route = "/"
        _context_page.set(self.page)

    def open(self) -> None:
        """The browser has the empty page: what is drawn from now on is sent as a difference."""
        self._client.pack(self.session.get_page_patch())

    async def lose(self) -> None:
        """The browser is gone; it may come back."""
        await self.session.disconnect(60)
        await self.settle()

    async def come_back(self) -> None:
        """The browser is back with the same page."""
        self._client = _Recorder()
        await self.session.connect(self._client)
        await self.settle()

    async def draw(self, component: Callable[..., Any], *args: Any) -> Headless:
        """Draw a component as the whole page."""
        self.open()
        self.page.render(component, *args)
        await self.settle()
        return self

    async def settle(self) -> None:
        """Let handlers, updates and effects run out."""
        for _ in range(12):
            await asyncio.sleep(0)

    @property
    def crashes(self) -> list[str]:
        """What would have been a red page."""
        return [
            str(m.body.message)
            for m in self._client.messages
            if type(m.body).__name__ == "SessionCrashedBody"
        ]

    def asked(self, method: str) -> list[tuple[int, str]]:
        """The browser was asked for that, by which controls, under which call ids."""
        return [
            (m.body.control_id, m.body.call_id)
            for m in self._client.messages
            if isinstance(m.body, InvokeMethodRequestBody) and m.body.name == method
        ]

    def arguments(self, method: str) -> list[dict[str, Any]]:
        """With what the browser was asked for it, each time."""
        return [
            m.body.args
            for m in self._client.messages
            if isinstance(m.body, InvokeMethodRequestBody) and m.body.name == method
        ]

    async def answer(self, method: str, result: Any) -> None:
        """The browser's answer to all calls of a method; raises what would end the connection."""
        for control_id, call_id in self.asked(method):
            self.session.handle_invoke_method_results(control_id, call_id, result, None)
        await self.settle()

    # -- reading

    def controls(self) -> Iterator[ft.BaseControl]:
        """All controls as drawn now, from the top; then what lies over them."""
        yield from _walk(self.page.views[0].controls)
        yield from _walk([d for d in self.page._dialogs.controls if d.open])

    def find(self, key: str) -> ft.BaseControl:
        """The control with that key."""
        for control in self.controls():
            if control.key == key and not isinstance(control, Component):
                return control
        raise AssertionError(f"no control {key!r}; there are {self.drawn_keys()}")

    def has(self, key: str) -> bool:
        """Whether a control of that key is drawn."""
        return key in self.drawn_keys()

    def drawn_keys(self) -> list[str]:
        """Keys of what is drawn."""
        return [
            str(c.key)
            for c in self.controls()
            if c.key is not None and not isinstance(c, Component)
        ]

    def texts(self) -> list[str]:
        """All texts as drawn, top to bottom."""
        return [c.value for c in self.controls() if isinstance(c, ft.Text) and c.value]

    def spoken(self) -> list[str]:
        """What is read out when it changes."""
        return [
            c.label
            for c in self.controls()
            if isinstance(c, ft.Semantics) and c.live_region and c.label
        ]

    # -- doing

    async def press(self, key: str) -> None:
        """Tap a control."""
        control = self.find(key)
        assert not getattr(control, "disabled", False), f"{key} cannot be pressed"
        await self.session.dispatch_event(control._i, "click", None)
        await self.settle()
        assert self.crashes == []

    async def type(self, key: str, text: str) -> None:
        """Type into a field."""
        control = self.find(key)
        self.session.apply_patch(control._i, {"value": text})
        await self.session.dispatch_event(control._i, "change", text)
        await self.settle()

    async def submit(self, key: str) -> None:
        """Enter in a field."""
        await self.session.dispatch_event(self.find(key)._i, "submit", None)
        await self.settle()


def _walk(value: Any) -> Iterator[ft.BaseControl]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _walk(each)
        return
    if not isinstance(value, ft.BaseControl):
        return
    yield value
    if isinstance(value, Component):
        yield from _walk(value._b)
        return
    for field in dataclasses.fields(value):
        if field.metadata.get("skip") or field.name.startswith("_"):
            continue
        yield from _walk(getattr(value, field.name, None))
