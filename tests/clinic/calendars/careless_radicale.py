"""Radicale as it is, but for waiting on the disk: what tests write is thrown away."""

from __future__ import annotations

import sys

from radicale import config, log, server

if __name__ == "__main__":
    configuration = config.load([(sys.argv[1], False)])
    configuration.update({"storage": {"_filesystem_fsync": "False"}}, "test", privileged=True)
    log.set_level(configuration.get("logging", "level"), False, True)
    server.serve(configuration)
