"""The texts of the evaluation set, read from the packages this project is locked to."""

from __future__ import annotations

from importlib import metadata

from agent.cli.corpus import Text, clean


def read(name: str) -> Text:
    """Return a document: `package` is its description, `package/path` a file of its metadata. Raises: LookupError."""
    package, _, path = name.partition("/")
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError as err:
        raise LookupError(f"{name}: no such package is installed") from err
    if path:
        text = distribution.read_text(path)
    else:
        body = distribution.metadata.get_payload()  # type: ignore[attr-defined]
        # A plain `Description` header is where older packages keep it.
        text = body if isinstance(body, str) and body.strip() else distribution.metadata.get("Description")
    if not text:
        raise LookupError(f"{name}: the package has no such text")
    return Text(f"{package}: {path or 'description'}", f"pkg:pypi/{package}#{path or 'description'}", clean(text))
