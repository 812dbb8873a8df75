"""The mutation engine itself: what it makes, what it takes for a kill, and that it says so when nobody notices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.db.conftest import TEMPLATE, described  # noqa: F401  (a fixture)
from tests.db.world import World
from tests.rls.mutate import remembered
from tests.rls.mutate.cells import Stage, collect
from tests.rls.mutate.conditions import without
from tests.rls.mutate.engine import Engine, Verdict, make
from tests.rls.mutate.equivalent import RULES, reason
from tests.rls.mutate.generate import generate, shards
from tests.rls.mutate.mutant import mutant
from tests.rls.mutate.place import Place
from tests.rls.mutate.score import Score
from tests.rls.mutate.together import GROUPS, together
from tests.rls.mutate.uses import Uses


@pytest.fixture(scope="module")
def stage(cluster: Any, described: bytes) -> Iterator[Stage]:  # noqa: F811
    with Place(str(cluster.data.parent), cluster.port, cluster.passwords, TEMPLATE, described).stage() as made:
        yield made


@pytest.mark.parametrize(("text", "left_out"), [
    ("((a = 1) AND (b = 2))", ["(a = 1)", "(b = 2)"]),
    ("select 1 from t where x = 1", ["x = 1"]),
    ("a between 1 and 2 and b", ["a between 1 and 2", "b"]),
    ("where a is distinct from b and c", ["a is distinct from b", "c"]),
    ("where m.x = 'and' and (p or q and r) order by 1", ["m.x = 'and'", "(p or q and r)", "q", "r"]),
    ("if a and b then raise; end if; -- and so on", ["a", "b"]),
    ("where true", []),
    ("a and case when b and c then d else false end and e", ["a", "case when b and c then d else false end", "b", "c", "e"]),
    ("begin if a and b then x := 1; end if; end", ["a", "b"]),
    ("case k when 1 then a and b else c end", ["a", "b"]),
])
def test_each_condition_is_left_out_once(text: str, left_out: list[str]) -> None:
    assert [condition for condition, _ in without(text)] == left_out
    assert all(rest.count("true") >= 1 for _, rest in without(text))


def test_every_mutant_has_a_name_of_its_own_and_belongs_to_one_part(stage: Stage) -> None:
    made = generate(stage.trunk.real)
    assert len(made) > 3000
    parts = shards(made, 7)
    assert sorted(m.id for part in parts for m in part) == sorted(m.id for m in made)
    assert {kind.split("-")[0] for kind in (m.kind for m in made)} >= {"policy", "rls", "grant", "definer", "invoker", "view", "key", "check", "condition", "trigger", "setting"}


def test_every_mutant_can_be_made(stage: Stage) -> None:
    """Also those of tables and functions that nobody thought of when the kinds were written."""
    wrong = {}
    for one in generate(stage.trunk.real):
        try:
            with stage.trunk.transaction() as db:
                make(db, one)
        except psycopg.errors.IntegrityError:
            pass  # the rows of the world do not stand beside each other in it: that is a kill
        except psycopg.Error as error:
            wrong[one.id] = str(error)
    assert wrong == {}


def test_a_mutant_that_matters_is_killed_by_a_cell_and_is_gone_afterwards_R49(stage: Stage) -> None:
    open_ = mutant("policy-using-true", "app.message.message_select_self", "alter policy message_select_self on app.message using (true)", about={"app.message"})
    verdict = Engine(stage, collect()).judge(open_)
    assert verdict.killed and not verdict.posture
    with stage.trunk.transaction() as db:
        assert db.execute("select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'message_select_self'").fetchone() != ("true",)


def test_a_mutant_that_changes_nothing_survives_and_is_printed_with_its_sql(stage: Stage) -> None:
    same = mutant("nothing", "app.usage_entry", "comment on column app.usage_entry.amount is 'The same.'", about={"app.usage_entry"})
    engine = Engine(stage, [c for c in collect() if "usage_entry" in c.id and "matrix" in c.id][:3])
    score = Score((engine.judge(same),))
    assert (len(score.survivors), str(score).split("\n")[0]) == (1, "mutants: 1, killed: 0 (0.0 %)")
    assert "comment on column app.usage_entry.amount" in score.said_of_survivors()


def test_a_cell_that_fails_without_a_mutant_kills_nothing(stage: Stage) -> None:
    engine = Engine(stage, [c for c in collect() if "snapshot_R46" in c.id][:1])
    broken = mutant("nothing", "app.membership", "select 1", about={"app.membership"})
    assert not engine.judge(broken).killed


def test_a_hundred_percent_is_said_of_all_and_of_nothing_less() -> None:
    def judged(number: int, killer: str) -> Verdict:
        return Verdict(mutant("kind", str(number), about=set()), killer, False, "", 0.0, 1)

    all_but_one = Score((*(judged(n, "a test") for n in range(9999)), judged(9999, "")))
    assert "killed: 9999 (99.9 %)" in str(all_but_one)
    assert "killed: 9999 (100.0 %)" in str(Score(all_but_one.verdicts[:-1]))


def test_a_reason_is_of_a_mutant_that_is_made_and_must_go_when_all_of_them_die(stage: Stage) -> None:
    ids = [m.id for m in generate(stage.trunk.real)]
    assert [pattern for pattern, _ in RULES if not any(re.fullmatch(pattern, i, re.DOTALL) for i in ids)] == []
    pattern, one = next((p, m) for p, _ in RULES for m in generate(stage.trunk.real) if re.fullmatch(p, m.id, re.DOTALL))
    judged = [Verdict(one, killer, False, "", 0.0, 1) for killer in ("a test", "")]
    assert (Score(tuple(judged)).needless, Score(tuple(judged[:1])).needless) == ([], [pattern])
    assert Score(tuple(judged)).said_of_equivalents() == f"equivalent: 1, for: {reason(one)}"


def test_mutants_judged_together_are_each_seen_by_a_line_that_names_their_object_and_are_gone_afterwards_R49(stage: Stage) -> None:
    engine = Engine(stage, [c for c in collect() if "test_everybody_holds_exactly" in c.id])
    granted = [mutant("grant-table", f"app.{t}: TRUNCATE to authenticated", f"grant truncate on app.{t} to authenticated", about={f"app.{t}"}) for t in ("team", "bot_runner")]
    same = mutant("grant-table", "app.bot: nothing", "comment on table app.bot is 'The same.'", about={"app.bot"})
    judged = engine.judge_together("privileges", [*granted, same])
    assert [(v.killed, v.posture, v.said.split(" |")[0]) for v in judged] == [(True, True, "app.team"), (True, True, "app.bot_runner"), (False, False, "")]
    assert all(engine.is_sound(c) for c in engine.order.cells)
    assert len(engine.confirmed(judged)) == 3


def test_what_waits_for_the_end_of_a_transaction_comes_when_a_line_ends(stage: Stage) -> None:
    """So one job begins after another on the one connection, and an event is in its chain when the next caller asks."""
    engine = Engine(stage, [c for c in collect() if "test_a_bot_asks_only_the_sources_it_is_bound_to" in c.id or "whose_link_cannot_be_made_does_not_happen" in c.id])
    assert len(engine.order.cells) == 2
    assert [c.id for c in engine.order.cells if not engine.is_sound(c)] == []


def test_what_a_cell_writes_down_in_its_world_the_next_does_not_find(stage: Stage) -> None:
    cell = next(c for c in collect() if "test_teams::" in c.id)
    seen: list[bool] = []

    def writes(world: World) -> None:
        seen.append(world.acme.people.pop("owner", None) is not None)

    for _ in range(2):
        stage.run(replace(cell, function=writes, parameters={}))
    assert seen == [True, True]


def test_a_lock_that_a_cell_takes_for_its_session_the_next_does_not_hold(stage: Stage) -> None:
    cell = next(c for c in collect() if "test_teams::" in c.id)
    seen: list[int] = []

    def takes(world: World) -> None:
        with world.operator() as db:
            seen.append(db.one("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"))
            db.run("select pg_advisory_lock(7)")

    for _ in range(2):
        stage.run(replace(cell, function=takes, parameters={}))
    assert seen == [0, 0]


def test_a_slow_cell_waits_until_the_quick_ones_were_tried(stage: Stage) -> None:
    open_ = mutant("policy-using-true", "app.message.message_select_self", "alter policy message_select_self on app.message using (true)", about={"app.message"})
    engine = Engine(stage, collect())
    asked = list(engine.order.cells_for(open_))
    slow = next(c for c in asked if c not in engine.order.killers(open_))
    engine.seconds[slow.id] = 60.0
    engine.order.cells_for = lambda _: iter(asked)  # type: ignore[method-assign]
    assert list(engine._quick_first(open_)) == [*(c for c in asked if c != slow), slow]
    engine.order.killed(open_, slow)
    assert list(engine._quick_first(open_)) == asked


def test_no_two_mutants_of_one_object_are_judged_together(stage: Stage) -> None:
    made = generate(stage.trunk.real)
    for group, (whose, _) in GROUPS.items():
        batches = together(made, group)
        assert {m.id for b in batches for m in b} == {m.id for m in made if whose.match(m.id) and len(m.about) == 1}
        assert all(len({name for m in b for name in m.about}) == len(b) for b in batches)


def test_a_helper_is_tried_through_what_uses_it(stage: Stage) -> None:
    users = list(Uses(stage.trunk.real).of(frozenset({"authz.tg_role_guard"})))
    assert users.index("app.role") < users.index("api.create_role")


def test_a_rule_of_the_order_puts_a_mutant_to_no_case_that_is_about_another_table(stage: Stage) -> None:
    """They would take the places of those that come later: a mutant is put to so many cells and no more."""
    order = Engine(stage, collect()).order
    drop = next(m for m in generate(stage.trunk.real) if m.id == "policy-drop app.erasure.erasure_select_owner")
    asked = list(order.cells_for(drop))
    assert [c.id for c in asked[:10] if "test_the_owner_of_the_definers" in c.id and "erasure" not in c.id] == []
    assert any(c.module.__name__.endswith("test_erasure") for c in asked[:40])
    # What is no case of a table is tried, whatever it names.
    lane = next(m for m in generate(stage.trunk.real) if m.id == "policy-drop app.audit_lane.audit_lane_insert_owner")
    assert any("test_a_trigger_makes_the_places" in c.id for c in list(order.cells_for(lane))[:10])


def test_what_killed_last_time_is_tried_first_and_a_line_that_is_wrong_changes_no_verdict(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "FILE", tmp_path / "killers.txt")
    open_ = mutant("policy-using-true", "app.message.message_select_self", "alter policy message_select_self on app.message using (true)", about={"app.message"})
    cells = collect()
    useless, useful = next(c.id for c in cells if "test_names::" in c.id), next(c.id for c in cells if "what_was_decided_R31[builder, message]" in c.id)
    remembered.save([Verdict(open_, killer, False, "", 0.0, 1) for killer in (useless, useless, useful, "gone::test_no_more")])
    assert remembered.load() == {"app.message.message_select_self": [useless, "gone::test_no_more", useful]}
    verdict = Engine(stage, cells).judge(open_)
    assert (verdict.killer, verdict.tried) == (useful, 2)
    # A run over a part writes that part anew and leaves the others.
    other = mutant("policy-drop", "app.team.team_floor", "drop policy team_floor on app.team", about={"app.team"})
    remembered.save([Verdict(other, useful, False, "", 0.0, 1)])
    remembered.save([Verdict(open_, useful, False, "", 0.0, 1)])
    assert remembered.load() == {"app.message.message_select_self": [useful], "app.team.team_floor": [useful]}
