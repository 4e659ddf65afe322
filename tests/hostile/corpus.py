"""Bad inputs for the sync protocol, by family: bodies, envelopes, ids, events, batches, tokens."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from app.contract.codec import hash_event
from app.contract.events import GENESIS_HASH
from app.contract.ids import uuid7

BOOT = {"wall_ms": 1_790_000_000_000, "boot_ms": 1_000_000, "boot_id": "boot-1"}
SAMPLE = {
    "boot_id": "boot-1",
    "t0_boot_ms": 1000,
    "t0_wall_ms": 1_790_000_000_000,
    "t1_ms": 1_790_000_000_100,
    "t2_ms": 1_790_000_000_101,
    "t3_boot_ms": 1200,
}
WRONG: tuple[Any, ...] = (None, "", "x", -1, 2**63, 10**400, 1.5, True, [], {}, [[]], "\x00")
TEXTS = (
    *("", " ", "\x00", "a\x00b", "\n", "\r\n", "\t", "\x1b[2J", "\u202e123", "\u200b", "\ufeffx"),
    *(
        "🦆" * 64,
        "e\u0301",
        "é",
        "ﬁ",
        "İ",
        "ß",
        "\u2028",
        "\ud800",
        "\udfff\ud800",
        "%s%n",
        "../../x",
    ),
    *("'; DROP TABLE bin;--", "<script>alert(1)</script>", "=1+1", "+1", "-1", "@SUM(A1)", "|cmd"),
    *("A" * 65, "A" * 500, "A" * 501, "A" * 2001, "A" * 20_000, "A" * 1_000_000),
    *("null", "true", "0", "{}", "[]", '"', "\\", "${jndi:ldap://x}", "{{7*7}}", "A-01\u00a0"),
)
QUANTITIES = (
    *("-0", "0", "00", "007", "1e3", "1E-7", "1,5", "1.5.5", ".5", "5.", "+5", "-5", " 5", "5 "),
    *(
        "１２",
        "١٢",
        "1_000",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "",
        "abc",
        "1/2",
        "½",
        "\x005",
    ),
    *("1" + "0" * 30, "0." + "0" * 29 + "1", "9" * 25, "999999999999", "0.0000001", "1\n2", "５"),
)
IDS = (
    *("", "x", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    *("01890000-0000-4000-8000-000000000001", "01890000-0000-7000-8000-00000000000"),
    *("01890000-0000-7000-8000-0000000000011", "{01890000-0000-7000-8000-000000000001}"),
    *(
        "01890000-0000-7000-8000-00000000000A".upper(),
        "urn:uuid:01890000-0000-7000-8000-000000000001",
    ),
    *("\x00" * 36, "🦆" * 9, "A" * 64, "A" * 65, "A" * 5000, "' OR 1=1 --", "../x", "\ud800"),
)
TIMES = (-1, 0, 1, 2**31, 2**31 * 1000, 253_402_300_799_000, 2**48 - 1, 2**48, 2**53, 2**63, 10**30)
BARCODES = (
    *("4006381333932", "0" * 14, "\x1d01040063813339311721010110LOT\x1d21S", "]C10104006381333931"),
    *(
        "012345678905",
        "0012345678905",
        "4006381333931" * 2,
        "LOC-A-01",
        "",
        "9" * 4000,
        "A\x1dB",
        " ",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request. Every answer to it is below 500, quick, and says with a code what is wrong."""

    name: str
    method: str = "POST"
    path: str = "/sync/v1/push"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    has_token: bool = True


@dataclass
class Corpus:
    """Makes the cases for one enrolled install; its events are chained, so each is judged alone."""

    install_id: str
    epoch: str
    seq: int = 0
    previous: str = GENESIS_HASH
    _ids: int = 0

    def cases(self) -> Iterator[Case]:
        """All families, events in their own order."""
        families: tuple[Callable[[], Iterator[Case]], ...] = (
            self._bodies,
            self._envelopes,
            self._ids_of_events,
            self._events,
            self._batches,
            self._other_routes,
            self._enrolments,
            self._tokens,
        )
        for family in families:
            yield from family()

    # -- building

    def _id(self) -> str:
        self._ids += 1
        return uuid7(1_790_000_000_000, self._ids.to_bytes(10, "big"))

    def envelope(self, events: list[dict[str, Any]], **changed: Any) -> dict[str, Any]:
        """A good push but for what is changed."""
        return {
            "proto": 1,
            "server_epoch": self.epoch,
            "install_id": self.install_id,
            "app_version": "1",
            "clock": dict(BOOT),
            "samples": [dict(SAMPLE)],
            "events": events,
        } | changed

    def event(self, payload: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """The next event of the install, in its envelope's form."""
        self.seq += 1
        made: dict[str, Any] = {
            "v": 1,
            "id": self._id(),
            "seq": self.seq,
            "prev_hash": self.previous,
            "wall_ms": 1_790_000_000_000,
            "boot_ms": 60_000,
            "boot_id": "boot-1",
            "tz_min": 0,
            "user_id": "ana",
            "count_id": self._id(),
            "payload": payload,
        } | changed
        raw = json.dumps(made)
        self.previous = hash_event(raw)
        return {"id": str(made["id"])[:64] or "none", "seq": self.seq, "raw": raw}

    def _push(self, name: str, body: Any) -> Case:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Case(name=name, body=text)

    # -- families

    def _bodies(self) -> Iterator[Case]:
        good = json.dumps(self.envelope([]))
        bodies: dict[str, bytes] = {
            "empty": b"",
            "blank": b"   ",
            "not json": b"hello",
            "null": b"null",
            "a list": b"[]",
            "a number": b"1",
            "a text": b'"x"',
            "with a BOM": b"\xef\xbb\xbf" + good.encode(),
            "UTF-16": good.encode("utf-16"),
            "latin-1": good.replace("boot-1", "bööt").encode("latin-1"),
            "cut": good.encode()[:-20],
            "a tail": good.encode() + b"{}",
            "10,000 deep list": b"[" * 10_000 + b"]" * 10_000,
            "10,000 deep object": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
            "keys twice": good.replace('"proto": 1', '"proto": 1, "proto": 2').encode(),
            "NaN": good.replace('"proto": 1', '"proto": NaN').encode(),
            "Infinity": good.replace('"proto": 1', '"proto": Infinity').encode(),
            "1e400": good.replace('"proto": 1', '"proto": 1e400').encode(),
            "5,000 digits": good.replace('"proto": 1', '"proto": ' + "9" * 5000).encode(),
            "a million spaces": b" " * 1_000_000,
            "300 kB": b"[" + b"0," * 150_000 + b"0]",
            "single quotes": good.replace('"', "'").encode(),
            "unknown key": json.dumps(self.envelope([]) | {"expected": "1"}).encode(),
            "bytes": bytes(range(256)),
        }
        for name, body in bodies.items():
            yield Case(name=f"body: {name}", body=body)
            yield Case(
                name=f"gzip: {name}",
                body=gzip.compress(body),
                headers={"Content-Encoding": "gzip"},
            )
        encodings = ("br", "deflate", "zstd", "gzip, gzip", "x", "identity;q=1", "\x7f", "GZIP")
        for encoding in encodings:
            yield Case(
                name=f"encoding {encoding!r}",
                body=good.encode(),
                headers={"Content-Encoding": encoding},
            )
        bomb = gzip.compress(b"\x00" * 200_000_000, compresslevel=9)
        damaged = bytearray(gzip.compress(good.encode()))
        damaged[-6] ^= 1
        for name, body in {
            "bomb 1:1000": bomb,
            "damaged": bytes(damaged),
            "cut": gzip.compress(good.encode())[:-5],
            "two members": gzip.compress(good.encode()) * 2,
            "a tail": gzip.compress(good.encode()) + b"tail",
            "nested": gzip.compress(gzip.compress(good.encode())),
        }.items():
            yield Case(name=f"gzip {name}", body=body, headers={"Content-Encoding": "gzip"})

    def _envelopes(self) -> Iterator[Case]:
        for key in self.envelope([]):
            body = self.envelope([])
            del body[key]
            yield self._push(f"without {key}", body)
            for value in WRONG:
                body = self.envelope([]) | {key: value}
                yield self._push(f"{key}={_short(value)}", body)
        for key in BOOT:
            for value in WRONG[1:]:
                clock = BOOT | {key: value}
                yield self._push(f"clock.{key}={_short(value)}", self.envelope([], clock=clock))
        for key in SAMPLE:
            for value in WRONG:
                samples = [SAMPLE | {key: value}]
                body = self.envelope([], samples=samples)
                yield self._push(f"sample.{key}={_short(value)}", body)
        yield self._push("17 samples", self.envelope([], samples=[SAMPLE] * 17))

    def _ids_of_events(self) -> Iterator[Case]:
        note = {"type": "note.added", "text": "x"}
        for value in IDS:
            sent = self.event(note) | {"id": value}
            yield self._push(f"envelope id {value[:20]!r}", self.envelope([sent]))
            yield self._push(
                f"event id {value[:20]!r}", self.envelope([self.event(note, id=value)])
            )
            yield self._push(f"install {value[:20]!r}", self.envelope([], install_id=value))
            yield self._push(
                f"count {value[:20]!r}", self.envelope([self.event(note, count_id=value)])
            )

    def _events(self) -> Iterator[Case]:
        for name, payload, changed in _bad_events():
            yield self._push(name, self.envelope([self.event(payload, **changed)]))

    def _batches(self) -> Iterator[Case]:
        note = {"type": "note.added", "text": "x"}
        one = self.event(note)
        many = [one | {"id": f"{n}", "seq": n + 10_000} for n in range(501)]
        shuffled = [self.event(note) for _ in range(6)][::-1]
        batches: dict[str, list[dict[str, Any]]] = {
            "nothing": [],
            "501": many,
            "100,000": [{"id": "1", "seq": 1, "raw": ""}] * 30_000,
            "one id 50 times": [one] * 50,
            "backwards": shuffled,
            "raw is empty": [one | {"raw": ""}],
            "raw is 17 kB": [one | {"id": "big", "raw": "x" * 17_000}],
            "raw is 500 kB": [one | {"id": "big", "raw": "x" * 500_000}],
            "a hole": [one | {"id": "hole", "seq": 50_000}],
            "wrong previous": [self.event(note, prev_hash="1" * 64)],
        }
        for name, events in batches.items():
            yield self._push(f"batch: {name}", self.envelope(events))
        for seq in (0, -1, 2**53 - 1, 2**53, 2**63, 10**40, "1", 1.5, None):
            yield self._push(f"batch: seq {seq}", self.envelope([one | {"id": "s", "seq": seq}]))

    def _other_routes(self) -> Iterator[Case]:
        for cursor in (*TEXTS[1:30], "1~x~1~1~1", "1~~~~", "1~x~-1~0~0", f"1~{self.epoch}~9~9~9"):
            path = f"/sync/v1/pull?cursor={_quoted(cursor)}"
            yield Case(name=f"cursor {cursor[:20]!r}", method="GET", path=path)
        for limit in ("0", "-1", "5001", "x", "", "1e3", "9" * 30, "1.5"):
            yield Case(name=f"limit {limit}", method="GET", path=f"/sync/v1/pull?limit={limit}")
        for blob in ("", "!", "aGk", "aGk=" * 200_000, base64.b64encode(b"\x00\xff").decode(), "é"):
            body = {"install_id": self.install_id, "id": "q", "seq": 1, "blob_base64": blob}
            yield Case(
                name=f"opaque {blob[:10]!r}",
                path="/sync/v1/quarantine",
                body=json.dumps(body).encode(),
            )
        for value in (*IDS, *WRONG):
            body = {"install_id": self.install_id, "id": value, "seq": 1, "blob_base64": "aGk="}
            yield Case(
                name=f"opaque id {_short(value)}",
                path="/sync/v1/quarantine",
                body=json.dumps(body).encode(),
            )
        event = {"id": "r", "seq": 1, "raw": "x"}
        for install in (*IDS, *WRONG):
            for events in ([], [event]):
                body = {"install_id": install, "events": events}
                yield Case(
                    name=f"rescue of {_short(install)}, {len(events)}",
                    path="/sync/v1/rescue",
                    body=json.dumps(body).encode(),
                )
        for path in ("/sync/v1/nothing", "/sync/v2/push", "/sync/v1/push/", "/sync/v1/%00", "//"):
            yield Case(name=f"path {path}", path=path)
        for method in ("PUT", "DELETE", "PATCH", "GET", "OPTIONS"):
            yield Case(name=f"method {method}", method=method)

    def _enrolments(self) -> Iterator[Case]:
        good = {"token": "x" * 10, "install_id": self.install_id, "device_name": "d"}
        for key in good:
            for value in (*WRONG, "x" * 5000):
                body = good | {"app_version": "1", key: value}
                yield Case(
                    name=f"enrol {key}={_short(value)}",
                    path="/sync/v1/enrol",
                    body=json.dumps(body).encode(),
                    has_token=False,
                )

    def _tokens(self) -> Iterator[Case]:
        none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ."
        for token in (
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            f"Bearer {none}",
            "Basic YTpi",
            "x" * 5000,
        ):
            for path in ("/sync/v1/pull", "/sync/v1/hello", "/api/v1/people", "/api/v1/stock"):
                yield Case(
                    name=f"token {token[:12]!r} {path}",
                    method="GET",
                    path=path,
                    headers={"Authorization": token},
                    has_token=False,
                )


def _bad_events() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    note = {"type": "note.added", "text": "x"}
    item: dict[str, Any] = {
        "type": "item.counted",
        "line": {"sku": "S-1"},
        "entered": {"quantity": "1"},
    }
    for value in QUANTITIES:
        yield f"quantity {value[:12]!r}", item | {"entered": {"quantity": value}}, {}
        yield f"factor {value[:12]!r}", item | {"entered": {"quantity": "1", "factor": value}}, {}
    for value in (1, 1.5, None, True, [], {}, 10**400):
        yield f"quantity {_short(value)}", item | {"entered": {"quantity": value}}, {}
    for value in TEXTS:
        yield f"note {value[:12]!r}", note | {"text": value}, {}
        yield f"sku {value[:12]!r}", item | {"line": {"sku": value}}, {}
        yield f"lot {value[:12]!r}", item | {"line": {"sku": "S-1", "lot": value}}, {}
        yield f"bin {value[:12]!r}", {"type": "bin.opened", "bin": value}, {}
        yield f"user {value[:12]!r}", note, {"user_id": value}
        yield f"task {value[:12]!r}", note, {"task_id": value}
        yield f"boot {value[:12]!r}", note, {"boot_id": value}
        yield f"type {value[:12]!r}", {"type": value}, {}
    for value in BARCODES:
        scan = {"raw": value, "source": "camera"}
        yield f"scan {value[:12]!r}", {"type": "unknown.noted", "scan": scan}, {}
    for value in TIMES:
        yield f"wall {value}", note, {"wall_ms": value}
        yield f"boot {value}", note, {"boot_ms": value}
    for value in (-841, 841, 10**9, 1.5, "0"):
        yield f"zone {value}", note, {"tz_min": value}
    for value in (0, 2, 99, "1", None, -1):
        yield f"version {value}", note, {"v": value}
    yield "voids nothing", {"type": "event.voided", "voids": uuid7(1, bytes(10))}, {}
    yield "expiry", item | {"expiry": "2026-13-45"}, {}
    yield "no payload", {}, {}
    yield "expected smuggled in", item | {"expected": "1"}, {}


def _short(value: object) -> str:
    """For a case's name: huge numbers cannot even be printed."""
    if isinstance(value, int) and abs(value) > 10**20:
        return "huge"
    return repr(value)[:20]


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))
