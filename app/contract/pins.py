"""How a PIN becomes what a device can check: one rule for both halves. Pure; slow on purpose.

A device holds `pin_verifier` = HMAC-SHA256(its own pepper, Argon2id(PIN, salt)). The server keeps
only the Argon2id value. A copied database without the pepper cannot be guessed at: six digits fall
to an offline search in minutes, a 256-bit key does not.
"""

from __future__ import annotations

import hashlib
import hmac

from argon2.low_level import Type, hash_secret_raw

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""Argon2id 19 MiB, t=2, p=1: OWASP Password Storage Cheat Sheet's first choice."""
PREHASH_BYTES = 32
SALT_BYTES = 16
PEPPER_BYTES = 32
PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12


def is_pin(text: str) -> bool:
    """True for 4 to 12 ASCII digits."""
    return PIN_DIGITS_MIN <= len(text) <= PIN_DIGITS_MAX and text.isascii() and text.isdigit()


def pin_prehash(pin: str, salt: bytes) -> bytes:
    """Argon2id of a PIN. Takes tens of milliseconds and 19 MiB: never on a screen's thread."""
    return hash_secret_raw(
        secret=pin.encode(),
        salt=salt,
        time_cost=PASSES,
        memory_cost=MEMORY_KIB,
        parallelism=LANES,
        hash_len=PREHASH_BYTES,
        type=Type.ID,
    )


def pin_verifier(pepper: bytes, prehash: bytes) -> str:
    """What a device with this pepper is given for a person, lower-case hex."""
    return hmac.new(pepper, prehash, hashlib.sha256).hexdigest()


def is_verified(verifier: str, *, pin: str, salt: bytes, pepper: bytes) -> bool:
    """True when the PIN is the person's. Compared in constant time."""
    return hmac.compare_digest(pin_verifier(pepper, pin_prehash(pin, salt)), verifier)
