"""Which cells a mutant is put to, the likeliest killer first."""

from __future__ import annotations

import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import FunctionType
from typing import Any

from tests.db.registry import RECIPES, TABLES
from tests.rls.mutate import remembered
from tests.rls.mutate.cells import Cell
from tests.rls.mutate.mutant import Mutant
from tests.rls.mutate.uses import Uses

_NAMED = re.compile(r"\b(app|api|authz|auth)\.([a-z_]\w*)")
_WORD = re.compile(r"[a-z_]\w+")


# No request can see these: the rights around an object changed, and a second wall still stands. The catalog is asked first.
SEEN_BY_POSTURE = {"policy-to-public", "rls-no-force", "search-path-unpinned", "definer-owner", "grant-schema", "grant-database", "grant-system", "role-attribute",
                   "role-membership", "default-privileges", "setting", "publication", "new-table", "view", "table-copy", "grant-table", "grant-column", "grant-function", "grant-auth",
                   "invoker-to-definer", "key-drop", "key-without-org", "function", "foreign-key", "unique"}


# Written for one object at a time, so that they are quick and name it: tried first.
_FIRST = ("test_policies_alone", "test_restrictions_alone", "test_rights", "test_access_matrix", "test_floor", "test_access_matrix_walls")


# Of the personas of the matrix, those whose rows differ from their neighbours'.
_PERSONAS = ("builder", "customer", "agent", "owner of the other organization", "admin", "api token of owner", "analyst", "owner", "oauth client of owner")


def _place(cell: Cell) -> tuple[int, int]:
    name = cell.module.__name__.split(".")[-1]
    who = cell.parameters.get("name")
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), _PERSONAS.index(who) if who in _PERSONAS else len(_PERSONAS))


# Which tests were written for which mutants: pattern over the mutant's id, and a part of the test's name.
_WRITTEN_FOR = [(re.compile(pattern), test) for pattern, test in (
    (r"policy-\S+ \S+_analyst(?:_floor)?(?::|$)", "test_in_a_job_the_policies_beneath"),
    (r"policy-\S+ \S+_job_owner(?::|$)", "test_a_job_of_a_bot_begins"),
    (r"policy-\S+ \S+_erasing_owner(?::|$)", "test_what_the_inventory_says"),
    (r"policy-\S+ \S+_over_owner(?::|$)", "test_what_is_over_goes"),
    (r"policy-\S+ \S+_upkeep_owner(?::|$)", "test_what_was_used_since"),
    (r"policy-\S+ \S+_tainting_owner(?::|$)", "test_a_run_holds_what_its_steps_returned"),
    (r"policy-\S+ app\.message\.message_select_self", "test_conversations_and_messages_of_a_colleague"),
    (r"policy-\S+ \S+_sso_owner(?::|$)", "test_sso::"),
    (r"policy-\S+ app\.audit_lane\.\w+_owner", "test_a_trigger_makes_the_places"),
    (r"policy-\S+ app\.(?:permission|provider)\.", "test_what_belongs_to_no_organization"),
    (r"policy-.*_nobody", "test_what_is_not_granted"),
    # Nobody but the owner of the definers has a privilege there: what the floor says and what the check says no request can tell.
    (r"policy-\S+ app\.(job_\w+)\.\1_floor", "is_found_wrong[r19]"),
    (r"policy-check-true \S+\.(?:audit_lane_update|job_lease_update|analytics_job_update_queue|secret_update_upkeep)_owner", "is_found_wrong[r17]"),
    (r"policy-\S+ app\.(\w+)\.\1_floor", "test_floor::"),
    (r"policy-.*_(?:denied|classification|expired|loading|scope)_floor", "test_a_restrictive_policy_alone"),
    (r"policy-(?:check|drop|swap|both)-?\S* \S+_insert_", "test_each_condition_of_an_insert_policy"),
    (r"policy-(?:check|both)-\S+ \S+_update_", "out_of_reach"),
    (r"policy-\S+ \S+_owner(?::|$)", "test_the_owner_of_the_definers"),
    (r"policy-for-all", "test_what_is_not_granted"),
    (r"policy-for-all", "test_the_table_gives_each_persona"),
    (r"policy-\S+ \S+_select_", "test_without_the_floor"),
    (r"(?:check|refusal|permission|condition)-removed authz\.tg_", "test_a_trigger_alone"),
    (r"trigger-disable \S+_audit", "test_an_act_leaves_its_events"),
    (r"trigger-disable", "test_nothing_in_the_database_that_sql_makes_is_found_wrong[a19]"),
    (r"check-removed .*: perform authz\.require_(?:org|auditor)\(", "test_a_missing_organization"),
    (r"check-removed .*: perform authz\.lock_", "test_the_function_stands_in_line"),
    (r"check-removed .*: perform pg_advisory_xact_lock", "test_the_table_makes_whoever_writes"),
    (r"check-removed .*: perform authz\.require_(?:person|step_up)", "test_who_asks_is_looked_at_before"),
    (r"check-removed .*: perform authz\.require_person", "test_an_app_and_a_token_do_none"),
    (r"(?:check|refusal|permission)-removed ", "test_a_function_refuses_in_its_own_words"),
    (r"permission-removed api\.get_bot", "test_what_one_may_do_with_a_bot"),
    (r"personal-permission|permission-removed authz\.is_personal", "test_what_is_personal_is_used_by_no_app"),
    (r"refusal-removed .*transaction_isolation", "test_the_ledger_of_what_refuses"),
    (r"(?:check|refusal|permission|condition)-removed api\.", "test_each_persona_gets_from_the_function"),
    (r"(?:refusal|condition)-removed api\.", "test_an_id_of_one_organization_under_the_name_of_the_other"),
    (r"refusal-removed authz\.require_org\(", "test_a_missing_organization"),
    (r"\w+-removed authz\.(?:org_ids|orgs_with|role_ids|team_ids|managed_team_ids)\(", "test_belonging_alone::"),
    (r"\w+-removed authz\.pre_request\(", "test_claims::"),
    (r"\w+-removed authz\.tg_document_guard\(", "test_document_p"),
    (r"\w+-removed authz\.tg_(?:membership|role)_guard\(", "test_escalation::"),
    (r"\w+-removed authz\.tg_(?:membership|role)_guard\(", "roles::"),
    (r"\w+-removed authz\.tg_departure_guard\(", "test_deprovision::"),
    (r"\w+-removed authz\.join_by_invitation\(", "test_joining_alone::"),
    (r"\w+-removed authz\.(?:begin|end|finish|next|recover|release|renew)_jobs?\(", "test_queue_alone::"),
    (r"\w+-removed authz\.tg_invitation_guard\(", "test_invitations::"),
    (r"\w+-removed authz\.(?:sync_sso|sso_\w+)\(", "test_sso_alone::"),
    (r"\w+-removed authz\.(?:join_by_group|sync_sso|sso_\w+)\(", "test_sso::"),
    (r"\w+-removed authz\.tg_sso_group_guard\(", "test_sso_groups::"),
    (r"\w+-removed authz\.(?:tg_left_\w+|take_over_document)\(", "test_left_documents::"),
    (r"\w+-removed authz\.(?:tg_approval_\w+|approval_\w+)\(", "test_approval"),
    (r"\w+-removed authz\.tg_in_scope\(", "test_api_token_use::"),
    (r"\w+-removed authz\.(?:reserve|settle)_model_call\(", "test_budget::"),
    (r"\w+-removed authz\.may_be_\w+\(", "test_records_alone::"),
    (r"\w+-removed authz\.explained_\w+\(", "test_explained_clauses::"),
    (r"\w+-removed authz\.explained_grants\(", "test_what_is_shared_"),
    (r"\w+-removed authz\.approval_for\(", "test_approval_alone::"),
    (r"setting (?:timeout|idle|analyst)", "test_roles_have_time_limits"),
    (r"key-|publication|foreign-key|unique", "test_every_key_and_every_publication"),
    (r"grant-(?:table|column|function|auth|schema)", "test_everybody_holds_exactly"),
)]


MOST = 160
"""To how many cells a mutant is put at most. They are sorted; a test that comes later than that must be written for what it is to notice."""

FEW = 12
"""A test with at most so many cases is not one for each table."""


class Order:
    """The cells by what they are about, and what killed whom so far."""

    def __init__(self, cells: Iterable[Cell], uses: Uses) -> None:
        self.cells, self.uses = list(cells), uses
        self.by_object: defaultdict[str, list[Cell]] = defaultdict(list)
        self.by_id = {cell.id: cell for cell in self.cells}
        self.posture = [c for c in self.cells if c.posture]
        self.lately: defaultdict[str, list[Cell]] = defaultdict(list)
        self.by_policy: defaultdict[str, list[Cell]] = defaultdict(list)
        for cell in self.cells:
            for name in mentions(cell):
                self.by_object[name].append(cell)
            for value in cell.parameters.values():
                if hasattr(value, "policy"):
                    self.by_policy[value.policy].append(cell)
        for name, cells_of in self.by_object.items():
            self.by_object[name] = _in_turns(sorted(cells_of, key=_place))
        self.known = {name: [self.by_id[c] for c in ids if c in self.by_id] for name, ids in remembered.load().items()}
        self.of_object: defaultdict[str, list[Cell]] = defaultdict(list)
        for name, known in self.known.items():
            self.of_object[_object(name)] += known

    def cells_for(self, mutant: Mutant) -> Iterator[Cell]:
        """Yield each cell that may notice the mutant once."""
        seen: set[str] = set()
        for source in self._sources(mutant):
            for cell in source:
                if cell.id not in seen and len(seen) < MOST:
                    seen.add(cell.id)
                    yield cell

    def killers(self, mutant: Mutant) -> list[Cell]:
        """Return the cells that killed mutants of what this one changes: in the remembered run, and lately in this one."""
        place = remembered.place(mutant)
        return [*self.known.get(place, []), *list(reversed(self.lately[place]))[:3]]

    def _sources(self, mutant: Mutant) -> Iterator[Iterable[Cell]]:
        keys = self._keys(mutant)
        yield self.killers(mutant)
        yield self.by_policy.get(keys[0].split(".")[-1], [])
        for pattern, test in _WRITTEN_FOR:
            if pattern.match(mutant.id):
                yield self._written_for(mutant, test)
        if mutant.kind in SEEN_BY_POSTURE:
            yield self._posture_of(mutant)
        for key in keys[1:]:
            yield list(reversed(self.lately[key]))[:3]
            yield self.of_object.get(key, [])[:20]
        for name in sorted(mutant.about):
            yield (c for c in self.by_object[name] if not c.posture)
        yield self._around(mutant)
        yield self.posture

    def _written_for(self, mutant: Mutant, test: str) -> list[Cell]:
        """The cases of a test that are about the mutant's object itself; else a few about what uses it; else the whole test, where it is not one for each table."""
        if own := [c for name in sorted(mutant.about) for c in self.by_object[name] if test in c.id]:
            return own
        if around := [c for c in self._concerned(mutant) if test in c.id]:
            return around[:2 * FEW]
        # A test that goes through a function which names the table nowhere is not known to be about it.
        everywhere = [c for c in self.cells if test in c.id]
        return everywhere if len(everywhere) <= FEW else []

    def _concerned(self, mutant: Mutant) -> list[Cell]:
        """The cells about what it changes, about what uses that, and those that read the catalog."""
        return [c for name in (*sorted(mutant.about), *self.uses.of(mutant.about)) for c in self.by_object[name]] + self.posture

    def _posture_of(self, mutant: Mutant) -> list[Cell]:
        """The cells that read the catalog; those first that saw the last mutants of this kind."""
        return [c for c in reversed(self.lately[mutant.kind]) if c.posture] + self.posture

    def _around(self, mutant: Mutant) -> list[Cell]:
        """Cells about what uses the object; of each test the case that is nearest first, then the next of each."""
        return _in_turns(cell for name in self.uses.of(mutant.about) for cell in self.by_object[name])

    def killed(self, mutant: Mutant, cell: Cell) -> None:
        """Remember: the next one like it is put to this cell first."""
        for key in self._keys(mutant):
            recent = self.lately[key]
            if cell in recent:
                recent.remove(cell)
            recent.append(cell)

    @staticmethod
    def _keys(mutant: Mutant) -> list[str]:
        return [remembered.place(mutant), *sorted(mutant.about), mutant.kind]


def _in_turns(cells: Iterable[Cell]) -> list[Cell]:
    """The first case of every test, then the second of each: cases of one test mostly notice the same."""
    turns: Counter[tuple[str, str]] = Counter()
    placed = []
    for cell in cells:
        test = (cell.module.__name__, cell.function.__name__)
        turns[test] += 1
        placed.append((turns[test], len(placed), cell))
    return [cell for *_, cell in sorted(placed, key=lambda p: p[:2])]


def _object(place: str) -> str:
    """The table or function of a place: `app.team` of `app.team.team_floor`, `authz.uid` of `authz.uid()`."""
    return ".".join(re.split(r"[.(]", place)[:2])


def mentions(cell: Cell) -> set[str]:
    """The tables and functions a cell is about: those in its parameters, or else those in its own text and that of what it calls."""
    # Beside a table, a name is a persona's: "owner of the other organization" is not about that table.
    values = [v for k, v in cell.parameters.items() if (hasattr(v, "table") or not hasattr(v, "policy")) and not (k == "name" and "table" in cell.parameters)]
    words = {w for v in values for w in ([v.table] if hasattr(v, "table") else _WORD.findall(str(v)))}
    given = {f"app.{w}" for w in words & TABLES.keys()} | {f"api.{w}" for w in words & RECIPES.keys()} | {
        f"{a}.{b}" for v in values if not hasattr(v, "table") for a, b in _NAMED.findall(str(v))}
    return given or set().union(*(_named(f) for f in _reached(cell.function)))


@cache
def _reached(function: Callable[..., Any]) -> frozenset[FunctionType]:
    """The function and those of the tests that it calls."""
    found: set[FunctionType] = set()
    waiting = [inspect.unwrap(function)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, FunctionType) and one not in found and one.__module__.startswith("tests.db"):
            found.add(one)
            waiting += [inspect.unwrap(v) for name in one.__code__.co_names if callable(v := one.__globals__.get(name))]
    return frozenset(found)


@cache
def _named(function: FunctionType) -> frozenset[str]:
    text = inspect.getsource(function)
    return frozenset(f"{a}.{b}" for a, b in _NAMED.findall(text)) | {f"api.{w}" for w in _WORD.findall(text) if w in RECIPES}
