"""JUnit XML: a test case for each measured cell, a failure for each finding, an error for what could not be checked."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

# What XML 1.0 cannot hold, not even escaped.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(told: dict[str, Any]) -> str:
    """Return the document."""
    suites = ElementTree.Element("testsuites", name="ringfence rls test")
    by_place: dict[tuple[str, str], list[dict[str, str]]] = {}
    for finding in told["findings"]:
        by_place.setdefault((finding["object"], finding["command"]), []).append(finding)
    matrix = ElementTree.SubElement(suites, "testsuite", name="matrix")
    for cell in told["cells"]:
        case = _case(matrix, cell["object"], f"{cell['command']} as {cell['persona']}")
        if cell["verdict"] == "leak":
            _failure(case, by_place.get((cell["object"], cell["command"]), []), cell["said"])
    found = ElementTree.SubElement(suites, "testsuite", name="findings")
    for finding in told["findings"]:
        _failure(_case(found, finding["object"], f"{finding['id']}: {finding['command']} as {finding['persona']}"), [finding], finding["evidence"])
    missing = ElementTree.SubElement(suites, "testsuite", name="not covered")
    for one in told["not_covered"]:
        # Not a skipped test: what was not looked at is not known to be safe.
        ElementTree.SubElement(_case(missing, one["object"], one["command"]), "error", type="not-covered", message=_fit(one["reason"]))
    for suite in (matrix, found, missing):
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_fit(classname), name=_fit(name))


def _failure(case: ElementTree.Element, findings: list[dict[str, str]], seen: str) -> None:
    kinds = ", ".join(sorted({finding["id"] for finding in findings})) or "leak"
    failure = ElementTree.SubElement(case, "failure", type=kinds, message=_fit("; ".join(f["finding"] for f in findings) or seen))
    failure.text = _fit("\n\n".join(f"{f['evidence']}\n\n{f['reproduce']}" for f in findings) or seen)


def _fit(text: str) -> str:
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
