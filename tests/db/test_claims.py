"""Identity at the database: what claims may say, what malformed ones give, and that nothing else names a person (R36 to R38, R41, R43, R50, F11)."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.db.registry import TABLES
from tests.db.matrix import become, planted
from tests.db.session import Request, request
from tests.db.world import World

ORG_TABLES = sorted(t for t, d in TABLES.items() if d.org)


def visible(db: Request) -> dict[str, int]:
    """How many rows of each table the session sees, where it sees any."""
    counts = db.all(" union all ".join(f"select '{t}', count(*) from app.{t}" for t in TABLES))
    return {t: n for t, n in counts if n}


def refused(error: psycopg.Error) -> str:
    """The reason, of an error that PostgREST turns into status 401 with code 28000."""
    assert error.sqlstate == "PGRST"
    assert json.loads(error.diag.message_detail or "") == {"status": 401, "headers": {"WWW-Authenticate": 'Bearer error="invalid_token"'}}
    message = json.loads(error.diag.message_primary or "")
    assert message["code"] == "28000"
    return str(message["message"])


MALFORMED = {
    "empty": "", "no members": "{}", "sub null": '{"sub": null}', "sub not a uuid": '{"sub": "x"}', "sub empty": '{"sub": ""}',
    "sub a star": '{"sub": "*"}', "sub an object": '{"sub": {"id": "%s"}}', "sub an array": '{"sub": ["%s"]}', "sub a number": '{"sub": 1}',
    "sub two ids": '{"sub": "%s,%s"}', "sub padded": '{"sub": " %s"}', "sub with a NUL": '{"sub": "%s\\u0000"}', "an array": '[{"sub": "%s"}]',
    "an empty array": "[]", "a string": '"%s"', "a number": "1", "a boolean": "true", "null": "null", "broken": '{"sub": "%s"',
    "trailing text": '{"sub": "%s"} x', "nested": '{"claims": {"sub": "%s"}}', "other case": '{"SUB": "%s"}', "not JSON": "sub=%s",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("with_role", [False, True])
def test_malformed_claims_see_nothing_and_are_refused_before_the_request_R36(world: World, text: str, with_role: bool) -> None:
    owner = world.acme.people["owner"]
    claims = text.replace("%s", str(owner.user_id))
    if with_role:
        claims = claims.replace('{"', f'{{"role": "authenticated", "session_id": "{owner.session_id}", "', 1)
    with request(world.authenticator_url, claims, pre_request=False) as db:
        assert visible(db) == {}
        assert db.one("select authz.uid()") is None
        assert db.rpc("whoami")["organizations"] == []
        assert refused(db.error("select authz.pre_request()")) in ("sign in to continue", "the session has ended: sign in again")
        assert db.rpc_error("create_organization", slug="mine", name="Mine").sqlstate == "42501"
    with world.as_(owner) as db:
        assert set(visible(db)) >= {"organization", "membership", "bot", "document", "chunk"}


def test_no_claims_setting_at_all_sees_nothing_R36(world: World) -> None:
    with psycopg.connect(world.authenticator_url) as connection:
        connection.execute("set local role authenticated")
        assert visible(Request(connection)) == {}


@pytest.mark.parametrize(("claims", "reason"), [
    ({"role": "anon"}, "sign in to continue"), ({"role": "service_role"}, "sign in to continue"), ({"role": None}, "sign in to continue"),
    ({"role": ["authenticated"]}, "sign in to continue"), ({"role": "Authenticated"}, "sign in to continue"),
    ({"is_anonymous": True}, "create an account to continue"), ({"session_id": None}, "the session has ended: sign in again"),
    ({"session_id": "x"}, "the session has ended: sign in again"), ({"session_id": ["x"]}, "the session has ended: sign in again"),
])
def test_a_token_that_is_not_a_signed_in_persons_is_refused_R41(world: World, claims: dict[str, Any], reason: str) -> None:
    person = world.acme.people["owner"]
    with request(world.authenticator_url, person.claims(**claims), pre_request=False) as db:
        assert refused(db.error("select authz.pre_request()")) == reason
    with request(world.authenticator_url, person.claims()) as db:
        assert db.one("select authz.uid()") == person.user_id


def test_a_session_of_somebody_else_is_refused_R41(world: World) -> None:
    owner, member = world.acme.people["owner"], world.acme.people["member"]
    with request(world.authenticator_url, owner.claims(session_id=str(member.session_id)), pre_request=False) as db:
        assert refused(db.error("select authz.pre_request()")) == "the session has ended: sign in again"


def test_anon_may_not_even_ask_R7(world: World) -> None:
    with request(world.authenticator_url, {"role": "anon"}, role="anon", pre_request=False) as db:
        for statement in ("select authz.pre_request()", "select api.whoami()", "select api.tool_catalog()", "select count(*) from app.permission"):
            error = db.error(statement)
            assert (error.sqlstate, "permission denied for schema" in str(error)) == ("42501", True)


USER, SESSION = "update auth.users set {} where id = '{user}'", "update auth.sessions set {} where id = '{session}'"


@pytest.mark.parametrize(("change", "alive"), [
    ("select 1", True),
    ("delete from auth.sessions where id = '{session}'", False),
    (SESSION.replace("{}", "not_after = now() - interval '1 second'"), False),
    (SESSION.replace("{}", "not_after = now() + interval '1 hour'"), True),
    (USER.replace("{}", "banned_until = now() + interval '1 hour'"), False),
    (USER.replace("{}", "banned_until = 'infinity'"), False),
    (USER.replace("{}", "banned_until = now() - interval '1 second'"), True),
    (USER.replace("{}", "deleted_at = now()"), False),
    (USER.replace("{}", "is_anonymous = true"), False),
    ("delete from auth.users where id = '{user}'", False),
])
def test_a_valid_token_is_refused_once_its_session_or_person_is_gone_R41(world: World, change: str, alive: bool) -> None:
    person = world.acme.people["member"]
    with planted(world, change.format(user=person.user_id, session=person.session_id)) as db:
        become(db, person)
        if alive:
            assert db.all("select authz.pre_request()") == [("",)]
        else:
            assert refused(db.error("select authz.pre_request()")) == "the session has ended: sign in again"


@pytest.mark.parametrize("legacy", ["globex", "nonsense"])
def test_the_legacy_setting_names_nobody_R37(world: World, legacy: str) -> None:
    owner, other = world.acme.people["owner"], world.globex.people["owner"]
    forged = str(other.user_id) if legacy == "globex" else "x"
    with request(world.authenticator_url, owner.claims(), pre_request=False) as db:
        db.run("select set_config('request.jwt.claim.sub', %s, true), set_config('request.jwt.claim.role', 'service_role', true)", forged)
        assert db.one("select authz.uid()") == owner.user_id
        assert db.all("select slug from app.organization") == [("acme",)]
        assert refused(db.error("select authz.pre_request()")) == "a legacy identity setting is present"
    with request(world.authenticator_url, None, pre_request=False) as db:
        db.run("select set_config('request.jwt.claim.sub', %s, true)", forged)
        assert visible(db) == {}


@pytest.mark.parametrize("ending", ["commit", "rollback", "error"])
def test_identity_does_not_survive_the_transaction_on_the_same_connection_R38(world: World, ending: str) -> None:
    with psycopg.connect(world.authenticator_url) as connection:
        with request(world.authenticator_url, world.acme.people["owner"].claims(), keep=ending == "commit", connection=connection) as db:
            assert db.one("select count(*) from app.chunk") > 0
            if ending == "error":
                with pytest.raises(psycopg.errors.DivisionByZero):
                    db.run("select 1 / 0")
        after = Request(connection)
        assert after.all("select current_user::text, coalesce(current_setting('request.jwt.claims', true), '')") == [("authenticator", "")]
        assert (error := after.error("select count(*) from app.chunk")).sqlstate == "42501"
        assert "permission denied" in str(error)
        after.run("set local role authenticated")
        assert after.one("select authz.uid()") is None
        assert visible(after) == {}


@pytest.mark.parametrize("table", TABLES)
def test_row_security_off_is_an_error_not_all_rows_R50(world: World, table: str) -> None:
    who = {"conversation": "customer", "message": "customer", "kb_grant": "admin", "document_grant": "admin", "document_part": "admin",
           "analytics_job": "customer", "analytics_result": "customer", "analytics_result_grant": "customer"}
    with world.as_(world.acme.people[who.get(table, "owner")]) as db:
        assert db.one(f"select count(*) from app.{table}") > 0
        db.run("set local row_security = off")
        error = db.error(f"select count(*) from app.{table}")
    assert error.sqlstate == "42501"
    assert "query would be affected by row-level security policy" in str(error)


@pytest.mark.parametrize(("name", "arguments"), [
    ("list_bots", {}), ("whoami", {}), ("list_members", {"org_id": None}), ("list_documents", {"org_id": None, "knowledge_base_id": None}),
    ("my_orders", {"org_id": None}), ("list_conversations", {"org_id": None}), ("search_documents", {"org_id": None, "query": "delivery"}),
])
def test_row_security_off_is_an_error_inside_functions_too_R50(world: World, name: str, arguments: dict[str, Any]) -> None:
    given = {k: {"org_id": world.acme.id, "knowledge_base_id": world.acme.ids["knowledge_base"]}.get(k, v) for k, v in arguments.items()}
    with world.as_(world.acme.people["customer" if name == "list_conversations" else "owner"]) as db:
        assert db.rpc(name, **given)
        db.run("set local row_security = off")
        assert "row-level security" in str(db.rpc_error(name, **given))


def organizations_of(db: Request) -> set[str]:
    """The slugs of the organizations of which any row of any table is visible."""
    return {str(o) for (o,) in db.all(" union ".join(f"select {TABLES[table].org} from app.{table}" for table in ORG_TABLES))}


@pytest.mark.parametrize("claim", ["acme", "globex", "another", "both", "null", "slug", "star", "empty", "object"])
def test_an_organization_claim_narrows_every_table_and_never_widens_F11(world: World, claim: str) -> None:
    acme, globex = str(world.acme.id), str(world.globex.id)
    said = {"acme": acme, "globex": globex, "another": str(world.nobody.user_id), "both": [acme, globex], "null": None, "slug": "acme",
            "star": "*", "empty": "", "object": {"id": acme}}[claim]
    with world.as_(world.both) as db:
        assert organizations_of(db) == {acme, globex}
    with world.as_(world.both, org_id=said) as db:
        assert organizations_of(db) == {"acme": {acme}, "globex": {globex}}.get(claim, set())
        assert [o["slug"] for o in db.rpc("whoami")["organizations"]] == ([claim] if claim in ("acme", "globex") else [])
    with world.as_(world.acme.people["owner"], org_id=globex) as db:
        assert organizations_of(db) == set()


def test_a_role_holds_in_its_organization_only_F11(world: World) -> None:
    """The same person builds bots in acme and only runs them in globex; user_metadata and app_metadata say nothing."""
    wish: dict[str, Any] = {"user_metadata": {"role": "owner", "org_id": str(world.globex.id)}, "app_metadata": {"roles": ["owner"]}}
    with world.as_(world.both, **wish) as db:
        assert {o["slug"]: o["role"] for o in db.rpc("whoami")["organizations"]} == {"acme": "builder", "globex": "member"}
        assert db.rpc("create_bot", org_id=world.acme.id, slug="mine", name="Mine")["id"]
        error = db.rpc_error("create_bot", org_id=world.globex.id, slug="mine", name="Mine")
        assert (error.sqlstate, "row-level security" in str(error)) == ("42501", True)
    with world.as_(world.both, org_id=str(world.globex.id)) as db:
        assert db.rpc_error("create_bot", org_id=world.acme.id, slug="mine", name="Mine").sqlstate == "42501"
