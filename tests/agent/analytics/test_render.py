"""Drawing a chart: pictures of both forms, in a process that can do nothing else."""

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from agent.analytics import render
from agent.analytics.chart import suggestion, with_rows
from agent.analytics.chart_limits import ChartLimits
from agent.analytics.columns import Column
from agent.analytics.errors import ChartNotDrawn
from agent.errors import Misconfigured

pytestmark = pytest.mark.anyio

COLUMNS = (Column("region", "text"), Column("revenue", "numeric"))
ROWS = [["Süden <&>", 3], ["north", 4]]


def whole() -> dict[str, Any]:
    found = suggestion(None, COLUMNS, ROWS)
    assert found is not None
    return with_rows(found, COLUMNS, ROWS)


@pytest.mark.parametrize("kernel", [True, False], ids=["seccomp", "without"])
async def test_a_chart_is_drawn_as_svg_and_png_F48(kernel: bool) -> None:
    renderer = render.Renderer(kernel=kernel)
    svg = (await renderer.draw(whole(), "svg")).decode()
    assert svg.startswith("<svg") and "Süden &lt;&amp;&gt;" in svg and "revenue" in svg and "<script" not in svg
    png = await renderer.draw(whole(), "png")
    assert png.startswith(b"\x89PNG\r\n") and len(png) > 5000


async def test_what_is_no_specification_is_not_drawn_and_says_so() -> None:
    with pytest.raises(ChartNotDrawn):
        await render.Renderer().draw({"mark": "bar", "encoding": {"x": {"field": "c0", "type": "no such type"}}, "data": {"url": "file:///etc/passwd"}}, "svg")


@pytest.mark.parametrize("address", ["file:///etc/hostname", "http://127.0.0.1:9/", "https://example.com/x.csv"])
async def test_a_specification_that_names_an_address_loads_nothing(address: str) -> None:
    stolen = whole() | {"data": {"url": address, "format": {"type": "csv"}}}
    try:
        svg = (await render.Renderer().draw(stolen, "svg")).decode()
    except ChartNotDrawn:
        return
    # An empty chart: without rows there is nothing drawn but the axes.
    assert "north" not in svg and "aria-roledescription=\"bar\"" not in svg


async def test_a_chart_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(ChartNotDrawn):
        await render.Renderer(ChartLimits(cpu_seconds=1)).draw(whole() | {"data": {"values": [{"c0": str(n), "c1": n} for n in range(60_000)]}}, "svg")


PROBE = """
    import ctypes, json, os, sys, threading
    sys.path.insert(0, {root!r})
    from agent.analytics.chart_limits import ChartLimits
    from agent.documents import confine
    confine.limit_resources(ChartLimits(), threads=True)
    # Looked up now: afterwards ctypes itself is refused, and the kernel would have nothing to say.
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    begin, said = threading.Event(), {{}}
    def attempt():
        begin.wait()
        for name, call in {{"open": (257, -100, b"/etc/hostname", 0), "socket": (41, 2, 1, 0), "fork": (57,), "kill": (62, os.getppid(), 0)}}.items():
            said[name] = syscall(*call)
    # A thread that was there before: what the engine of the charts has.
    before = threading.Thread(target=attempt)
    before.start()
    out = open(1, "wb")
    confine.close_everything(True, threads={threads})
    begin.set()
    before.join()
    out.write(json.dumps(said).encode())
    out.flush()
    os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="the numbers of the native calls are x86_64's")
async def test_threads_that_were_there_before_may_do_nothing_either(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = textwrap.dedent(PROBE.format(root=str(Path(render.__file__).parents[2]), threads=True))
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(render.render_child, "__file__", str(tmp_path / "script.py"))
    said = json.loads(await render.Renderer().draw({}, "svg"))
    assert said == {"open": -1, "socket": -1, "fork": -1, "kill": -1}


@pytest.mark.parametrize(("script", "error"), [
    ("import no_such_module", ChartNotDrawn), ("raise SystemExit(14)", Misconfigured), ("pass", ChartNotDrawn), ("import os; os.kill(os.getpid(), 9)", ChartNotDrawn)])
async def test_a_process_that_fails_is_a_typed_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, error: type[Exception]) -> None:
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(render.render_child, "__file__", str(tmp_path / "script.py"))
    with pytest.raises(error):
        await render.Renderer().draw(whole(), "svg")
