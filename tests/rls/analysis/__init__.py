"""What SQL text says: expressions and function bodies read with PostgreSQL's own grammar, and what they bind a row to."""
