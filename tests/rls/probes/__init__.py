"""Probes that act: each module has `check(context)`, which yields what it found and what it could not check."""
