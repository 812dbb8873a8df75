"""What a check of `ringfence doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check: ok, warn (works, should be changed) or fail."""

    check: str
    status: str
    detail: str
