"""Read an uploaded table, CSV or Parquet, in a process that can do nothing else, and believe nothing that it says unchecked."""

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from agent import confined
from agent.analytics import table_child, table_types
from agent.analytics.errors import BadTable
from agent.analytics.table_limits import TableLimits
from agent.documents.errors import DocumentTooExpensive, DocumentTooLarge
from agent.errors import Misconfigured
from agent.places import Places
from agent.schema import storable
from agent.turns import Turns

log = logging.getLogger(__name__)

Form = Literal["csv", "parquet"]
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of the file."""

    name: str
    """As SQL takes it without quotes."""
    type: str
    """One of `table_types.TYPES`."""
    header: str
    """As the file has it."""


@dataclass
class Table:
    """The rows of one file, in a temporary file. A context manager."""

    columns: Sequence[TableColumn]
    row_count: int
    _lines: BinaryIO

    def rows(self) -> Iterator[list[str | None]]:
        """Yield the rows in order. Raises: BadTable where the process that read them said something else than it promised."""
        for _ in range(self.row_count):
            row = _decoded(self._lines.readline())
            if not (isinstance(row, list) and len(row) == len(self.columns) and all(v is None or isinstance(v, str) and storable(v) for v in row)):
                raise BadTable
            yield row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()


class TableReader:
    """Reads tables, a few at a time, and of one person one."""

    def __init__(self, limits: TableLimits | None = None, *, kernel: bool = True) -> None:
        """`kernel` False: leave out the seccomp filter, as on systems that have none."""
        self.limits, self._kernel = limits or TableLimits(), kernel
        self._places = Places(self.limits.at_once, self.limits.at_once_most, self.limits.patience_seconds)
        self._turns = Turns(at_once=1)

    async def read(self, file: BinaryIO, types: Mapping[str, str] | None = None, person: str = "") -> Table:
        """Return what is in `file`, a real file. `types`: by name of a column, what is not to be guessed.

        Raises: BadTable saying which lines are bad, DocumentTooLarge, DocumentTooExpensive, Misconfigured.
        """
        size = os.fstat(file.fileno()).st_size
        if size > self.limits.file_bytes:
            raise DocumentTooLarge
        if unknown := [type_ for type_ in (types or {}).values() if type_ not in table_types.TYPES]:
            raise BadTable(f"{unknown[0][:40]}: no such type; there are {', '.join(table_types.TYPES)}.")
        file.seek(0)
        form: Form = "parquet" if file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC else "csv"
        arguments = [form, json.dumps(dict(types or {})), json.dumps(asdict(self.limits)), "kernel" if self._kernel else "python"]
        lines = tempfile.TemporaryFile()
        try:
            async with self._turns.of(person), self._places.one():
                status = await confined.run(table_child, arguments, file, lines, self.limits.wall_seconds)
            return _table(status, lines, form)
        except BaseException:
            lines.close()
            raise


def _table(status: int, lines: BinaryIO, form: Form) -> Table:
    if status == table_child.NOT_CONFINED:
        raise Misconfigured("Tables cannot be read here: the kernel offers no seccomp filter.")
    if status in (table_child.OUT_OF_MEMORY, table_child.TOO_MUCH) or status < 0:
        raise DocumentTooExpensive
    if status:
        log.warning("a table was not read: status %d", status)
        raise BadTable(f"The file is damaged, or is no {'Parquet' if form == 'parquet' else 'CSV'} file.")
    lines.seek(0)
    head = _decoded(lines.readline())
    if not isinstance(head, dict):
        raise BadTable
    if "wrong" in head:
        raise BadTable(str(head["wrong"])[:500])
    if "bad" in head:
        raise BadTable(_said(head))
    columns, rows = head.get("columns"), head.get("rows")
    if not isinstance(columns, list) or type(rows) is not int or rows < 0:
        raise BadTable
    return Table([TableColumn(str(one["name"]), str(one["type"]), str(one["header"])) for one in columns], rows, lines)


def _said(head: dict[str, Any]) -> str:
    """Return the bad rows as a sentence; nothing of the file was loaded."""
    named = "; ".join(f"line {int(one['line'])}: {one['why']}" for one in head["bad"])
    more = int(head["bad_rows"]) - len(head["bad"])
    return f"{head['bad_rows']} bad row(s), nothing was loaded. {named}{f'; and {more} more' if more > 0 else ''}."


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as err:
        raise BadTable from err
