"""What a helper answers is about the rows it is asked of, also where no policy of theirs says so (F07, F08, F11, F15, F67, R10).

The superuser asks in the person's name, so that the policies of tables say nothing; of a definer those of its owner are opened.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request
from tests.db.world import World

_NO_SUCH = "PT404"


def names(world: World) -> dict[str, Any]:
    acme, globex = world.acme, world.globex
    return acme.ids | {"acme": acme.id, "globex": globex.id, **{name: p.user_id for name, p in acme.people.items()}, "their_owner": globex.people["owner"].user_id,
                       "owner_session": acme.people["owner"].session_id, "token_session": acme.people["owner"].token_session_id, "their_source": globex.ids["data_source"]}


def opened(*tables: str) -> list[str]:
    return [f"create policy opened on {t} for all to ringfence_owner using (true) with check (true)" for t in tables]


_HOLD = "delete from app.legal_hold; insert into app.legal_hold (org_id, reason, created_by) values ('{%s}', 'Probe', '{owner}')"
_PURGE = "insert into authz.purge_receipt (organization_id, purged_in) values ('{%s}', %s)"
_TITLED = "update app.conversation set title = 'Tool call: probe', org_id = '{%s}' where id = '{conversation}'"
# What is so, what is asked, and the answer.
ANSWERS: dict[str, tuple[str, str, Any]] = {
    "held": (_HOLD % "acme", "authz.is_held('{acme}', '{customer}', '{conversation}')", True),
    "held elsewhere": (_HOLD % "globex", "authz.is_held('{acme}', '{customer}', '{conversation}')", False),
    "purging": (_PURGE % ("acme", "pg_current_xact_id()"), "authz.is_purging('{acme}')", True),
    "purging another": (_PURGE % ("globex", "pg_current_xact_id()"), "authz.is_purging('{acme}')", False),
    "purged before": (_PURGE % ("acme", "'5'"), "authz.is_purging('{acme}')", False),
    "a tool": ("", "authz.is_tool('my_orders')", True),
    "a function of another schema that says it is a tool": (
        "create function authz.probe_tool() returns int language sql as 'select 1'; comment on function authz.probe_tool() is E'Probe.\\n\\n@audience bot'", "authz.is_tool('probe_tool')", False),
    "the conversation of a call": (_TITLED % "acme", "authz.is_tool_conversation('{acme}', '{conversation}')", True),
    "the conversation of a call elsewhere": (_TITLED % "globex", "authz.is_tool_conversation('{acme}', '{conversation}')", False),
    "another conversation than that of a call": (_TITLED % "acme", "authz.is_tool_conversation('{acme}', '{document}')", False),
    "a document being loaded": ("", "(authz.loading_document('{acme}', '{loading_document}')).id", "{loading_document}"),
    "a document being loaded elsewhere": ("update app.document set org_id = '{globex}' where id = '{loading_document}'", "(authz.loading_document('{acme}', '{loading_document}')).id", _NO_SUCH),
    "a document being loaded by somebody else": (
        "update app.document set owner_id = '{admin}' where id = '{loading_document}'", "(authz.loading_document('{acme}', '{loading_document}')).id", _NO_SUCH),
    "a team": ("", "authz.require_team('{acme}', '{team}', false)::text", ""),
    "a team that is not there": ("", "authz.require_team('{acme}', '00000000-0000-4000-8000-000000000001', false)::text", _NO_SUCH),
    "a table being loaded": ("", "(authz.loading_table('{acme}', '{loading_table}')).id", "{loading_table}"),
    "a table being loaded by somebody else": ("update app.uploaded_table set created_by = '{admin}' where id = '{loading_table}'", "(authz.loading_table('{acme}', '{loading_table}')).id", _NO_SUCH),
    "a table being loaded elsewhere": ("update app.uploaded_table set org_id = '{globex}' where id = '{loading_table}'", "(authz.loading_table('{acme}', '{loading_table}')).id", _NO_SUCH),
    "a table that is loaded": ("update app.uploaded_table set state = 'ready' where id = '{loading_table}'", "(authz.loading_table('{acme}', '{loading_table}')).id", _NO_SUCH),
    "authz.new_session_level of my session": ("", "authz.new_session_level('{owner_session}')", None),
    "authz.new_session_level of another session of mine": ("update auth.sessions set created_at = now(), user_id = '{owner}' where id = '{token_session}'", "authz.new_session_level('{token_session}')", "aal1"),
    "authz.new_session_level of a session of mine opened six minutes ago": (
        "update auth.sessions set created_at = now() - interval '6 minutes', user_id = '{owner}' where id = '{token_session}'", "authz.new_session_level('{token_session}')", None),
    "authz.new_session_level of a session of mine that is over": (
        "update auth.sessions set created_at = now(), not_after = now() - interval '1 second', user_id = '{owner}' where id = '{token_session}'",
        "authz.new_session_level('{token_session}')", None),
    "authz.new_session_level of a session of somebody else": ("update auth.sessions set created_at = now(), user_id = '{admin}' where id = '{token_session}'", "authz.new_session_level('{token_session}')", None),
    "a second factor of mine": ("update auth.mfa_factors set status = 'verified', user_id = '{owner}'", "authz.has_second_factor()", True),
    "a second factor of somebody else": ("update auth.mfa_factors set status = 'verified', user_id = '{admin}'", "authz.has_second_factor()", False),
}


def answered(db: Request, world: World, ask: str) -> Any:
    """In the name of the owner of acme."""
    become(db, world.acme.people["owner"], role="none")
    return db.one(f"select {ask}")


@pytest.mark.parametrize("what", ANSWERS)
def test_a_helper_is_asked_of_one_thing_and_answers_of_that_R10(world: World, what: str) -> None:
    so, ask, answer = ANSWERS[what]
    ids = names(world)
    factor = ("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) select gen_random_uuid(), '{owner}', 'totp', 'unverified', now(), now()"
              " where not exists (select from auth.mfa_factors)")
    fresh = "update auth.sessions set created_at = now(), not_after = null where id = '{owner_session}'"
    with planted(world, REPLICA, *opened("authz.purge_receipt", "auth.mfa_factors", "auth.sessions"), factor.format(**ids), fresh.format(**ids),
                 *(s.format(**ids) for s in so.split("; ") if s), ORIGIN) as db:
        if answer == _NO_SUCH:
            become(db, world.acme.people["owner"], role="none")
            assert db.error(f"select {ask.format(**ids)}").sqlstate == _NO_SUCH
        else:
            assert answered(db, world, ask.format(**ids)) == (ids[answer[1:-1]] if isinstance(answer, str) and answer.startswith("{") else answer)


SOURCES: dict[str, tuple[str, str, dict[str, str], bool]] = {
    # what is so, at which level is asked, in which session, and whether the source is among those granted
    "to look at": ("", "viewer", {}, True), "to change": ("", "editor", {}, True),
    "to look at, by a token": ("", "viewer", {"session_id": "{token_session}"}, True), "to change, by a token for asking alone": ("", "editor", {"session_id": "{token_session}"}, False),
    "to change, by a token for it": ("update app.api_token set permissions = '{{analytics.run,analytics.manage}}' where user_id = '{owner}'", "editor", {"session_id": "{token_session}"}, True),
    "where a rule takes it": ("insert into app.deny_rule (org_id, data_source_id, reason, created_by) values ('{acme}', '{data_source}', 'Probe', '{owner}')", "viewer", {}, False),
    "where a rule takes another": ("insert into app.deny_rule (org_id, data_source_id, reason, created_by) values ('{acme}', '{books_source}', 'Probe', '{owner}')", "viewer", {}, True),
}


@pytest.mark.parametrize("what", SOURCES)
def test_a_source_is_granted_at_a_level_unless_a_rule_or_a_token_says_otherwise_F08_F15(world: World, what: str) -> None:
    so, level, claims, granted = SOURCES[what]
    ids = names(world)
    with planted(world, *opened("app.data_source_grant"), REPLICA, "update app.api_token set permissions = '{analytics.run}'", "delete from app.deny_rule", *([so.format(**ids)] if so else []),
                 ORIGIN) as db:
        become(db, world.acme.people["owner"], role="none", **{k: v.format(**ids) for k, v in claims.items()})
        assert (ids["data_source"] in {s for (s,) in db.all("select * from authz.granted_data_sources(%s)", level)}) is granted


CHOICE = {"an organization of others": ("", "globex", False), "where I am suspended": ("update app.membership set status = 'suspended' where org_id = '{acme}' and user_id = '{owner}'", "acme", False),
          "mine": ("", "acme", True)}


@pytest.mark.parametrize("what", CHOICE)
def test_a_choice_is_of_an_organization_of_ones_own_and_replaces_those_of_the_session_F11(world: World, what: str) -> None:
    so, org, kept = CHOICE[what]
    ids = names(world)
    chosen = "insert into app.session_choice (org_id, user_id, session_id, chosen_at) values ('{acme}', '{%s}', %s, now() - interval '%s days')"
    own, another, old = "'{owner_session}'", "'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000000002'"
    rows = [chosen % (who, session, days) for who in ("owner", "admin") for session, days in ((own, 1), (another, 89), (old, 91))]
    with planted(world, *opened("app.membership", "app.session_choice"), REPLICA, "delete from app.session_choice", *(r.format(**ids) for r in rows), *([so.format(**ids)] if so else []),
                 ORIGIN) as db:
        become(db, world.acme.people["owner"])
        if not kept:
            assert db.error("select authz.keep_choice(%s)", ids[org]).sqlstate == _NO_SUCH
            return
        db.run("select authz.keep_choice(%s)", ids[org])
        db.run("select set_config('role', 'none', true)")
        left = db.all("select user_id, session_id, chosen_at > transaction_timestamp() - interval '1 hour' from app.session_choice")
    mine, theirs = [(row[1], row[2]) for row in left if row[0] == ids["owner"]], [row for row in left if row[0] == ids["admin"]]
    assert (set(mine), len(theirs)) == ({(ids["owner_session"], True), (UUID(another[1:-1]), False)}, 3)


def test_what_names_a_person_is_the_columns_of_the_inventory_that_hold_people_F67(world: World) -> None:
    with planted(world) as db:
        columns: dict[str, set[str]] = {}
        for table, some in db.all("select table_name, columns from authz.personal_columns()"):
            columns[table] = columns.get(table, set()) | set(some) - {"session_id", "auth_session_id"}
        for table, listed in columns.items():
            people = [c for (c,) in db.all("select column_name::text from information_schema.columns where table_schema = 'app' and table_name = %s and data_type = 'uuid'"
                                           " order by ordinal_position", table) if c in listed]
            assert db.one("select authz.names_me(%s)", table) == ("(" + " or ".join(f"t.{c} = authz.uid()" for c in people) + ")" if people else None), table
        assert db.one("select authz.names_me('session_choice')") == "(t.user_id = authz.uid())"
        assert db.one("select authz.names_me('permission')") is None
