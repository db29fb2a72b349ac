"""Starting the real program for measurements."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def serve(database: str, instance: Path, port: int, workers: int = 2) -> subprocess.Popen[bytes]:
    """Start the program on a record and wait until it answers."""
    environment = {**os.environ, "OCOPMAP_DATABASE_URL": database, "OCOPMAP_INSTANCE": str(instance)}
    command = [sys.executable, "-m", "webmap.cli", "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(150):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1)
            return process
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError("the server did not start")
