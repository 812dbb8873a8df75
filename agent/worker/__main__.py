"""`python -m agent.worker`: as `ringfence worker`, without loading the other commands."""

import asyncio
import sys

import psycopg

from agent.errors import Misconfigured
from agent.worker.config import WorkerConfig
from agent.worker.service import serve


def main() -> int:
    """Work until told to stop; return the exit status."""
    try:
        asyncio.run(serve(WorkerConfig.from_environment()))
    except Misconfigured as err:
        print(f"ringfence worker: {err.message}", file=sys.stderr)
        return 2
    except psycopg.OperationalError as err:
        print(f"ringfence worker: the database does not answer: {str(err).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
