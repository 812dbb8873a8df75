"""What single permissive policies let somebody reach where the rows of the world and the other policies would not show it.

Each case leaves one policy of its command, plants the rows that tell its conditions apart, and says in a rule of its own which rows `t`
it must reach: some and not all. Rules and statements use the names of conditions.py and the ids of acme.
"""

from tests.db.alone import by_owner, by_people, by_work
from tests.db.alone.case import Alone

CASES: list[Alone] = [*by_owner.CASES, *by_people.CASES, *by_work.CASES]

__all__ = ["CASES", "Alone"]
