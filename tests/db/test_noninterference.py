"""Random work in one organization changes nothing in the other, and tells nothing about it (R47).

The same random sequence of calls is made by people of globex in two worlds that differ in acme's data only. In each, acme's rows are the
same to the byte before and after; and every answer is the same in both, but for ids and times made on the way.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from tests.db.calling import filled
from tests.db.matrix import bindings
from tests.db.registry import GLOBAL, HOSTILE, RECIPES, TABLES
from tests.db.session import second_factor
from tests.db.test_rpc_sweep import call, signatures  # noqa: F401  (a fixture)
from tests.db.world import Organization, World

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"20\d\d-\d\d-\d\d[ T][0-9:.+]+(?:Z|\+00(?::00)?)?|(?<=\"time\\\": )\d{13}")
_SECRET = re.compile(r"\brf[a-z]_[\w-]{20,}|\b[0-9a-f]{64}\b")
# They ask how long something took or are made of a clock; or would end the work (nobody is left who may call).
LEFT_OUT = {"suspend_organization", "transfer_ownership", "leave_organization", "set_mfa_policy"}


@dataclass
class Life:
    """One world in which one organization lives: what its ids are called, so that the same step means the same in another world."""

    world: World
    organization: Organization
    names: dict[str, Any]
    called: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.called = {str(v): n for n, v in self.names.items()}

    def plain(self, answer: tuple[Any, ...]) -> str:
        """The answer with ids by what they are called, in the order in which they were first seen."""
        def name(found: re.Match[str]) -> str:
            if found[0] not in self.called:
                self.called[found[0]] = f"made_{len(self.called)}"
                self.names[self.called[found[0]]] = UUID(found[0])
            return self.called[found[0]]

        text = _ID.sub(name, json.dumps(answer, default=str))
        return _SECRET.sub("<secret>", _TIME.sub("<time>", text))


def life(world: World, organization: Organization) -> Life:
    with world.operator() as db:
        names = dict(bindings(organization, db)) | {"nobody": world.nobody.user_id, "loaded_document": organization.ids["loading_document"],
                                                     "open_hold": organization.ids["hold"]}
        other = world.globex if organization is world.acme else world.acme
        names |= {f"foreign_{n}": v for n, v in bindings(other, db).items()}
    return Life(world, organization, names)


def steps(seed: int, count: int) -> Iterator[tuple[str, str, random.Random]]:
    """Yield who calls what, and a source of chance for the arguments of that call."""
    chance = random.Random(seed)
    for _ in range(count):
        name = chance.choice([n for n in RECIPES if n not in LEFT_OUT])
        own = RECIPES[name][0]
        yield name, own if chance.random() < 0.6 else chance.choice(["owner", "admin", "builder", "customer", "member", "auditor"]), random.Random(chance.random())


def arguments(life: Life, name: str, chance: random.Random) -> dict[str, Any]:
    """The recipe's, some replaced by ids of the other organization, by ids made on the way, by ids of nothing or by nonsense."""
    given = filled(RECIPES[name][1], life.names)
    for argument in given:
        draw = chance.random()
        foreign = sorted(n for n in life.names if n.startswith("foreign_"))
        made = sorted(n for n in life.names if n.startswith("made_"))
        if isinstance(given[argument], list | dict) or draw > 0.35:
            continue
        given[argument] = (life.names[chance.choice(foreign)] if draw < 0.12 else life.names[chance.choice(made)] if made and draw < 0.22
                           else UUID(int=chance.getrandbits(128), version=4) if draw < 0.27 else chance.choice(HOSTILE))
    return given


def live(life: Life, signatures: dict[str, dict[str, str]], seed: int, count: int) -> list[tuple[str, str, str]]:  # noqa: F811
    """Do the steps for good, and return (function, who, what they were told) of each."""
    told = []
    people = life.organization.people | {"guest": life.organization.guest}
    for name, who, chance in steps(seed, count):
        given = arguments(life, name, chance)
        given = {a: json.dumps(v) if isinstance(v, list | dict) and signatures[name][a] not in ("jsonb", "uuid[]", "text[]") else v for a, v in given.items()}
        with life.world.as_(people[who], keep=True, **second_factor()) as db:
            told.append((name, who, life.plain(call(db, name, signatures[name], given, keep=True))))
    return told


def rows_of(world: World, organization: Organization) -> str:
    """Every row of the organization in every table, as text."""
    with world.operator() as db:
        parts = [db.one(f"select coalesce(string_agg(t::text, e'\\n' order by t::text), '') from app.{table} t where {'id' if table == 'organization' else 'org_id'} = %s",
                        organization.id) for table in TABLES if table not in GLOBAL]
    return "\n".join(parts)


@pytest.fixture
def two_worlds(cluster: Any, described: bytes) -> Iterator[tuple[World, World]]:
    from tests.db.conftest import _copy

    for one in _copy(cluster, described):
        for two in _copy(cluster, described):
            yield one, two


@pytest.mark.parametrize("seed", [1, 2])
def test_random_work_in_one_organization_neither_changes_nor_depends_on_the_other_R47(
    two_worlds: tuple[World, World], signatures: dict[str, dict[str, str]], seed: int,  # noqa: F811
) -> None:
    one, two = two_worlds
    live(life(two, two.acme), signatures, seed + 1000, 60)
    assert rows_of(one, one.acme) != rows_of(two, two.acme), "the worlds do not differ: nothing would be shown"
    before = [rows_of(w, w.acme) for w in two_worlds]
    first, second = (live(life(w, w.globex), signatures, seed, 150) for w in two_worlds)
    assert [rows_of(w, w.acme) for w in two_worlds] == before
    assert [(a, b) for a, b in zip(first, second, strict=True) if a != b] == []
    worked = sum('["ok"' in answer for _, _, answer in first)
    assert worked > 30 and len({name for name, _, _ in first}) > 40, (worked, "too little was done to show anything")


def test_a_function_whose_answer_depends_on_the_other_organization_is_told_apart_R47(
    two_worlds: tuple[World, World], signatures: dict[str, dict[str, str]],  # noqa: F811
) -> None:
    answers = []
    for number, world in enumerate(two_worlds):
        with world.operator(keep=True) as db:
            db.run("create function api.planted() returns bigint language sql stable security definer as 'select count(*) from app.team';"
                   "grant execute on function api.planted() to authenticated")
            if number:
                db.run("insert into app.team (org_id, slug, name, created_by) values (%s, 'more', 'More', %s)", world.acme.id, world.acme.people["owner"].user_id)
        with world.as_(world.globex.people["customer"]) as db:
            answers.append(call(db, "planted", {}, {}))
    assert answers[0][0] == answers[1][0] == "ok" and answers[0] != answers[1]
