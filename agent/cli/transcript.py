"""The main job on real input, step by step: what was expected, what happened."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.cli.chat import citation_line
from agent.cli.client import Answer, EdgeClient
from agent.cli.members import join
from agent.cli.people import ACME, GLOBEX, Organization
from agent.naming import organization_id
from edge_proxy.local.auth.keys import SigningKeys
from edge_proxy.local.state import State

QUESTION = "What does the licence allow me to do with the software?"
CITED = ("title", "document_id", "chunk_id", "start_char", "end_char", "score")


@dataclass
class Transcript:
    """Runs the steps as the people of the stack and prints a line for each expectation."""

    client: EdgeClient
    state: State
    passwords: dict[str, str]
    say: Callable[[str], None] = print
    failures: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    async def run(self) -> int:
        """Run everything; return how many lines were not as expected."""
        await self._same_question_two_organizations()
        await self._an_order_of_somebody_else()
        await self._a_member_of_both()
        await self._removed_while_the_token_lives()
        await self._refused_at_the_edge()
        return self.failures

    def check(self, what: str, expected: str, happened: str, good: bool) -> None:
        self.failures += not good
        self.say(f"  {'ok  ' if good else 'FAIL'} {what}\n         expected: {expected}\n         happened: {happened}")

    async def _same_question_two_organizations(self) -> None:
        self.say(f"\n1. The same question to a bot of the same name in two organizations: {QUESTION!r}")
        cited = []
        for one in (ACME, GLOBEX):
            await self._sign_in(one.owner)
            cited.append(await self._own_documents_only(one.owner, one, show=True))
        self.check("the two answers", "not one document in common", f"{len(cited[0] & cited[1])} in common", not cited[0] & cited[1])
        other = await self.client.chat(self.tokens[ACME.owner], self._bot(GLOBEX), QUESTION)
        absent = await self.client.chat(self.tokens[ACME.owner], "no-such-organization/helpdesk", QUESTION)
        same = _without_id(other.body) == _without_id(absent.body)
        self.check("acme's owner asks globex's bot", "404, in the words used for a bot that does not exist",
                   f"{other.status}, {'the same words' if same else 'other words'}: {_message(other)}", other.status == 404 == absent.status and same)

    async def _an_order_of_somebody_else(self) -> None:
        self.say("\n2. An order of somebody else in the same organization")
        order = str(ACME.orders[ACME.owner]["order_number"])
        member = "member@acme.test"
        await self._sign_in(member)
        question = "What is the status of order {}?"
        foreign = await self._chat(member, question.format(order))
        absent = await self._chat(member, question.format("ACME-9999"))
        mine = await self._chat(ACME.owner, question.format(order))
        self.check(f"member asks for {order}", "not found, in the words used for a number that does not exist",
                   f"{_first_line(foreign)!r}, {'the same words' if _text(foreign) == _text(absent) else 'other words'}",
                   foreign.status == 200 and order not in _text(foreign) and _text(foreign) == _text(absent))
        self.check(f"owner asks for {order}", "the order", repr(_line_with(order, mine)), mine.status == 200 and order in _text(mine))

    async def _a_member_of_both(self) -> None:
        self.say("\n3. A member of both organizations")
        await self._sign_in("both@example.test")
        for one in (ACME, GLOBEX):
            await self._own_documents_only("both@example.test", one)

    async def _removed_while_the_token_lives(self) -> None:
        self.say("\n4. Removed from the organization while the token is still valid")
        (email, role), = ACME.removed.items()
        token = await self._sign_in(email)
        owner = self.client.as_person(self.tokens[ACME.owner])
        org_id = await self._org_id(ACME)
        person = {"org_id": org_id, "user_id": (await self.client.as_person(token).call("whoami"))["user_id"]}
        await join(owner, self.client.as_person(token), org_id, email, role)
        try:
            before = await self._chat(email, QUESTION)
        finally:
            await owner.call("remove_member", person)
        after = await self._chat(email, QUESTION)
        found = await self.client.post("/rest/v1/rpc/search_documents", {"org_id": org_id, "query": "licence"}, token)
        self.check("as a member", "an answer with citations", f"{before.status}, {len(_citations(before))} citations",
                   before.status == 200 and bool(_citations(before)))
        self.check("removed, same token, next question", "404, nothing", f"{after.status}: {_message(after)}", after.status == 404)
        self.check("removed, same token, search", "nothing", f"{found.status}: {found.body if found.status == 200 else _message(found)}",
                   found.body == [] or found.status in (403, 404))

    async def _refused_at_the_edge(self) -> None:
        self.say("\n5. Refused at the edge")
        good = self.tokens[ACME.owner]
        keys = SigningKeys.load_or_create(self.state.signing_keys)
        service = keys.sign(keys.verify(good) | {"role": "service_role", "sub": str(uuid.uuid4())})
        head, body, signature = good.split(".")
        changed = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        allowed = await self.client.post("/rest/v1/rpc/whoami", {}, good)
        self.check("the untouched token", "200", str(allowed.status), allowed.status == 200)
        refused = (
            ("a service-role token with a good signature", service, "invalid_token"),
            ("a token with one changed byte", changed, "invalid_token"),
            ("no token", None, "missing_token"),
        )
        for what, token, code in refused:
            for path in ("/rest/v1/rpc/whoami", "/v1/chat/completions"):
                answer = await self.client.post(path, {}, token)
                happened = f"{answer.status} {answer.body.get('code')}"
                self.check(f"{what}, {path}", f"401 {code}", happened, happened == f"401 {code}")

    async def _own_documents_only(self, email: str, one: Organization, *, show: bool = False) -> set[str]:
        """Ask in one organization; return the ids of the documents cited, all of which must be that organization's."""
        answer = await self.client.chat(self.tokens[email], self._bot(one), QUESTION)
        citations = _citations(answer)
        own = await self._documents(one)
        complete = all(citation.get(name) is not None for citation in citations for name in CITED)
        foreign = [citation for citation in citations if citation["document_id"] not in own]
        run = _extra(answer).get("run_id")
        self.check(f"{email} asks {self._bot(one)}", f"an answer citing only the {len(own)} documents of {one.slug}, and a run id",
                   f"{answer.status}, {len(citations)} citations, {len(foreign)} from elsewhere, run {run}",
                   answer.status == 200 and bool(citations) and complete and not foreign and bool(run))
        for citation in citations if show else []:
            self.say(f"         {citation_line(citation)}")
        return {citation["document_id"] for citation in citations}

    async def _documents(self, one: Organization) -> set[str]:
        """Return the ids of the organization's documents, as its owner sees them."""
        owner = self.client.as_person(await self._sign_in(one.owner))
        org_id = await self._org_id(one)
        bases = await owner.call("list_knowledge_bases", {"org_id": org_id})
        rows = [row for base in bases for row in await owner.call("list_documents", {"org_id": org_id, "knowledge_base_id": base["id"]})]
        return {row["id"] for row in rows}

    async def _org_id(self, one: Organization) -> str:
        return await organization_id(self.client.as_person(await self._sign_in(one.owner)), one.slug)

    async def _sign_in(self, email: str) -> str:
        if email not in self.tokens:
            self.tokens[email] = await self.client.sign_in(email, self.passwords[email])
        return self.tokens[email]

    async def _chat(self, email: str, question: str) -> Answer:
        return await self.client.chat(self.tokens[email], self._bot(ACME), question)

    def _bot(self, one: Organization) -> str:
        return f"{one.slug}/{one.bot}"


def _extra(answer: Answer) -> dict[str, Any]:
    return answer.body.get("ringfence", {}) if answer.status == 200 else {}


def _citations(answer: Answer) -> list[dict[str, Any]]:
    return list(_extra(answer).get("citations", []))


def _text(answer: Answer) -> str:
    return str(answer.body["choices"][0]["message"]["content"]) if answer.status == 200 else _message(answer)


def _first_line(answer: Answer) -> str:
    return _text(answer).splitlines()[0]


def _line_with(word: str, answer: Answer) -> str:
    return next((line for line in _text(answer).splitlines() if word in line), _first_line(answer))


def _message(answer: Answer) -> str:
    return str(answer.body.get("message"))


def _without_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "request_id"}
