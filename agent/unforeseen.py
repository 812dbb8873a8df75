"""What the log says of an error that nobody foresaw."""

import traceback
from pathlib import Path


def where(error: BaseException) -> str:
    """Return the type and the place of an unforeseen error for the log; its message may quote data and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
