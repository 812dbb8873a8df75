"""Mutants that change nothing anybody could notice: reviewed, each rule with the reason a reader would ask for.

A rule that no surviving mutant needs any more must go; a test says so.
"""

from __future__ import annotations

import re

from tests.rls.mutate import equivalent_bodies
from tests.rls.mutate.mutant import Mutant

RULES: list[tuple[str, str]] = [
    (r"policy-using-(conjunct|permission) app\.document\.document_update_adopter_owner(: \(org_id = ANY .*documents\.manage.*)?",
     "authz.adopting_org_id(), which the same condition compares with, answers only organizations in which the person holds documents.manage"),
    (r"policy-check-conjunct authz\.purge_receipt\.purge_receipt_update_owner: \(\( SELECT authz\.uid\(\) AS uid\) IS NOT NULL\)",
     "USING asks the same of the same session, and no row comes to the check that did not pass it"),
    *equivalent_bodies.RULES,
]
"""A pattern over whole mutant ids, and the reason."""


def reason(mutant: Mutant) -> str:
    """Why the mutant is equivalent to what it was made from; empty when it is not known to be."""
    return next((why for pattern, why in RULES if re.fullmatch(pattern, mutant.id, re.DOTALL)), "")
