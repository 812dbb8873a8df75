"""The worker's log: one JSON object a line, from a fixed list of facts. No SQL, no question, no row (R59, R95)."""

import json
import sys
import time
from typing import Any


def write(event: str, **facts: Any) -> None:
    """Write one line to standard error."""
    print(json.dumps({"at": round(time.time(), 3), "event": event, **facts}, default=str), file=sys.stderr, flush=True)
