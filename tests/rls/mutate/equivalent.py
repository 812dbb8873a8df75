"""Mutants that change nothing anybody could notice: reviewed, each rule with the reason a reader would ask for.

A rule that no surviving mutant needs any more must go; a test says so.
"""

from __future__ import annotations

import re

from tests.rls.mutate import equivalent_bodies
from tests.rls.mutate.mutant import Mutant

RULES: list[tuple[str, str]] = [
    (r"policy-(drop|swap) app\.\w+\.\w+_nobody",
     "PostgreSQL refuses a command for which a table has no permissive policy; the policy that says `false` writes the decision down and adds nothing. "
     "Saying `true` instead is a mutant of its own, and is killed"),
    (r"policy-check-true app\.\w+\.\w+_update_nobody", "USING is `false`: no row comes to the check"),
    (r"policy-using-(conjunct|permission) app\.document\.document_update_adopter_owner(: \(org_id = ANY .*documents\.manage.*)?",
     "authz.adopting_org_id(), which the same condition compares with, answers only organizations in which the person holds documents.manage"),
    *equivalent_bodies.RULES,
]
"""A pattern over whole mutant ids, and the reason."""


def reason(mutant: Mutant) -> str:
    """Why the mutant is equivalent to what it was made from; empty when it is not known to be."""
    return next((why for pattern, why in RULES if re.fullmatch(pattern, mutant.id, re.DOTALL)), "")
