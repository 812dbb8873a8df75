"""A team to take people from, in every way a right can end; the tests and the benchmark both use it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jwt
import psycopg
from filelock import FileLock

from edge_proxy.local import key_change
from edge_proxy.local.auth.keys import STANDBY, SigningKeys
from edge_proxy.local.auth.rotation import with_standby, without
from edge_proxy.local.state import State
from tests.e2e.conftest import Answer, SignedIn, send

ROLE, LESSER_ROLE = "member", "auditor"
VECTOR = [0.05] * 384


@dataclass
class Member(SignedIn):
    """Somebody of the team, with a second session elsewhere."""

    password: str = field(default="", repr=False)
    elsewhere: str = field(default="", repr=False)
    """The access token of the other session."""
    past_the_edge: str = field(default="", repr=False)
    """For PostgREST itself, where `token` is an API token: the access token of its session."""


class Team:
    """A new organization with one document that says a word found nowhere else, and a bot that the role ROLE may run."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        self.word = f"canary{secrets.token_hex(6)}"
        self.slug = f"team-{secrets.token_hex(4)}"
        self.owner = self.newcomer()
        self.org = self.made("create_organization", slug=self.slug, name="Team")["id"]
        self.base = self.made("create_knowledge_base", org_id=self.org, slug="handbook", name="Handbook")["id"]
        self.write("Note", [f"The word is {self.word}."])
        bot = self.made("create_bot", org_id=self.org, slug="desk", name="Desk")["id"]
        self.model = f"{self.slug}/desk"
        self.made("bind_bot", org_id=self.org, bot_id=bot, knowledge_base_id=self.base)
        self.made("bind_bot", org_id=self.org, bot_id=bot, tool="search_documents")
        self.made("share_bot", org_id=self.org, bot_id=bot, role=ROLE)

    def write(self, title: str, passages: list[str]) -> None:
        """Add a document of these passages to the knowledge base."""
        document = self.made("begin_document", org_id=self.org, knowledge_base_id=self.base, title=title,
                              uri=f"test:{secrets.token_hex(8)}", sha256="0" * 64)["document_id"]
        start = 0
        for position, text in enumerate(passages):
            chunk = {"position": position, "content": text, "start_char": start, "end_char": start + len(text), "embedding": VECTOR}
            self.made("add_chunks", org_id=self.org, document_id=document, chunks=[chunk])
            start += len(text)
        self.made("finish_document", org_id=self.org, document_id=document)

    def made(self, rpc: str, **arguments: Any) -> dict[str, Any]:
        """Return what a function made, called as the owner."""
        answer = self.owner.rpc(rpc, **arguments)
        assert answer.status == 200, answer.body
        made: dict[str, Any] = answer.json()
        return made

    def _auth(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        answer = send(self.stack["url"], "POST", f"/auth/v1/{path}",
                      {"apikey": self.stack["publishable_key"], "content-type": "application/json"}, body)
        assert answer.status == 200, answer.body
        return dict(answer.json())

    def newcomer(self) -> Member:
        """Return somebody who has just signed up and belongs to nothing."""
        account = {"email": f"{secrets.token_hex(8)}@team.test", "password": secrets.token_urlsafe(12)}
        session = self._auth("signup", account)
        return Member(self.stack["url"], account["email"], session["user"]["id"], session["access_token"], password=account["password"])

    def member(self) -> Member:
        """Return a new member with ROLE."""
        one = self.newcomer()
        token = self.made("create_invitation", org_id=self.org, email=one.email, role=ROLE)["token"]
        assert one.rpc("accept_invitation", token=token).status == 200
        one.elsewhere = self._auth("token?grant_type=password", {"email": one.email, "password": one.password})["access_token"]
        return one

    def script(self) -> Member:
        """Return a new member acting by an API token of theirs."""
        one = self.member()
        wish = {"org_id": self.org, "name": "script", "permissions": ["bots.run", "documents.read"], "expires_in": 3600, "password": one.password}
        made = one.post("/v1/tokens", wish)
        assert made.status == 201, made.body
        with psycopg.connect(self.stack["database_url"]) as connection:
            [kept] = connection.execute("select r.token from auth.refresh_tokens r join app.api_token t on t.session_id = r.session_id"
                                        " where t.user_id = %s and not r.revoked", [one.user_id]).fetchall()
        inside = send(self.stack["auth_url"], "POST", "/token?grant_type=refresh_token", {"content-type": "application/json"}, {"refresh_token": kept[0]})
        assert inside.status == 200, inside.body
        return replace(one, token=made.json()["token"], past_the_edge=inside.json()["access_token"])

    def search(self, one: SignedIn, url: str = "") -> Answer:
        """Search for the word, at the edge or (with its URL) at PostgREST itself."""
        path = "/rpc/search_documents" if url else "/rest/v1/rpc/search_documents"
        token = url and getattr(one, "past_the_edge", "") or one.token
        return send(url or one.url, "POST", path, {"authorization": f"Bearer {token}", "content-type": "application/json"},
                    {"org_id": self.org, "query": self.word})

    def as_operator(self, statement: str, *values: Any) -> None:
        """Do what only Supabase's dashboard or an operator can: there is no admin API at the edge, by design."""
        with psycopg.connect(self.stack["database_url"]) as connection:
            changed = connection.execute(statement.encode(), values)
            assert changed.rowcount == 1

    # The ways a right ends. Each returns when the call that ends it has returned.

    def remove(self, one: Member) -> None:
        self.made("remove_member", org_id=self.org, user_id=one.user_id)

    def demote(self, one: Member) -> None:
        self.made("change_member", org_id=self.org, user_id=one.user_id, role=LESSER_ROLE)

    def promote(self, one: Member) -> None:
        self.made("change_member", org_id=self.org, user_id=one.user_id, role=ROLE)

    def ban(self, one: Member) -> None:
        self.as_operator("update auth.users set banned_until = now() + interval '1 day' where id = %s", one.user_id)

    def delete(self, one: Member) -> None:
        self.as_operator("delete from auth.users where id = %s", one.user_id)

    def delete_softly(self, one: Member) -> None:
        self.as_operator("update auth.users set deleted_at = now() where id = %s", one.user_id)

    def sign_out(self, one: Member) -> None:
        self._logout(one.token, "local")

    def sign_out_everywhere(self, one: Member) -> None:
        self._logout(one.elsewhere, "global")

    def _logout(self, token: str, scope: str) -> None:
        answer = send(self.stack["url"], "POST", f"/auth/v1/logout?scope={scope}", {"authorization": f"Bearer {token}"})
        assert answer.status == 204, answer.body

    def revoke_api_token(self, one: Member) -> None:
        """By somebody who manages members, as when a script leaks while its owner is away."""
        [token] = [row for row in self.owner.rpc("list_api_tokens", org_id=self.org).json() if row["user_id"] == one.user_id]
        self.made("revoke_api_token", org_id=self.org, token_id=token["id"])

    def revoke_key(self, one: Member) -> None:
        kid = jwt.get_unverified_header(one.token)["kid"]
        key_change.change(State(Path(self.stack["state_dir"])), lambda keys: without(keys, kid))

    @contextmanager
    def signed_by_a_standby_key(self, one: Member) -> Iterator[None]:
        """Sign the person's token anew with a key that only they use: the key everybody else's is signed with stays."""
        state = State(Path(self.stack["state_dir"]))
        with FileLock(state.root / "standby-of-a-test.lock"):
            keys = key_change.change(state, with_standby)
            [standby] = [key for key in keys.jwks if key.get("status") == STANDBY]
            claims = jwt.decode(one.token, options={"verify_signature": False})
            one.token = SigningKeys((standby,)).sign(claims)
            try:
                yield
            finally:
                key_change.change(state, lambda keys: without(keys, standby["kid"]))


WAYS: dict[str, Callable[[Team, Member], None]] = {
    "membership removed": Team.remove,
    "role changed": Team.demote,
    "user banned": Team.ban,
    "user deleted": Team.delete,
    "user deleted softly": Team.delete_softly,
    "signed out": Team.sign_out,
    "signed out everywhere": Team.sign_out_everywhere,
    "key revoked": Team.revoke_key,
    "API token revoked": Team.revoke_api_token,
}


@contextmanager
def about_to_lose(team: Team, way: str) -> Iterator[Member]:
    """Yield a member to whom WAYS[way] can be done."""
    one = team.script() if way == "API token revoked" else team.member()
    if way == "key revoked":
        with team.signed_by_a_standby_key(one):
            yield one
    else:
        yield one


def found(answer: Answer, word: str) -> bool:
    """Return whether a search was allowed and told the word."""
    return answer.status == 200 and word in json.dumps(answer.json())
