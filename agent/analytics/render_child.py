"""The process that draws one chart: started by `render` with nothing but the specification and a place for the picture.

Standard input is the specification as JSON, standard output a new file; how it went is the exit status.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import json
import os
from typing import Any

from agent.analytics.chart_limits import VEGA_LITE, ChartLimits
from agent.documents import confine

BROKEN, OUT_OF_MEMORY, NOT_CONFINED = 10, 13, 14
# Of the package itself, so that the usual letters are drawn without a font of the machine.
_CONFIG = {"font": "Liberation Sans", "background": "white"}
_FIRST = {"data": {"values": [{"c0": "Warm", "c1": 1}]}, "mark": "bar", "encoding": {
    "x": {"field": "c0", "type": "nominal"}, "y": {"field": "c1", "type": "quantitative"}}}


def main(form: str, limits: ChartLimits, kernel: bool) -> int:
    """Return the exit status."""
    confine.limit_resources(limits, threads=True)
    # Drawn once before anything is refused: this starts the engine with its threads, and loads what it loads.
    _draw(_FIRST, form)
    source, out = open(0, "rb"), open(1, "wb")
    try:
        confine.close_everything(kernel, threads=True)
    except confine.NotConfined:
        return NOT_CONFINED
    try:
        out.write(_draw(json.load(source), form))
        out.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:
        return BROKEN
    return 0


def _draw(specification: Any, form: str) -> bytes:
    import vl_convert

    # No address is allowed to be asked: data comes inline.
    settings: Any = {"vl_version": VEGA_LITE, "config": _CONFIG, "allowed_base_urls": []}
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(specification, scale=2, **settings))
    return str(vl_convert.vegalite_to_svg(specification, **settings)).encode()


if __name__ == "__main__":
    # At once, without the clean-up of an interpreter that may be out of memory.
    os._exit(main(sys.argv[1], ChartLimits(**json.loads(sys.argv[2])), sys.argv[3] == "kernel"))
