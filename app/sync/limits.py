"""How much goes into one request: what the server said in hello, within the protocol's own bounds."""

from __future__ import annotations

from app.contract.wire import Limits

PROTOCOL_LIMITS = Limits()


def within_protocol(said: Limits) -> Limits:
    """The smaller of the server's and the protocol's own, each for itself.

    Zero or less is no amount that anything could be sent in: it counts as not said, since a queue
    that waits for such a server to take nothing would wait for ever.
    """
    own = PROTOCOL_LIMITS.model_dump()
    told = {name: value for name, value in said.model_dump().items() if value > 0}
    return Limits(**{name: min(bound, told.get(name, bound)) for name, bound in own.items()})
