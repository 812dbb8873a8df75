"""What a run says about a database: a leak with its proof, or something that could not be checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that leaks, or lets somebody do what they may not."""

    id: str
    """Stable kebab-case name of the rule, for example `insert-check-true`."""
    object: str
    """`schema.table`, `schema.function(argument types)`, `schema.view`, `role authenticated`, ..."""
    command: str
    """select, insert, update, delete, move, truncate, execute, grant or state."""
    persona: str
    """Who gets it; `any` for what is a state and not an act."""
    finding: str
    """One specific sentence: the class of the bug and the policy, function, constraint or grant concerned."""
    evidence: str
    """What was seen: rows, a SQLSTATE, an expression of the catalog."""
    reproduce: str
    """A self-contained SQL script that shows it and rolls back."""
    proven: bool = False
    """True when it was seen by acting, not read from the catalog; such a finding wins over a rule's about the same object."""

    def public(self) -> dict[str, str]:
        """Return what `--json` prints of it."""
        names = ("id", "object", "command", "persona", "finding", "evidence", "reproduce")
        return {name: str(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class NotCovered:
    """Something that could not be checked. Never counted as safe."""

    object: str
    command: str
    reason: str

    def public(self) -> dict[str, str]:
        return {"object": self.object, "command": self.command, "reason": self.reason}

    def as_finding(self) -> dict[str, str]:
        """Return the same in the shape of a finding."""
        return {"id": "not_covered", "object": self.object, "command": self.command, "persona": "any",
                "finding": "could not be checked, so it is not known to be safe", "evidence": self.reason, "reproduce": ""}
