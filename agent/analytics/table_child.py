"""The process that reads one table: started by `table` with nothing but the file and a place for the rows.

Standard input is the file, standard output a new file; how it went is the exit status. The first line out says what there is:
{columns: [{name, type, header}], rows} or {bad: [{line, why}], bad_rows} or {wrong: sentence}; then one line a row, a list of
texts and nulls.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import errno
import json
import os
from typing import Any

from agent.analytics.table_limits import TableLimits
from agent.documents import confine

BROKEN, TOO_MUCH, OUT_OF_MEMORY, NOT_CONFINED = 10, 12, 13, 14


def main(form: str, types: dict[str, str], limits: TableLimits, kernel: bool) -> int:
    """Return the exit status."""
    confine.limit_resources(limits, threads=form == "parquet")
    # pyarrow goes without it, and so does its memory.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    read: Any
    if form == "parquet":
        from agent.analytics.table_parquet import read_parquet as read
    else:
        from agent.analytics.table_csv import read_csv as read
    from agent.analytics.table_wrong import Wrong
    source, out = open(0, "rb"), open(1, "wb", buffering=256 * 1024)

    def write(value: Any) -> None:
        out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    try:
        confine.close_everything(kernel, threads=form == "parquet")
    except confine.NotConfined:
        return NOT_CONFINED
    try:
        read(source, types, limits, write)
        out.flush()
    except Wrong as wrong:
        write({"wrong": str(wrong)})
        out.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except OSError as err:
        # The output is as large as it may be.
        return TOO_MUCH if err.errno == errno.EFBIG else BROKEN
    except Exception:
        return BROKEN
    return 0


if __name__ == "__main__":
    # At once, without the clean-up of an interpreter that may be out of memory.
    os._exit(main(sys.argv[1], json.loads(sys.argv[2]), TableLimits(**json.loads(sys.argv[3])), sys.argv[4] == "kernel"))
