"""How gunicorn serves: sync workers that share the loaded application.

Sync rather than threaded workers: measured with keep-alive connections, threads can leave all of them on one
worker (158 against 285 tiles a second), while sync workers share evenly. A long export occupies one worker
meanwhile; raise `--workers` where that hurts, and let nginx hold slow clients.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

from services import context
from webmap import lifeline

worker_class = "sync"
preload_app = True
timeout = 120
graceful_timeout = 30
limit_request_line = 8190
accesslog = None
errorlog = "-"
loglevel = "info"
#: Signals are enough to steer one server; a socket in the home folder would be shared by several.
control_socket_disable = True

#: Workers touch a file to show that they live; on a disk that can stall them.
if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"


def when_ready(server: Any) -> None:
    """Keep what is loaded out of the garbage collector, so that the workers go on sharing its memory;
    start the worker of the long jobs."""
    gc.collect()
    gc.freeze()
    server.ocop_keeper = lifeline.start_keeper()
    server.ocop_pid = os.getpid()


def on_exit(server: Any) -> None:
    """End the worker of the long jobs with the server."""
    keeper = getattr(server, "ocop_keeper", None)
    if keeper is not None and server.ocop_pid == os.getpid():
        lifeline.stop(keeper)


def post_fork(server: Any, worker: Any) -> None:
    """Forget connections of the parent without closing them: they are its own."""
    application = server.app.wsgi()
    with application.app_context():
        context.store().engine.dispose(close=False)
