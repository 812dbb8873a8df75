"""The OpenAPI document as one HTML page to read: no script, nothing loaded."""

import base64
import hashlib
import html
import json
from collections.abc import Iterator
from typing import Any

_STYLE = """:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem 1.5rem 4rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}details{border-bottom:1px solid #8884;padding:.3rem 0}summary{cursor:pointer}
code,pre{font-family:ui-monospace,monospace;font-size:.85rem}pre{background:#8881;padding:.6rem;overflow:auto}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}
.method{display:inline-block;min-width:4rem;font-weight:600;text-transform:uppercase}"""


def page(document: dict[str, Any]) -> str:
    """Return the page. All text of the document is escaped."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    title = html.escape(document["info"]["title"])
    sections = "".join(_section(document, tag) for tag in document["tags"])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'sha256-{digest}\'">'
        f"<title>{title} API</title><style>{_STYLE}</style></head><body><h1>{title} API</h1><p>{html.escape(document['info']['description'])}</p>"
        f"{sections}</body></html>\n")


def _section(document: dict[str, Any], tag: dict[str, str]) -> str:
    operations = "".join(
        _operation(path, method, operation) for path, methods in document["paths"].items() for method, operation in methods.items() if tag["name"] in operation["tags"])
    return f"<section><h2>{html.escape(tag['name'])}</h2><p>{html.escape(tag['description'])}</p>{operations}</section>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    said = "".join(f"<p>{html.escape(operation[key])}</p>" for key in ("summary", "description") if operation.get(key))
    answers = "".join(f"<tr><th>{html.escape(status)}</th><td>{html.escape(answer.get('description', 'refused'))}</td></tr>"
                      for status, answer in operation["responses"].items())
    return (
        f'<details id="{html.escape(operation["operationId"])}"><summary><span class="method">{method}</span> <code>{html.escape(path)}</code> '
        f"{html.escape(operation['summary'].partition('. ')[0])}</summary>{said}{''.join(_inputs(operation))}<table>{answers}</table></details>")


def _inputs(operation: dict[str, Any]) -> Iterator[str]:
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        schema = body["schema"]
        rows = "".join(
            f"<tr><th><code>{html.escape(name)}</code>{'' if name in schema.get('required', ()) else ' (optional)'}</th><td>{html.escape(rule.get('description', ''))}"
            f"</td><td><code>{html.escape(json.dumps({k: v for k, v in rule.items() if k != 'description'}))}</code></td></tr>"
            for name, rule in schema.get("properties", {}).items())
        yield f"<p>Body: <code>{html.escape(media)}</code></p><table>{rows}</table>"
