"""The worker that lives and dies with the web server.

`python -m webmap.lifeline PARENT` starts the worker, starts it again when it dies, and ends with the process that
started it, however that ends. It imports nothing of the platform, so that it weighs little.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

PR_SET_PDEATHSIG = 1
CHECK_SECONDS = 1.0
STOP_SECONDS = 10.0
#: A worker that dies sooner than this after its start is not started again at once.
SHORT_LIFE_SECONDS, PAUSE_SECONDS = 10.0, 5.0


def die_with(parent: int) -> None:
    """Let this process be killed when its parent is gone, even if the parent was killed itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    """See to it where the system does not."""
    while os.getppid() == parent:
        time.sleep(CHECK_SECONDS)
    os._exit(0)


def start_keeper() -> subprocess.Popen[bytes]:
    """Start the keeper of the worker as a child of this process, out of reach of the terminal's Ctrl+C."""
    command = [sys.executable, "-m", "webmap.lifeline", str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait until it has; kill it when it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def keep(parent: int) -> None:
    """Keep a worker running until this process is told to end."""
    ending = threading.Event()

    def end(number: int, frame: Any) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    die_with(parent)
    command = [sys.executable, "-m", "webmap.cli", "work", "--parent", str(os.getpid())]
    while not ending.is_set():
        started = time.monotonic()
        worker = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        while worker.poll() is None and not ending.wait(CHECK_SECONDS / 4):
            pass
        if ending.is_set():
            stop(worker)
        elif time.monotonic() - started < SHORT_LIFE_SECONDS:
            ending.wait(PAUSE_SECONDS)


if __name__ == "__main__":
    keep(int(sys.argv[1]))
