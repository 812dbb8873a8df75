"""What reading one file may take, in one place."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Ceilings of one file; those of the process are set by the process itself before it reads the first byte."""

    file_bytes: int = 50 * MIB
    text_characters: int = 50 * MIB
    """As much as the largest text file has; only something packed can have more."""
    unpacked_bytes: int = 512 * MIB
    """Of all members of a DOCX, PPTX or XLSX file together: it is a ZIP archive."""
    members: int = 10_000
    nesting: int = 20
    """Levels of messages and parts in an e-mail, of groups on a slide, of tables in tables."""
    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 60
    wall_seconds: int = 120
    output_bytes: int = 256 * MIB
    """Of the passages as they come out of the process."""
    open_files: int = 32
    at_once: int = 2
    """Files being read at the same time, by one process of the agent; further ones wait."""
