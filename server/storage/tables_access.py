"""Tables of who may do what: people, devices, enrolment codes, sign-ins, API keys. Rows only.

Secrets that others present (tokens, codes, keys) are kept as SHA-256; they are random and long, so
a slow hash would add nothing. PINs are short: Argon2id.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from server.storage.columns import CodeText


class PersonRow(SQLModel, table=True):
    """Somebody who counts, reviews or looks on."""

    __tablename__ = "person"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    user_id: str = Field(primary_key=True, sa_type=CodeText)
    name: str
    role: str = Field(sa_type=CodeText)
    is_active: bool = True
    pin_salt: str = Field(default="", sa_type=CodeText)
    """Hex. "" for somebody without a PIN: cannot sign in."""
    pin_prehash: str = Field(default="", sa_type=CodeText)
    """Hex of Argon2id(PIN, salt); a device gets an HMAC of it under its own key."""
    approve_limit_u: int = Field(default=0, sa_type=BigInteger)
    """Largest absolute value, in millionths of the site's currency, this person may approve."""
    zones: str = ""
    """Zones this person looks after, separated by blanks; "" for all of them."""
    failures: int = 0
    """Wrong PINs at sign-in since the last right one."""
    failed_us: int = Field(default=0, sa_type=BigInteger)


class DeviceRow(SQLModel, table=True):
    """A handheld, tablet or browser that counts."""

    __tablename__ = "device"
    __table_args__ = (
        Index("ix_device_token", "site_id", "token_sha256", unique=True),
        Index("ix_device_install", "site_id", "install_id"),
    )

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    device_id: str = Field(primary_key=True, sa_type=CodeText)
    name: str
    install_id: str = Field(sa_type=CodeText)
    """The copy of the app's data this token was given to; another one is refused."""
    token_sha256: str = Field(sa_type=CodeText)
    pin_pepper: str = Field(sa_type=CodeText)
    state: str = Field(default="active", sa_type=CodeText)
    """active, revoked, forked."""
    app_version: str = ""
    enrolled_us: int = Field(sa_type=BigInteger)
    seen_us: int = Field(sa_type=BigInteger)


class EnrolCodeRow(SQLModel, table=True):
    """A one-time permission to enrol one device."""

    __tablename__ = "enrol_code"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    code_sha256: str = Field(primary_key=True, sa_type=CodeText)
    created_by: str = Field(sa_type=CodeText)
    expires_us: int = Field(sa_type=BigInteger)
    used_us: int | None = Field(default=None, sa_type=BigInteger)
    used_by: str = Field(default="", sa_type=CodeText)
    """The install that used it: its own retry after a lost reply is answered again."""


class SignInRow(SQLModel, table=True):
    """A supervisor's session at the desk or tablet."""

    __tablename__ = "sign_in"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "user_id"], ["person.site_id", "person.user_id"]),
    )

    site_id: str = Field(primary_key=True, sa_type=CodeText)
    token_sha256: str = Field(primary_key=True, sa_type=CodeText)
    user_id: str = Field(sa_type=CodeText)
    expires_us: int = Field(sa_type=BigInteger)


class ApiKeyRow(SQLModel, table=True):
    """What an integrator's program presents instead of a PIN."""

    __tablename__ = "api_key"

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    key_sha256: str = Field(primary_key=True, sa_type=CodeText)
    name: str
    role: str = Field(sa_type=CodeText)
    created_us: int = Field(sa_type=BigInteger)
    revoked_us: int | None = Field(default=None, sa_type=BigInteger)


class AccessHistoryRow(SQLModel, table=True):
    """Who enrolled, revoked, changed or signed in what, and when. Append-only."""

    __tablename__ = "access_history"
    __table_args__ = (Index("ix_access_history_at", "site_id", "at_us"),)

    site_id: str = Field(primary_key=True, foreign_key="site.site_id", sa_type=CodeText)
    history_id: str = Field(primary_key=True, sa_type=CodeText)
    at_us: int = Field(sa_type=BigInteger)
    actor: str = Field(sa_type=CodeText)
    verb: str = Field(sa_type=CodeText)
    subject: str = Field(sa_type=CodeText)
    note: str = ""
