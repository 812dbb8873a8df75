"""What the command line says instead of a trace."""

from __future__ import annotations


class CliError(Exception):
    """A failure with a message for the person at the keyboard."""


class NotRunning(CliError):
    """No stack is running here."""
