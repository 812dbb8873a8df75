"""How confidential a document is: a number in the database, a word to people."""

CLASSES = ("public", "internal", "confidential", "secret")


def classification(text: str) -> int | None:
    """Return the number of a class given as its word or its number; None: there is no such."""
    text = text.strip().lower()
    if text in CLASSES:
        return CLASSES.index(text)
    return int(text) if text in ("0", "1", "2", "3") else None
