"""A file becomes a table, and a bot answers a question about it: the edge, the agent, the queue and the worker of a stack whose model is a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest
from aiohttp import web
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.agent.scripted_model import calls
from tests.e2e.revoking import ROLE, Member, Team
from tests.e2e.scripted import OVER, STARTED, Model, serving
from tests.stack.support import ringfence

pytestmark = pytest.mark.anyio

SQL = "select city, sum(amount) as total from sales group by city order by city"
CSV = "City,Amount\nGraz,3\nLinz,5\nGraz,4\n"
QUESTION = {"source": "shop", "question": "What was sold in each city?"}
REFUSAL = "There is no weather here."


class DataModel(Model):
    """Speaks for the bot as `Model` does, and to the worker's question for SQL writes SQL."""

    def __init__(self) -> None:
        super().__init__()
        self.tool = ("ask_data", QUESTION)
        self.asked_for_sql: list[str] = []

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if not body["messages"][0]["content"].startswith("You turn questions into SQL"):
            return await super()._serve(request)
        self.asked_for_sql.append(json.dumps(body["messages"], ensure_ascii=False))
        can = "weather" not in body["messages"][1]["content"]
        return await calls(("reply", {"can_answer": can, "refusal": "" if can else REFUSAL, "sql": SQL if can else "",
                                      "chart": {"mark": "bar", "x": "city", "y": "total", "color": ""}}))(request, body)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def model() -> Iterator[tuple[DataModel, str]]:
    scripted = DataModel()
    with serving(scripted) as url:
        yield scripted, url


@pytest.fixture(scope="module")
def team(model: tuple[DataModel, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team on a stack of its own, with a data source that ROLE may ask and a bot with the tool."""
    folder = tmp_path_factory.mktemp("data") / "stack"
    up = ringfence("up", "--detach", "--json", "--no-seed", "--port", "0", "--state-dir", folder, timeout_s=180,
                   environment={"RINGFENCE_MODEL_BASE_URL": model[1], "RINGFENCE_MODEL_NAME": "scripted", "RINGFENCE_MODEL_API_KEY": "key"})
    try:
        assert up.returncode == 0, up.stderr
        made = Team(json.loads(up.stdout))
        source = made.made("create_data_source", org_id=made.org, slug="shop", name="Shop")["id"]
        made.made("share_data_source", org_id=made.org, source="shop", role=ROLE)
        bot = made.made("create_bot", org_id=made.org, slug="clerk", name="Clerk")["id"]
        made.made("bind_bot", org_id=made.org, bot_id=bot, tool="ask_data")
        made.made("bind_bot", org_id=made.org, bot_id=bot, data_source_id=source)
        made.made("share_bot", org_id=made.org, bot_id=bot, role=ROLE)
        load(made, made.owner)
        yield made
    finally:
        ringfence("down", "--state-dir", folder)


@pytest.fixture(scope="module")
def member(team: Team) -> Member:
    return team.member()


@pytest.fixture
def scripted(model: tuple[DataModel, str]) -> DataModel:
    model[0].reset()
    model[0].tool, model[0].asked_for_sql = ("ask_data", QUESTION), []
    return model[0]


def load(team: Team, person: Member, **changed: str) -> httpx.Response:
    return httpx.post(f"{person.url}/v1/analytics/tables", headers={"authorization": f"Bearer {person.token}"}, timeout=60,
                      files={"file": ("sales.csv", CSV.encode())}, data={"source": f"{team.slug}/shop", "name": "sales"} | changed)


async def used(member: Member, team: Team, **changed: str) -> Any:
    """Return what the tool answers to the official MCP client."""
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {member.token}"}, timeout=60) as http:
        async with Client(streamable_http_client(f"{member.url}/mcp/{team.slug}/clerk", http_client=http)) as client:
            return await client.call_tool("ask_data", QUESTION | changed)


def said(answer: Any) -> str:
    return "".join(part.text for part in answer.content)


def test_an_app_loads_a_file_as_its_person_and_whoever_may_only_ask_loads_nothing_F48(team: Team, member: Member) -> None:
    assert load(team, team.owner, name="again").json()["columns"] == [{"name": "city", "type": "text"}, {"name": "amount", "type": "bigint"}]
    assert load(team, member, name="mine").status_code == 403
    outsider = team.newcomer()
    other, absent = load(team, outsider), load(team, outsider, source="no-such-org/shop")
    assert (other.status_code, other.json()["code"]) == (absent.status_code, absent.json()["code"]) == (404, "not_found")
    tables = {one["name"] for one in team.owner.rpc("list_uploaded_tables", org_id=team.org, source="shop").json()}
    assert tables == {"sales", "again"}


async def test_the_tool_over_mcp_waits_for_the_worker_and_gives_shape_and_numbers_and_no_row_F41_F48(team: Team, member: Member, scripted: DataModel) -> None:
    answer = await used(member, team)
    [told] = answer.meta["ringfence/rows"]
    assert not answer.is_error and (told["source"], told["status"], told["row_count"]) == ("shop", "succeeded", 2)
    assert told["columns"][1] | {"type": ""} == {"name": "total", "type": "", "nulls": 0, "distinct": 2, "min": 5.0, "max": 7.0, "sum": 12.0, "mean": 6.0}
    assert "Graz" not in said(answer) and "Graz" not in json.dumps(answer.meta), "no row without the word of the organization"
    assert "Relation sales" in scripted.asked_for_sql[0] and "Graz" not in scripted.asked_for_sql[0]
    job = {"org_id": team.org, "job_id": told["job_id"]}
    assert member.rpc("read_analytics_result", **job).json()["rows"] == [["Graz", 7], ["Linz", 5]]
    # Not even to who owns the organization, and the same as a job that is not there.
    absent = job | {"job_id": team.org}
    for other in (team.owner, team.newcomer()):
        for name in ("get_analytics_job", "read_analytics_result"):
            assert other.rpc(name, **job).anonymised() == other.rpc(name, **absent).anonymised()
            assert other.rpc(name, **job).status == 404


async def test_rows_come_with_it_where_the_organization_says_so_and_not_any_more_when_it_does_not_F48(team: Team, member: Member, scripted: DataModel) -> None:
    for allowed in (True, False):
        team.as_operator("update app.organization set rows_to_model = %s where id = %s", allowed, team.org)
        answer = await used(member, team)
        assert ('"rows": [["Graz", 7], ["Linz", 5]]' in said(answer), "Graz" in said(answer)) == (allowed, allowed)


async def test_a_refusal_is_told_and_a_source_the_bot_is_not_bound_to_is_not_found_F48(team: Team, member: Member, scripted: DataModel) -> None:
    refused = await used(member, team, question="How is the weather?")
    [told] = refused.meta["ringfence/rows"]
    assert (told["status"], told["error_code"], told["message"]) == ("refused", "model_refused", REFUSAL)
    team.made("create_data_source", org_id=team.org, slug="other", name="Other")
    team.made("share_data_source", org_id=team.org, source="other", role=ROLE)
    for source in ("other", "no-such-source"):
        answer = await used(member, team, source=source)
        assert (answer.is_error, answer.meta["ringfence/outcome"]) == (True, "not_found")


async def test_a_bot_streams_its_progress_and_answers_with_numbers_sql_job_and_chart_F48(team: Team, member: Member, scripted: DataModel) -> None:
    text, under = "", []
    async with openai.AsyncOpenAI(base_url=f"{member.url}/v1", api_key=member.token, max_retries=0, timeout=60) as client:
        async for chunk in await client.chat.completions.create(
                model=f"{team.slug}/clerk", messages=[{"role": "user", "content": "What was sold?"}], stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
            under.append((chunk.model_extra or {}).get("ringfence") or {})
    [data] = under[-1]["data"]
    statuses = [one["progress"]["status"] for one in under if "progress" in one]
    assert statuses[-1] == "succeeded" and {one["progress"]["job_id"] for one in under if "progress" in one} == {data["job_id"]}
    assert text.startswith(f"{STARTED}\n\n{OVER}") and f"2 row(s) from shop, job `{data['job_id']}`" in text
    assert "source.uploaded" in data["sql"] and data["sql"] in text and data["chart"] in text and "Graz" not in text
    assert "Graz" not in b"".join(scripted.received).decode()
    for path, begins in ((data["csv"], b"city,total\r\nGraz,7"), (data["chart"], b"<svg")):
        got = httpx.get(f"{member.url}{path}", headers={"authorization": f"Bearer {member.token}"}, timeout=60)
        assert got.status_code == 200 and got.content.startswith(begins)
        assert httpx.get(f"{member.url}{path}", headers={"authorization": f"Bearer {team.owner.token}"}, timeout=60).status_code == 404


def test_the_command_line_asks_in_words_and_writes_rows_and_a_picture_F48(team: Team, member: Member, scripted: DataModel, tmp_path: Path) -> None:
    signed_in = ringfence("login", member.email, "--password-stdin", "--state-dir", team.stack["state_dir"], stdin=f"{member.password}\n")
    assert signed_in.returncode == 0, signed_in.stderr
    done = ringfence("ask", f"{team.slug}/shop", "What was sold in each city?", "--chart", tmp_path / "sold.svg", "--state-dir", team.stack["state_dir"])
    assert done.returncode == 0 and done.stdout.splitlines() == ["city,total", "Graz,7", "Linz,5"], done.stderr
    assert "sql: SELECT" in done.stderr.replace("select", "SELECT") and (tmp_path / "sold.svg").read_text().startswith("<svg")
    refused = ringfence("ask", f"{team.slug}/shop", "How is the weather?", "--state-dir", team.stack["state_dir"])
    assert refused.returncode == 3 and REFUSAL in refused.stderr and refused.stdout == ""
