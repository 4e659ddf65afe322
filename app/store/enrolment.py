"""Who this install is, and to which server it belongs. Secrets are in the vault, the rest in ops.db."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection

from app.contract.wire import EnrolReply
from app.store.notes import set_setting, setting
from app.store.vault import Vault

_PLAIN = ("server_url", "device_id", "device_name", "site_id", "site_name", "server_epoch")
TOKEN = "device_token"
PEPPER = "pin_pepper"
INSTALL = "install_id"
OF_THE_INSTALL = frozenset(
    {INSTALL, "device_id", "server_epoch", "site_id", "confirmed_mark", "held_settled"}
)
"""Settings that say who this install is: another install starts without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The device's standing with one server."""

    server_url: str
    device_id: str
    device_name: str
    site_id: str
    site_name: str
    server_epoch: str
    """The server's identity as last seen; another one means it was restored from a copy."""
    device_token: str
    pin_pepper: str


def load_enrolment(db: Connection, vault: Vault) -> Enrolment | None:
    """The enrolment, or None when there is none or its secrets are gone (then: enrol again)."""
    plain = {name: setting(db, name) for name in _PLAIN}
    token, pepper = vault.get(TOKEN), vault.get(PEPPER)
    found = {name: value for name, value in plain.items() if value is not None}
    if token is None or pepper is None or len(found) != len(_PLAIN):
        return None
    return Enrolment(**found, device_token=token, pin_pepper=pepper)


def save_enrolment(
    db: Connection, vault: Vault, reply: EnrolReply, *, server_url: str, device_name: str
) -> Enrolment:
    """Keep what the server answered. Secrets first: without them the rest is not an enrolment."""
    vault.put(TOKEN, reply.device_token)
    vault.put(PEPPER, reply.pin_pepper)
    values = {
        "server_url": server_url,
        "device_id": reply.device_id,
        "device_name": device_name,
        "site_id": reply.site_id,
        "site_name": reply.site_name,
        "server_epoch": reply.server_epoch,
    }
    for name, value in values.items():
        set_setting(db, name, value)
    return Enrolment(**values, device_token=reply.device_token, pin_pepper=reply.pin_pepper)


def drop_enrolment(db: Connection, vault: Vault) -> None:
    """The server revoked this device, or its identity was copied. Events stay."""
    vault.put(TOKEN, None)
    vault.put(PEPPER, None)
    set_setting(db, "device_id", None)
