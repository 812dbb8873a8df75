"""Read a file in a process of its own that can do nothing else, and believe nothing that it says unchecked."""

import json
import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import BinaryIO, Self

from agent import confined
from agent.chunking import HEADING_MAXIMUM, MAXIMUM, Chunk
from agent.documents import child
from agent.documents.errors import (
    BrokenDocument,
    DocumentTooExpensive,
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
)
from agent.documents.kinds import Kind
from agent.documents.limits import DocumentLimits
from agent.errors import BadDocument, Misconfigured
from agent.places import Places
from agent.schema import storable
from agent.turns import Turns

log = logging.getLogger(__name__)

_LINE_BYTES = 64 * 1024
_ENDS: dict[int, type[BadDocument]] = {
    child.BROKEN: BrokenDocument, child.ENCRYPTED: EncryptedDocument, child.TOO_MUCH: DocumentTooLarge,
    child.OUT_OF_MEMORY: DocumentTooExpensive, -signal.SIGXFSZ: DocumentTooLarge,
    -signal.SIGXCPU: DocumentTooExpensive, -signal.SIGALRM: DocumentTooExpensive, -signal.SIGKILL: DocumentTooExpensive,
    # libraries end so when there is no memory
    -signal.SIGABRT: DocumentTooExpensive, -signal.SIGSEGV: BrokenDocument, -signal.SIGSYS: BrokenDocument,
}


@dataclass
class Extracted:
    """The passages of one file, in a temporary file, so that a long document takes no memory. A context manager."""

    passages: int
    characters: int
    _lines: BinaryIO

    def batches(self, size: int) -> Iterator[list[Chunk]]:
        """Yield the passages in order, at most `size` at a time. Raises: BrokenDocument."""
        batch: list[Chunk] = []
        end = 0
        for position in range(self.passages):
            batch.append(_passage(self._lines.readline(_LINE_BYTES), position, end))
            end = batch[-1].end_char
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()


class Sandbox:
    """Reads files, a few at a time, and of one person one."""

    def __init__(self, limits: DocumentLimits | None = None, *, kernel: bool = True) -> None:
        """`kernel` False: leave out the seccomp filter, as on systems that have none."""
        self.limits, self._kernel = limits or DocumentLimits(), kernel
        self._places = Places(self.limits.at_once, self.limits.at_once_most, self.limits.patience_seconds)
        self._turns = Turns(at_once=1)

    async def read(self, file: BinaryIO, kind: Kind, person: str = "") -> Extracted:
        """Return the passages of `file`, a real file; those of one person wait for each other.

        Raises: BadDocument and its kinds, Misconfigured.
        """
        if os.fstat(file.fileno()).st_size > self.limits.file_bytes:
            raise DocumentTooLarge
        lines = tempfile.TemporaryFile()
        try:
            # In this order: who waits for their own file takes no place from others.
            async with self._turns.of(person), self._places.one():
                status = await self._run(file, kind, lines)
            if status:
                raise _error(status, kind)
            return _extracted(lines)
        except BaseException:
            lines.close()
            raise

    async def _run(self, file: BinaryIO, kind: Kind, lines: BinaryIO) -> int:
        limits = self.limits.for_size(os.fstat(file.fileno()).st_size)
        arguments = [kind.name, json.dumps(asdict(limits)), "kernel" if self._kernel else "python"]
        return await confined.run(child, arguments, file, lines, limits.wall_seconds)


def _error(status: int, kind: Kind) -> BadDocument | Misconfigured:
    if status == child.BROKEN and kind.name in ("markdown", "text"):
        return BrokenDocument("The file is not UTF-8 text.")
    known = _ENDS.get(status)
    if known is not None:
        return known()
    log.error("the process that reads files ended with status %d", status)
    why = "the kernel offers no seccomp filter" if status == child.NOT_CONFINED else f"status {status}"
    return Misconfigured(f"Files cannot be read here: {why}.")


def _extracted(lines: BinaryIO) -> Extracted:
    lines.seek(0)
    head = _row(lines.readline(_LINE_BYTES))
    passages, characters = head.get("passages"), head.get("characters")
    if not _is_count(passages) or not _is_count(characters):
        raise BrokenDocument
    if not passages:
        raise EmptyDocument
    return Extracted(passages, characters, lines)


def _passage(line: bytes, position: int, after: int) -> Chunk:
    row = _row(line)
    content, start, end, heading = (row.get(name) for name in ("content", "start_char", "end_char", "heading"))
    if not (isinstance(content, str) and 0 < len(content) <= MAXIMUM and storable(content)
            and _is_count(start) and _is_count(end) and after <= start and end - start == len(content)
            and (heading is None or isinstance(heading, str) and 0 < len(heading) <= HEADING_MAXIMUM and storable(heading))):
        raise BrokenDocument
    return Chunk(position, content, start, end, heading)


def _row(line: bytes) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as err:
        raise BrokenDocument from err
    if not isinstance(row, dict):
        raise BrokenDocument
    return row


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31
