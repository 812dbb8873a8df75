"""How the signing keys change: standby, then in use, then previously used, then revoked, as on Supabase.

Each function returns the new set; writing it, and telling those who check tokens, is `edge_proxy.local.key_change`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from edge_proxy.local.auth.keys import IN_USE, PREVIOUSLY_USED, STANDBY, SigningKeys, new_key

MOST_PUBLISHED = 10
"""The edge takes a set of 32, and each key is one more that a token may be signed with."""


class ChangeRefused(Exception):
    """The keys are not in a state for this change; the message says what to do first."""


def with_standby(keys: SigningKeys, now: datetime | None = None) -> SigningKeys:
    """Return the set with a new key that is published and signs nothing yet. Raises: ChangeRefused."""
    if standby := _of(keys, STANDBY):
        raise ChangeRefused(f"{standby[0]} is on standby already: run `ringfence keys rotate` to use it, or `ringfence keys revoke` to drop it")
    if len(keys.jwks) >= MOST_PUBLISHED:
        raise ChangeRefused(f"{MOST_PUBLISHED} keys are published: revoke one that was used long ago first")
    return SigningKeys((*_written_down(keys), new_key() | _state(STANDBY, now)), keys.revoked)


def rotated(keys: SigningKeys, now: datetime | None = None) -> SigningKeys:
    """Return the set in which the standby key signs and the one before it is previously used. Raises: ChangeRefused."""
    standby = _of(keys, STANDBY)
    if not standby:
        raise ChangeRefused("no key is on standby: run `ringfence keys standby` first, so that all who check tokens know it before it signs")
    first, *others = _written_down(keys)
    promoted = next(key for key in others if key["kid"] == standby[0])
    others.remove(promoted)
    return SigningKeys((promoted | _state(IN_USE, now), first | _state(PREVIOUSLY_USED, now), *others), keys.revoked)


def without(keys: SigningKeys, kid: str, now: datetime | None = None) -> SigningKeys:
    """Return the set in which a key is revoked: of it only the id is left. Raises: ChangeRefused."""
    state = {found: state for found, state, _ in keys.states()}.get(kid)
    if state is None:
        raise ChangeRefused(f"there is no key {kid}: `ringfence keys list` shows them")
    if state == IN_USE:
        raise ChangeRefused(f"{kid} is in use: run `ringfence keys standby` and `ringfence keys rotate` first, then revoke it")
    if kid in {key["kid"] for key in keys.revoked}:
        return keys
    left = tuple(key for key in _written_down(keys) if key["kid"] != kid)
    return SigningKeys(left, (*keys.revoked, {"kid": kid, "changed_at": _time(now)}))


def _of(keys: SigningKeys, state: str) -> list[str]:
    return [kid for kid, found, _ in keys.states() if found == state]


def _written_down(keys: SigningKeys) -> list[dict[str, object]]:
    """Return the live keys with their states as members: places in the file change, states must not."""
    states = {kid: state for kid, state, _ in keys.states()}
    return [dict(key) | {"status": states[key["kid"]]} for key in keys.jwks]


def _state(state: str, now: datetime | None) -> dict[str, object]:
    return {"status": state, "changed_at": _time(now)}


def _time(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).isoformat(timespec="seconds")
