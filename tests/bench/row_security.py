"""What row security costs a search: under it as PostgREST asks, against the same search by the owner with a hand-written filter.

The two take turns, question by question and round by round, so that whatever else the machine does meets both. At one client the
medians of single searches are compared; at sixteen the medians of rounds, in which sixteen sessions search side by side.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import aiohttp
import psycopg

from tests.bench.by_owner import DOOR
from tests.bench.dataset import Dataset, Meaning, Member, questions
from tests.bench.report import Gap, Report, median
from tests.bench.server import Server, patient
from tests.db.session import request

MOST = 1.15
CLIENTS = 16
SMALL = Gap(
    "retrieval under row security at most 1.15 times the owner's, in small organizations",
    "A whole search takes 2 to 4 ms there, and the helpers of the policies add 1 ms: a search looks at two tables, and each look asks anew what the person may do."
    " With helpers that answer a constant it still takes 1.2 times the owner's processor time, so no faster helper closes the rest; asking once for both would mean"
    " to believe an answer that SQL could have written.")
Question = tuple[str, str]
_SEARCH = "select * from {}.search_documents(%s, %s, %s::extensions.vector)"


def measure(report: Report, server: Server, database: str, data: Dataset, rounds: int) -> None:
    """Add the ratios for the largest, a typical and the smallest organization."""
    asked = questions(Meaning(), 40, seed=99)
    owner_url = server.cluster.url("postgres", database)
    person_url = server.cluster.url("authenticator", database)
    for name, member in (("largest", data.largest), ("typical", data.typical), ("smallest", data.smallest)):
        what = f"{name} organization ({member.chunks:,} passages)"
        _first_of_the_day(server, database, member)
        with ExitStack() as open_sessions:
            persons = [_person(open_sessions, person_url, member) for _ in range(CLIENTS)]
            owners = [_owner(open_sessions, owner_url, member) for _ in range(CLIENTS)]
            gap = None if member is data.largest else SMALL
            one = _in_turns(persons[0], owners[0], member, asked, 2 * rounds)
            _add(report, f"{what}, SQL, 1 client", *one, gap)
            _add(report, f"{what}, SQL, {CLIENTS} clients", *_side_by_side(persons, owners, member, asked, max(3, rounds // 8)), gap)
        with server.rest(database) as rest:
            single, many = asyncio.run(_over_http(rest, server, member, asked, rounds))
        _add(report, f"{what}, PostgREST, 1 client", *single, gap)
        _add(report, f"{what}, PostgREST, {CLIENTS} clients", *many, gap)


def search(session: psycopg.Connection, schema: str, member: Member, question: Question) -> float:
    """Return the seconds of one search. What it wrote down about itself is undone: nobody waits for a transaction as long as the measurement."""
    # Past psycopg, which forgets its prepared statements at every rollback.
    session.pgconn.exec_(b"savepoint before")
    began = time.perf_counter()
    session.execute(_SEARCH.format(schema).encode(), [member.org_id, *question]).fetchall()
    taken = time.perf_counter() - began
    session.pgconn.exec_(b"rollback to savepoint before; release savepoint before")
    return taken


def in_turns(server: Server, database: str, member: Member, count: int) -> tuple[float, float]:
    """Return the median seconds of a search (under row security, by the owner) at one client."""
    _first_of_the_day(server, database, member)
    with ExitStack() as open_sessions:
        person = _person(open_sessions, server.cluster.url("authenticator", database), member)
        owner = _owner(open_sessions, server.cluster.url("postgres", database), member)
        return _in_turns(person, owner, member, questions(Meaning(), 40, seed=99), count)


def _first_of_the_day(server: Server, database: str, member: Member) -> None:
    """Search once for good: only somebody's first act of a day writes down that they were active."""
    with request(server.cluster.url("authenticator", database), member.person.claims(), keep=True) as caller:
        caller.connection.execute(_SEARCH.format("api").encode(), [member.org_id, *questions(Meaning(), 1, seed=99)[0]])


def _person(open_sessions: ExitStack, url: str, member: Member) -> psycopg.Connection:
    connection = open_sessions.enter_context(patient(url))
    open_sessions.enter_context(request(url, member.person.claims(), connection=connection))
    return connection


def _owner(open_sessions: ExitStack, url: str, member: Member) -> psycopg.Connection:
    connection = open_sessions.enter_context(patient(url))
    # Both record the search (F61): what the record costs is no cost of row security.
    connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(member.person.claims())])
    return connection


def _add(report: Report, name: str, secured: float, plain: float, gap: Gap | None) -> None:
    report.add(name, secured / plain, "times", at_most=MOST, gap=gap, note=f"{secured * 1000:.2f} against {plain * 1000:.2f} ms")


def _in_turns(person: psycopg.Connection, owner: psycopg.Connection, member: Member, asked: list[Question], count: int) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(count + 8):  # the first ones make the plans
        question = asked[number % len(asked)]
        pair = [(0, person, "api"), (1, owner, "public")]
        for place, session, schema in pair if number % 2 else reversed(pair):
            taken = search(session, schema, member, question)
            if number >= 8:
                times[place].append(taken)
    return median(times[0]), median(times[1])


def _side_by_side(persons: list[psycopg.Connection], owners: list[psycopg.Connection], member: Member, asked: list[Question], rounds: int) -> tuple[float, float]:
    """Return the median over rounds of the seconds a search takes of the whole machine."""
    times: tuple[list[float], list[float]] = ([], [])
    with ThreadPoolExecutor(CLIENTS) as pool:
        def turn(sessions: list[psycopg.Connection], schema: str, number: int, each: int) -> float:
            began = time.perf_counter()
            list(pool.map(lambda at: [search(sessions[at], schema, member, asked[(number + at + i) % len(asked)]) for i in range(each)], range(CLIENTS)))
            return (time.perf_counter() - began) / (CLIENTS * each)

        each = max(1, min(20, round(0.5 / CLIENTS / min(turn(owners, "public", 0, 8), 1))))
        turn(persons, "api", 0, 8)
        for number in range(rounds):
            for place, sessions, schema in ((0, persons, "api"), (1, owners, "public"))[::-1 if number % 2 else 1]:
                times[place].append(turn(sessions, schema, number, each))
    return median(times[0]), median(times[1])


async def _over_http(rest: str, server: Server, member: Member, asked: list[Question], rounds: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return ((under row security, by the owner) at one client, the same at sixteen), seconds a search."""
    token = server.keys.sign(member.person.claims(exp=int(time.time()) + 3600, iat=int(time.time())))
    headers = {"authorization": f"Bearer {token}", "content-profile": "api"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async def post(name: str, question: Question) -> None:
            body = {"org_id": str(member.org_id), "query": question[0], "query_embedding": question[1]}
            async with session.post(f"{rest}/{name}", data=json.dumps(body), headers={"content-type": "application/json"}) as response:
                if response.status != 200:
                    raise SystemExit(f"{name}: {response.status} {await response.text()}")
                await response.read()

        one: tuple[list[float], list[float]] = ([], [])
        many: tuple[list[float], list[float]] = ([], [])
        # Every connection of the pool makes its plans first.
        await _timed([lambda at=at, name=name: post(name, asked[at % len(asked)]) for name in ("search_documents", DOOR) for at in range(160)])
        # In turns, as above: who asks a question second finds its pages in memory.
        pair = list(enumerate(("search_documents", DOOR)))
        for number in range(rounds):
            for place, name in pair[::-1 if number % 2 else 1]:
                one[place].append(await _timed([lambda: post(name, asked[number % len(asked)])]))  # noqa: B023
        for number in range(max(4, rounds // 8)):
            for place, name in pair[::-1 if number % 2 else 1]:
                many[place].append(await _timed([lambda at=at: post(name, asked[(number + at) % len(asked)]) for at in range(CLIENTS)]) / CLIENTS)  # noqa: B023
    return (median(one[0]), median(one[1])), (median(many[0]), median(many[1]))


async def _timed(calls: list[Callable[[], Awaitable[None]]]) -> float:
    """Return the seconds all calls take, at most sixteen at once."""
    gate = asyncio.Semaphore(CLIENTS)

    async def through(call: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(through(call) for call in calls))
    return time.perf_counter() - began
