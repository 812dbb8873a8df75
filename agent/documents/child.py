"""The process that parses one file: started by `sandbox` with nothing but the file and a place for the passages.

Standard input is the file, standard output a new file; how it went is the exit status. The first line out is
{characters, passages}, each further one a passage.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import errno
import importlib
import json
import os
import pkgutil
from dataclasses import asdict
from typing import Any, BinaryIO

from agent.documents import confine
from agent.documents.limits import DocumentLimits

PARSERS = {
    "markdown": ("plain", "read_text"), "text": ("plain", "read_text"), "csv": ("plain", "read_csv"),
    "html": ("html", "read_html"), "mail": ("mail", "read_mail"), "pdf": ("pdf", "read_pdf"),
    "docx": ("office", "read_docx"), "pptx": ("office", "read_pptx"), "xlsx": ("office", "read_xlsx"),
}
# Imported whole beforehand: parsers import parts of themselves when they first need them, and then no file can be opened.
_PACKAGES = {"mail": ("email", "encodings"), "pdf": ("pypdf", "encodings"), "docx": ("docx",), "pptx": ("pptx",), "xlsx": ("openpyxl",)}

_ENCODINGS = ("ascii", "cp1252", "cp437", "latin_1", "utf_16", "utf_32", "utf_8_sig")

BROKEN, ENCRYPTED, TOO_MUCH, OUT_OF_MEMORY, NOT_CONFINED = 10, 11, 12, 13, 14


def main(kind: str, limits: DocumentLimits, kernel: bool) -> int:
    """Return the exit status."""
    confine.limit_resources(limits)
    parse = _load(kind)
    from agent.chunking import chunk
    from agent.documents.text import Encrypted, TooMuch
    source, out = open(0, "rb"), open(1, "wb", buffering=256 * 1024)
    try:
        confine.close_everything(kernel)
    except confine.NotConfined:
        return NOT_CONFINED
    try:
        text = parse(source, limits)
        whole = text.whole()
        passages = chunk(whole, text.marks)
        _write(out, {"characters": len(whole), "passages": len(passages)})
        for passage in passages:
            _write(out, asdict(passage))
        out.flush()
    except Encrypted:
        return ENCRYPTED
    except TooMuch:
        return TOO_MUCH
    except MemoryError:
        return OUT_OF_MEMORY
    except OSError as err:
        # The output is as large as it may be.
        return TOO_MUCH if err.errno == errno.EFBIG else BROKEN
    except Exception:
        # A damaged file ends a parser in a hundred ways.
        return BROKEN
    return 0


def _load(kind: str) -> Any:
    # openpyxl would take it along, and with it a thread for each core and a gigabyte of addresses.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    module, function = PARSERS[kind]
    for name in _ENCODINGS:
        importlib.import_module(f"encodings.{name}")
    for package in _PACKAGES.get(kind, ()):
        for one in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            try:
                importlib.import_module(one.name)
            except ImportError:
                pass  # for another system, or for a package that is not here
    return getattr(importlib.import_module(f"agent.documents.{module}"), function)


def _write(out: BinaryIO, row: dict[str, Any]) -> None:
    out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


if __name__ == "__main__":
    # At once, without the clean-up of an interpreter that may be out of memory.
    os._exit(main(sys.argv[1], DocumentLimits(**json.loads(sys.argv[2])), sys.argv[3] == "kernel"))
