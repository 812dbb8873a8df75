"""What drawing one chart may take, in one place."""

from dataclasses import dataclass

MIB = 1024 * 1024
VEGA_LITE = "6.4"


@dataclass(frozen=True, slots=True)
class ChartLimits:
    """Ceilings of the process that draws."""

    memory_bytes: int = 1024 * MIB
    """Of what it may write to; the engine reserves addresses far beyond."""
    cpu_seconds: int = 20
    wall_seconds: int = 40
    output_bytes: int = 8 * MIB
    """Of the picture."""
    open_files: int = 64
    at_once: int = 2
    """Charts being drawn at the same time by one process of the agent; further ones wait."""
    at_once_most: int = 3
    patience_seconds: float = 3.0
