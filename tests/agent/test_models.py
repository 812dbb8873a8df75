"""Bots as models: one name means one bot, and is the same for the list, for one model and for a chat (R51)."""

from typing import Any

import pytest

from agent.errors import Conflict, NotVisible
from agent.models import model_called, models


def bot(number: int, org: str, organization: str, name: str) -> dict[str, Any]:
    return {"id": f"b{number}", "org_id": org, "organization": organization, "bot": name, "name": name.title(), "version": 1}


ONE, TWIN, OTHER = bot(1, "o1", "acme", "help"), bot(2, "o2", "acme", "help"), bot(3, "o1", "acme", "sales")


def test_of_two_bots_of_one_name_no_guess_is_made_R51() -> None:
    with pytest.raises(Conflict, match="use the ids"):
        model_called("acme/help", [ONE, TWIN, OTHER])
    assert model_called("acme/help", [ONE, OTHER])["ringfence"]["bot_id"] == "b1"
    assert model_called("acme/sales", [ONE, TWIN, OTHER])["ringfence"]["bot_id"] == "b3"
    for name in ("o2/b2", "o2/help"):
        assert model_called(name, [ONE, TWIN, OTHER])["ringfence"]["bot_id"] == "b2"
        assert model_called(name, [ONE, TWIN, OTHER])["id"] == name
    with pytest.raises(NotVisible):
        model_called("acme/none", [ONE])


def test_an_id_goes_before_a_name_R51() -> None:
    named_like_an_id = bot(9, "o9", "o1", "b1")
    assert model_called("o1/b1", [named_like_an_id, ONE])["ringfence"]["bot_id"] == "b1"


def test_every_name_in_the_list_is_one_that_works_R51() -> None:
    listed = models([ONE, TWIN, OTHER])
    assert [one["id"] for one in listed] == ["o1/b1", "o2/b2", "acme/sales"]
    assert [model_called(one["id"], [ONE, TWIN, OTHER])["ringfence"] for one in listed] == [one["ringfence"] for one in listed]
