"""Cases for the functions of triggers, each left alone on its table."""

from __future__ import annotations

from tests.db.triggers import of_documents, of_ends, of_members, of_records, of_work
from tests.db.triggers.case import Fires

CASES: list[Fires] = [*of_documents.CASES, *of_ends.CASES, *of_members.CASES, *of_records.CASES, *of_work.CASES]

__all__ = ["CASES", "Fires"]
