"""Why a file is no table, in a sentence for the person who sent it."""


class Wrong(Exception):
    """The file as a whole; single rows are counted instead."""
