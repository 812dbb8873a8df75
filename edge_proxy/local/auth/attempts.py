"""How often a person may get the code of a second factor wrong. Kept in this process: a restart forgives."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from edge_proxy.local.auth.errors import TooManyCodes

MAX_CODES = 5
WITHIN = timedelta(minutes=5)


class Attempts:
    """The codes tried by each person since one of theirs was right, whichever factor and challenge they were for."""

    def __init__(self) -> None:
        self._tried: dict[UUID, list[datetime]] = {}

    def count(self, person: UUID, now: datetime) -> None:
        """Count one more, before it is looked at. Raises: TooManyCodes."""
        recent = [at for at in self._tried.get(person, ()) if at > now - WITHIN]
        if len(recent) >= MAX_CODES:
            raise TooManyCodes
        self._tried[person] = [*recent, now]

    def forget(self, person: UUID) -> None:
        """Start again: a code was right."""
        self._tried.pop(person, None)
