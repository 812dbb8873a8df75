"""The JSON schema of Vega-Lite, as the package altair ships it."""

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from agent.errors import Misconfigured

SCHEMA_URL = "https://vega.github.io/schema/vega-lite/v6.json"
_PLACE = "vegalite/v6/schema/vega-lite-schema.json"


def is_vega_lite(specification: dict[str, Any]) -> bool:
    """Return whether the specification is a single view by the schema; a few milliseconds without data. Raises: Misconfigured."""
    return bool(_validator().is_valid(specification))


@cache
def _validator() -> Any:
    import jsonschema

    # Looked up and not imported: the package is large, and only this file of it is wanted.
    found = importlib.util.find_spec("altair")
    if found is None or found.origin is None:
        raise Misconfigured("The package altair, which ships the schema of Vega-Lite, is not installed.")
    schema = json.loads((Path(found.origin).parent / _PLACE).read_text(encoding="utf-8"))
    # One view: layered and repeated ones are not made here, and need seconds to be refused by the whole schema.
    return jsonschema.Draft7Validator({"$ref": "#/definitions/TopLevelUnitSpec", "definitions": schema["definitions"]})
