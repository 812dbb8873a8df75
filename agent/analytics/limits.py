"""How large and how deep a statement may be that the guard lets through, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one statement. They bound the work of parsing it and of planning it, not the work of running it."""

    characters: int = 20_000
    """Of the text as it came; the text that runs may be longer, by the targets of its relations."""
    nodes: int = 3_000
    """Nodes of the tree, identifiers and literals included."""
    depth: int = 60
    """Nodes from the top of the tree to its deepest leaf."""
    relations: int = 16
    """Relations, subqueries and set-returning functions in all FROM clauses together."""
    ctes: int = 16
    set_operations: int = 16
    literal_characters: int = 4_000
    """Of one string literal or identifier."""
