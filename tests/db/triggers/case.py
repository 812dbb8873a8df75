"""What a case of tests/db/triggers is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fires:
    """One statement on a table of which only this trigger is left in force."""

    trigger: str
    """Its function and its table: `authz.tg_usage on app.team`."""
    says: str
    act: str
    then: str = "true"
    """What is so afterwards."""
    refused: str = ""
    """Instead of that: SQLSTATE and a part of the message."""
    who: str = ""
    """Who acts, by persona; an operator otherwise."""
    role: str = ""
    """As whom, where it is not `authenticated` for a person and the superuser for an operator."""
    factor: bool = False
    """Whether the person used their second factor a moment ago."""
    planted: tuple[str, ...] = ()
    """Statements of an operator before that, without triggers and keys."""
    image: tuple[str, ...] = ()
    """Tables of which globex has an image of acme's rows: no row there changes."""
    late: bool = False
    """Whether the image is made after what is planted, and not before."""
    opened: tuple[str, ...] = ()
    """Tables of which everybody sees and changes every row: what the trigger does not say itself, nobody says."""

    @property
    def id(self) -> str:
        return f"{self.trigger}: {self.says}"

    def __str__(self) -> str:
        return self.trigger.split(" ")[0]
