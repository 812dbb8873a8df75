"""What a case of tests/db/alone is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Alone:
    """One policy put to one persona."""

    policy: str
    persona: str
    rule: str
    """Rows `t` that it lets the persona read, update or delete."""
    planted: tuple[str, ...] = ()
    """Statements of an operator before that, without triggers and keys."""
    settings: dict[str, str] = field(default_factory=dict)
    """What a function of ours says of the work it is at, by setting."""
    refused: tuple[str, ...] = ()
    """Assignments that the policy's check refuses: of a reached row, or of a new one."""
    passed: tuple[str, ...] = ()
    """Assignments that its check lets pass: the allowed twins."""
    also: tuple[str, ...] = ()
    """Permissions that the persona's role carries besides."""

    lacking: tuple[str, ...] = ()
    """Permissions that it does not carry."""

    @property
    def id(self) -> str:
        return f"{self.policy} for {self.persona}: {self.rule}" + "".join(f" with {p}" for p in self.also) + "".join(f" without {p}" for p in self.lacking)
