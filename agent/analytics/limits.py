"""How large and how deep a statement may be that the guard lets through, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one statement. They bound the work of parsing it and of planning it, and the memory of the values it makes; not the time of running it."""

    characters: int = 20_000
    """Of the text as it came; the text that runs may be longer, by the targets of its relations."""
    nodes: int = 3_000
    """Nodes of PostgreSQL's parse tree; those of sqlglot's may be twice as many."""
    depth: int = 40
    """Brackets inside brackets."""
    brackets: int = 4
    """Square ones alone: sqlglot takes twice as long for each level."""
    relations: int = 16
    """Relations, subqueries and set-returning functions in all FROM clauses together."""
    ctes: int = 16
    set_operations: int = 16
    literal_characters: int = 4_000
    """Of one string literal or identifier."""
    value_characters: int = 1_000_000
    """Of one value that an expression can make."""
    statement_characters: int = 5_000_000
    """Of all values that one row takes, or that planning makes of literals, together."""
    recursion_characters: int = 50_000_000
    """Of all rows of one recursive common table expression together."""
    column_characters: int = 10_000
    """Of one stored text: what an uploaded table holds at most."""
    usual_characters: int = 20
    """Of a stored text where those of many rows come together: what is stored is there anyway, it shall not multiply."""
    relation_rows: int = 5_000
    """Rows a relation counts for, for the same reason."""
