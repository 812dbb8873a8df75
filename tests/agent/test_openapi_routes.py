"""The routes that the modules of the agent serve are in the OpenAPI document."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from agent import app, files, mcp
from agent.openapi_routes import ROUTES

ROUTE = re.compile(r"^    (GET|POST|PUT|PATCH|DELETE) +(/[\w/{}.]+)", re.MULTILINE)


@pytest.mark.parametrize("module", [app, files, mcp])
def test_every_route_in_the_head_of_a_module_is_described(module: ModuleType) -> None:
    served = {(method.lower(), path) for method, path in ROUTE.findall(module.__doc__ or "")}
    described = {(method, path) for path, methods in ROUTES.items() for method in methods}
    assert served and served - described == set()


def test_no_two_operations_have_one_name() -> None:
    names = [operation["operationId"] for methods in ROUTES.values() for operation in methods.values()]
    assert len(names) == len(set(names))
