"""A language model on this machine, by choice: never part of a start, a test or an answer unless somebody asks for it."""
