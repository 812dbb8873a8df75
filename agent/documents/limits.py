"""What reading one file may take, in one place."""

from dataclasses import dataclass, replace
from typing import Self

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Ceilings of one file; those of the process are set by the process itself before it reads the first byte."""

    file_bytes: int = 50 * MIB
    """A file as it is uploaded; a larger one is 413."""
    text_characters: int = 50 * MIB
    """As much as the largest text file has; only something packed can have more."""
    unpacked_bytes: int = 512 * MIB
    """Of all members of a DOCX, PPTX or XLSX file together: it is a ZIP archive."""
    members: int = 10_000
    """Files in that archive."""
    nesting: int = 20
    """Levels of messages and parts in an e-mail, of groups on a slide, of tables in tables."""
    sheet_rows: int = 2_000_000
    """Of all sheets of a workbook together, the empty ones that a later row leaves before it counted."""
    sheet_cells: int = 10_000_000
    """Likewise, with the empty ones to the left of a filled one."""
    columns_spanned: int = 63
    """By one cell of a table in a DOCX file; Word has no more."""
    unseen_elements: int = 10_000
    """Of an HTML file, open at once within what no reader sees."""
    header_characters: int = 32_000
    """Of one header of an e-mail: reading one takes time and memory far beyond its length."""
    memory_bytes: int = 1536 * MIB
    """Of the process that reads it."""
    cpu_seconds: int = 60
    """Of that process, for the largest file."""
    cpu_seconds_small: int = 5
    """For a file of no size; with it grows what it is given, up to `cpu_seconds`."""
    cpu_seconds_per_mib: int = 10
    """What it grows by."""
    wall_seconds: int = 120
    """From the first byte to the last passage, for the largest file."""
    wall_seconds_per_cpu_second: int = 4
    """The machine does other work too."""
    output_bytes: int = 256 * MIB
    """Of the passages as they come out of the process."""
    open_files: int = 32
    """Of that process."""
    at_once: int = 2
    """Files being read at the same time, by one process of the agent; further ones wait."""
    at_once_most: int = 4
    """With those that waited longer than `patience_seconds`: of one person one file is read at a time, so it takes four people to fill it."""
    patience_seconds: float = 3.0
    """How long one waits for its turn before another place is made."""

    def for_size(self, size: int) -> Self:
        """Return the limits of a file of so many bytes: a small one holds its place for a short time."""
        cpu = min(self.cpu_seconds, self.cpu_seconds_small + size * self.cpu_seconds_per_mib // MIB)
        return replace(self, cpu_seconds=cpu, wall_seconds=min(self.wall_seconds, cpu * self.wall_seconds_per_cpu_second))
