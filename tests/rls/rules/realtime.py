"""What leaves the database by itself: publications, replica identity, channels, notifications."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.predicate import binds, quiet
from tests.rls.catalog import Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.rules.grants import NOT_SECRET, SECRET


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for publication in context.catalog.publications:
        if publication.name.startswith("supabase_realtime_messages"):
            continue
        if publication.all_tables:
            yield _state("publication-all-tables", f"publication {publication.name}", f"publication {publication.name} is FOR ALL TABLES: every table of every schema goes to subscribers", "puballtables")
            continue
        published = [t for t in context.catalog.own_tables() if t.oid in publication.tables or t.schema in publication.schemas]
        for table in published:
            yield from _published(model, table, publication.name)
    messages = context.catalog.find("realtime.messages")
    if isinstance(messages, Table):
        yield from _channels(model, messages)
    for function in context.catalog.own_functions():
        nodes = model.reading.body(function).nodes
        for name, arguments in tree.calls(nodes):
            if name[-1:] == ("pg_notify",) and len(arguments) == 2 and _whole_row(arguments[1]):
                yield _state("notify-carries-row", function.label, f"function {function.label} sends whole rows with pg_notify: whoever has a session may LISTEN, and the channel asks nobody", function.source[:400])
            if name == ("realtime", "send") and len(arguments) > 3 and tree.boolean(arguments[3]) is False:
                yield _state("broadcast-not-private", function.label, f"function {function.label} broadcasts with private = false: no policy is asked who listens", function.source[:400])


def _whole_row(node: tree.Node) -> bool:
    rows = {name for name in tree.columns(node) if name in (("new",), ("old",))}
    return bool(rows)


def _published(model: Model, table: Table, publication: str) -> Iterator[Finding]:
    readers = model.reachers(table, "SELECT")
    secret = [c.name for c in table.columns if SECRET.search(c.name) and not NOT_SECRET.search(c.name)]
    if not table.rls:
        yield _state("published-without-rls", table.label, f"table {table.label} is in publication {publication} with row security off: changes go to every subscriber", "relrowsecurity = false")
    elif not readers or not model.catalog.schemas[table.schema].exposed and not model.catalog.schemas[table.schema].managed and not readers:
        yield _state("published-unreadable-table", table.label, f"table {table.label} is in publication {publication} although no client may select it", "no SELECT for clients")
    if secret:
        yield _state("published-secrets", table.label, f"table {table.label} with secret column {', '.join(secret)} is in publication {publication}", ", ".join(secret))
    if table.replica_identity == "f" and model.belongs(table):
        yield _state("replica-identity-full", table.label, f"table {table.label} in publication {publication} has REPLICA IDENTITY FULL: DELETE events pass no policy and carry every column of the old row", "relreplident = f")


def _channels(model: Model, table: Table) -> Iterator[Finding]:
    for policy in table.policies:
        roles = [r for r in model.roles if {*policy.roles} & model.catalog.acting_as(r)]
        if not policy.permissive or not roles:
            continue
        for command in ("select", "insert"):
            if not policy.covers(command):
                continue
            for _, text in model.clauses(policy, command)[:1]:
                for alternative in model.predicate(table).alternatives(text) or ():
                    topic = [fact for fact in alternative if "topic" in fact.columns]
                    if not binds(alternative, frozenset({"topic"})) and (not quiet(alternative) or topic):
                        yield Finding("realtime-any-topic", table.label, command, persona(roles[-1]),
                                      f"policy {policy.name} on realtime.messages ({command}): the topic is not tied to the caller's tenants, so {'any channel can be heard' if command == 'select' else 'anybody sends to any channel'}",
                                      text or "true", act(roles[-1], "select set_config('realtime.topic', 'org:<another tenant>', true);", f"select * from {table.sql};"))
                        break


def _state(name: str, object_: str, what: str, evidence: str) -> Finding:
    return Finding(name, object_, "state", "any", what, evidence,
                   "begin;\nselect pubname, schemaname, tablename from pg_publication_tables;\nselect oid::regclass, relreplident from pg_class where relreplident = 'f';\nrollback;")
