"""Bots as OpenAI models: a model is called `organization/bot`, each by slug or by id, and means the bot that a chat of that name would ask."""

from __future__ import annotations

from collections import Counter
from typing import Any

from agent.errors import Conflict, NotVisible

Json = dict[str, Any]


def models(bots: list[Json]) -> list[Json]:
    """Return a model object for each row of list_bots(); where several share a name, each is called by its ids."""
    names = Counter(map(_name, bots))
    return [_model(bot, _name(bot) if names[_name(bot)] == 1 else f"{bot['org_id']}/{bot['id']}") for bot in bots]


def model_called(name: str, bots: list[Json]) -> Json:
    """Return the model object of the bot of that name. Raises: NotVisible, Conflict: of several no guess is made."""
    # In the order of start_run: ids go before names.
    for form in (lambda bot: f"{bot['org_id']}/{bot['id']}", lambda bot: f"{bot['org_id']}/{bot['bot']}", _name):
        found = [bot for bot in bots if form(bot) == name]
        if len(found) > 1:
            raise Conflict("several bots have that name: use the ids of the organization and of the bot instead")
        if found:
            return _model(found[0], name)
    # As start_run says it: the same for a bot of others and one that does not exist.
    raise NotVisible("no such bot, or not yours to run")


def _name(bot: Json) -> str:
    return f"{bot['organization']}/{bot['bot']}"


def _model(bot: Json, name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": bot["organization"],
            "ringfence": {"bot_id": bot["id"], "org_id": bot["org_id"], "name": bot["name"], "version": bot["version"]}}
