"""Draw a chart as SVG or PNG, in a process that can do nothing else."""

import json
import logging
import os
import tempfile
from dataclasses import asdict
from typing import Any, Literal

from agent import confined
from agent.analytics import render_child
from agent.analytics.chart_limits import ChartLimits
from agent.analytics.errors import ChartNotDrawn
from agent.errors import Misconfigured
from agent.places import Places
from agent.turns import Turns

log = logging.getLogger(__name__)

Form = Literal["svg", "png"]


class Renderer:
    """Draws charts, a few at a time, and of one person one."""

    def __init__(self, limits: ChartLimits | None = None, *, kernel: bool = True) -> None:
        """`kernel` False: leave out the seccomp filter, as on systems that have none."""
        self._limits, self._kernel = limits or ChartLimits(), kernel
        self._places = Places(self._limits.at_once, self._limits.at_once_most, self._limits.patience_seconds)
        self._turns = Turns(at_once=1)

    async def draw(self, specification: dict[str, Any], form: Form, person: str = "") -> bytes:
        """Return the picture; `specification` is whole, with its data inline. Raises: ChartNotDrawn, Misconfigured."""
        arguments = [form, json.dumps(asdict(self._limits)), "kernel" if self._kernel else "python"]
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as picture:
            source.write(json.dumps(specification, ensure_ascii=False).encode(errors="replace"))
            source.flush()
            async with self._turns.of(person), self._places.one():
                status = await confined.run(render_child, arguments, source, picture, self._limits.wall_seconds)
            if status == render_child.NOT_CONFINED:
                raise Misconfigured("Charts cannot be drawn here: the kernel offers no seccomp filter.")
            if status or not os.fstat(picture.fileno()).st_size:
                log.warning("a chart was not drawn: status %d", status)
                raise ChartNotDrawn
            picture.seek(0)
            return picture.read()
