"""What one uploaded table may be, and what reading it may take, in one place."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TableLimits:
    """Ceilings of one file and of the process that reads it."""

    file_bytes: int = 50 * MIB
    rows: int = 200_000
    columns: int = 200
    value_characters: int = 10_000
    bad_rows_named: int = 20
    """How many bad rows are named by their line; the others are counted."""
    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 60
    wall_seconds: int = 120
    output_bytes: int = 256 * MIB
    open_files: int = 32
    at_once: int = 2
    at_once_most: int = 3
    patience_seconds: float = 3.0
