"""Every function beside an image of its organization: the same ids, the same people in the same roles. What it does, it does in its own (R34, R49).

No policy keeps its caller from the image's rows: they are a member there as well, so the function itself has to say which rows it means.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.calling import arguments, caller
from tests.db.matrix import become, planted
from tests.db.mirrored import image
from tests.db.registry import RECIPES
from tests.db.session import Request, second_factor
from tests.db.test_rpc_sweep import call, signatures  # noqa: F401  (a fixture)
from tests.db.world import World

_TABLES = "select table_name from information_schema.columns where table_schema = 'app' and column_name = 'org_id' and table_name in (select relname from pg_class where relkind in ('r', 'p'))"



BY_ID = {"search_documents": "run", "begin_model_call": "run", "end_model_call": "model_call", "call_tool": "run", "finish_run": "run"}
"""Told a run or a model call by its id alone, which names one: it is drawn, and the key of the row. For them the image's rows there have ids of their own."""
_OTHERS = "set local session_replication_role = replica; update app.{table} set id = gen_random_uuid() where org_id = '{org}'; set local session_replication_role = origin"


def _rows(db: Request, world: World) -> dict[str, str]:
    """What stands in each table under the image's name."""
    tables = [t for (t,) in db.all(_TABLES)]
    one = " union all ".join(f"select '{t}', md5(coalesce(string_agg(t::text, '' order by t::text), '')) from app.{t} t where org_id = %(org)s" for t in tables)
    return dict(db.connection.execute(one.encode(), {"org": world.globex.id}).fetchall())


@pytest.mark.parametrize("name", RECIPES)
def test_a_function_touches_the_rows_of_its_own_organization_alone_R34_R49(world: World, signatures: dict[str, dict[str, str]], name: str) -> None:  # noqa: F811
    with world.operator() as db:
        made = image(db, world)
    with planted(world, made, *([_OTHERS.format(table=BY_ID[name], org=world.globex.id)] if name in BY_ID else [])) as db:
        before = _rows(db, world)
        become(db, caller(world, name), **second_factor())
        answer: tuple[Any, ...] = call(db, name, signatures[name], arguments(db, world, name), keep=True)
        db.run("reset role")
        assert answer[0] == "ok", answer
        assert _rows(db, world) == before
