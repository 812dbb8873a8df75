"""Run the emulator: `python -m edge_proxy.local.auth`."""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from edge_proxy.local.auth.app import create_app
from edge_proxy.local.auth.config import AuthConfig, ConfigError
from edge_proxy.local.auth.keys import KeyFile


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = AuthConfig.from_environment(os.environ)
        app = create_app(config, KeyFile(config.signing_keys))
    except ConfigError as error:
        sys.exit(f"auth emulator: {error}")
    # No access log: it would show query strings. The app writes its own line for each request.
    uvicorn.run(app, host=config.host, port=config.port, access_log=False, server_header=False, timeout_graceful_shutdown=5)


if __name__ == "__main__":
    main()
