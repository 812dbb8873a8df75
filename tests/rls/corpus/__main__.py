"""`python -m tests.rls.corpus [PART OF AN ID]`: the score over the corpus, and what is missing in it.

Prints a line for each entry that is not named and each finding on a correct schema, and at the end `named N of M, false alarms K`.
"""

from __future__ import annotations

import sys

from tests.rls import engine
from tests.rls.corpus.batches import batches
from tests.rls.corpus.copies import Copies
from tests.rls.corpus.entries import entries, schemas
from tests.rls.corpus.score import about, judge


def main(part: str = "") -> int:
    """Return 0 when every entry is named and nothing is reported on a correct schema."""
    wanted = [entry for entry in entries() if part in entry.id]
    named = alarms = 0
    copies = Copies()
    try:
        for schema in schemas():
            if part and not any(entry.schema == schema for entry in wanted):
                continue
            with copies.correct(schema) as database:
                for finding in engine.run(copies.url(database)).findings:
                    alarms += 1
                    print(f"false alarm  {schema}  {finding.id}  {finding.object}  {finding.finding}", flush=True)
        for batch in batches(wanted):
            findings = judge(copies, batch).findings
            for entry in batch.entries:
                found = about(entry, findings)
                named += bool(found)
                if not found:
                    print(f"not named    {entry.id}  {' | '.join(entry.culprits)}  {entry.command}", flush=True)
    finally:
        copies.close()
    print(f"named {named} of {len(wanted)}, false alarms {alarms}")
    return int(bool(alarms) or named < len(wanted))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
