"""The sync protocol's routes, version 1 (docs/protocol.md). Every answer says which server it is from."""

from __future__ import annotations

import base64
import binascii
import gzip
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as FastPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from pydantic import BaseModel, ValidationError

from app.contract.problems import RefusalError
from app.contract.wire import (
    BODY_BYTES_MAX,
    CONTENT_TYPE,
    EPOCH_HEADER,
    INFLATED_BYTES_MAX,
    PULL_ROWS_MAX,
    EnrolRequest,
    Hello,
    PushRequest,
    QuarantineRequest,
    Reply,
    RescueRequest,
)
from server.api.auth import DeviceDep, bearer
from server.api.bodies import read_body
from server.api.deps import Context, ContextDep
from server.services import access, enrolment, intake, pulling
from server.services.epochs import ensure_epoch
from server.storage.columns import to_us
from server.storage.events import find_install, settled_ids, sha256_at

router = APIRouter(prefix="/sync/v1", tags=["sync"])
GZIP_FROM = 1024
SMALL_BODY_MAX = 8 * 1024
OPAQUE_BYTES_MAX = BODY_BYTES_MAX * 2
M = TypeVar("M", bound=BaseModel)


def _answer(request: Request, reply: Reply, epoch: str) -> Response:
    body = reply.model_dump_json().encode()
    headers = {EPOCH_HEADER: epoch, "Cache-Control": "no-store"}
    if len(body) >= GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=4, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=CONTENT_TYPE, headers=headers)


def _parse(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise RefusalError("request-invalid", where=where, reason=first["msg"]) from error


@router.get("/hello")
def hello(request: Request, context: ContextDep) -> Response:
    """Who the server is, what it accepts, what time it has; with a token, how far it holds this device."""
    started_ms = _now_ms(context)
    epoch = ensure_epoch(context.database, context.site_id, context.rim)
    high_seq, high_sha256, audit_head = 0, "", ""
    settled: list[str] = []
    if "authorization" in request.headers:
        token = bearer(request)
        with context.database.read() as session:
            device = access.device_of_token(session, context.site_id, token)
            install = find_install(session, context.site_id, device.install_id)
            if install is not None:
                high_seq, audit_head = install.high_seq, install.audit_head
                high_sha256 = sha256_at(session, context.site_id, device.install_id, high_seq)
                settled = settled_ids(session, context.site_id, device.install_id)
    reply = Hello(
        server_epoch=epoch,
        site_id=context.site_id,
        t1_ms=started_ms,
        t2_ms=_now_ms(context),
        min_app=context.settings.min_app,
        high_seq=high_seq,
        high_sha256=high_sha256,
        audit_head=audit_head,
        held_settled=tuple(settled),
    )
    return _answer(request, reply, epoch)


@router.post("/enrol")
async def enrol(request: Request, context: ContextDep) -> Response:
    """Exchange a one-time code for this device's token and PIN key."""
    context.knocks.check(_caller(request), context.rim.now())
    body = await read_body(request, limit=SMALL_BODY_MAX, inflated_limit=SMALL_BODY_MAX)
    wanted = _parse(EnrolRequest, body)
    reply = await run_in_threadpool(
        enrolment.enrol, context.database, context.site_id, wanted, rim=context.rim
    )
    return _answer(request, reply, reply.server_epoch)


@router.post("/push")
async def push(request: Request, context: ContextDep, device: DeviceDep) -> Response:
    """Store a batch of events; the word on each of them. An id that is not listed is not stored."""
    body = await read_body(request, limit=BODY_BYTES_MAX, inflated_limit=INFLATED_BYTES_MAX)
    sent = await run_in_threadpool(_parse, PushRequest, body)
    reply = await run_in_threadpool(
        intake.push, context.database, context.site_id, device, sent, rim=context.rim
    )
    return _answer(request, reply, reply.server_epoch)


@router.post("/quarantine")
async def quarantine(request: Request, context: ContextDep, device: DeviceDep) -> Response:
    """Keep one event as opaque bytes: it made the server refuse the batch it was in."""
    body = await read_body(request, limit=OPAQUE_BYTES_MAX, inflated_limit=OPAQUE_BYTES_MAX)
    wanted = _parse(QuarantineRequest, body)
    try:
        raw = base64.b64decode(wanted.blob_base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError("request-invalid", where="blob_base64", reason="not base64") from error
    reply = await run_in_threadpool(
        intake.hold_opaque, context.database, context.site_id, device, wanted, raw, rim=context.rim
    )
    epoch = ensure_epoch(context.database, context.site_id, context.rim)
    return _answer(request, reply, epoch)


@router.post("/rescue")
async def rescue(request: Request, context: ContextDep, device: DeviceDep) -> Response:
    """Take in events of an install that cannot send them itself."""
    body = await read_body(request, limit=BODY_BYTES_MAX, inflated_limit=INFLATED_BYTES_MAX)
    wanted = await run_in_threadpool(_parse, RescueRequest, body)
    reply = await run_in_threadpool(
        intake.rescue, context.database, context.site_id, device, wanted, rim=context.rim
    )
    epoch = ensure_epoch(context.database, context.site_id, context.rim)
    return _answer(request, reply, epoch)


@router.get("/pull")
def pull(
    request: Request,
    context: ContextDep,
    device: DeviceDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=PULL_ROWS_MAX)] = PULL_ROWS_MAX,
) -> Response:
    """The next page of reference data after the cursor."""
    reply = pulling.pull(context.database, context.site_id, device, cursor, limit, rim=context.rim)
    return _answer(request, reply, reply.server_epoch)


@router.get("/snapshot")
def snapshot(request: Request, context: ContextDep, _device: DeviceDep) -> Response:
    """What the prebuilt reference file consists of."""
    manifest = context.snapshots.manifest(context.database, context.site_id, rim=context.rim)
    return _answer(request, manifest, manifest.server_epoch)


@router.get("/snapshot/{name}/{index}")
def snapshot_part(
    name: str,
    index: Annotated[int, FastPath(ge=0, lt=100_000)],
    context: ContextDep,
    _device: DeviceDep,
) -> Response:
    """One part's bytes; `Range: bytes=N-` goes on where a cut left it."""
    path = context.snapshots.part(name, index)
    epoch = ensure_epoch(context.database, context.site_id, context.rim)
    return FileResponse(path, media_type="application/octet-stream", headers={EPOCH_HEADER: epoch})


def _now_ms(context: Context) -> int:
    return to_us(context.rim.now()) // 1000


def _caller(request: Request) -> str:
    return request.client.host if request.client else "unknown"
