"""The command line: `ringfence --help`."""

from __future__ import annotations


def main() -> None:
    """Run a command."""
    # Imported on call: the modules of this package are also used alone.
    from agent.cli.app import main as run

    run()
