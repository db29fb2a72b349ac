"""How a running job shows that it lives and how far it is, and how it learns that it should stop.

In PostgreSQL this is the job's row. A GeoPackage lets one transaction write at a time, and a job that imports has
it open for long: there, and only while the job runs, progress and the wish to stop are small files in its folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from data import jobs
from data.store import Failure, Store

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
WRITE_SECONDS = 0.3

LOCK, PROGRESS, STOP = ".running", ".progress.json", ".stop"


class Pulse:
    """The sign of life of one running job."""

    def __init__(self, store: Store, job_id: int, folder: Path) -> None:
        self._store = store
        self._job_id = job_id
        self._folder = folder
        self._facts: dict[str, Any] = {}
        self._written = 0.0
        self._stop = False
        self._ended = threading.Event()

    def beat(self, done: int, total: int | None, message: str | None) -> bool:
        """Show how far the job is, a few times a second at most; tell whether it should stop."""
        facts = {"done": done, "total": total, "message": message or self._facts.get("message")}
        first = not self._facts
        self._facts = facts
        if first or done == total or time.monotonic() - self._written >= WRITE_SECONDS:
            self._write()
        return self._stop or self.stop_asked(self._folder)

    def last(self) -> dict[str, Any]:
        """Return how far the job came."""
        return {name: value for name, value in self._facts.items() if value is not None}

    def _write(self) -> None:
        self._written = time.monotonic()
        if self._store.embedded:
            whole = self._folder / f"{PROGRESS}.{threading.get_ident()}"
            whole.write_bytes(orjson.dumps(self._facts))
            whole.replace(self._folder / PROGRESS)
            return
        try:
            with self._store.writing() as session:
                self._stop = jobs.beat(session, self._job_id, self._facts) or self._stop
        except Failure as error:
            log.warning("job %s: no sign of life: %s", self._job_id, error)

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        """Go on showing life while the job's own steps are long."""
        thread = threading.Thread(target=self._go_on, name=f"job-{self._job_id}", daemon=True)
        if not self._store.embedded:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            if thread.is_alive():
                thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            self._write()

    # ---- from another process

    @staticmethod
    def read(folder: Path) -> dict[str, Any]:
        """Return how far the job in a folder is, as far as files say it."""
        try:
            facts: dict[str, Any] = orjson.loads((folder / PROGRESS).read_bytes())
        except (OSError, ValueError):
            return {}
        return facts

    @staticmethod
    def ask_to_stop(folder: Path) -> None:
        """Ask the job in a folder to stop at its next step."""
        with contextlib.suppress(OSError):
            (folder / STOP).touch()

    @staticmethod
    def stop_asked(folder: Path) -> bool:
        """Tell whether somebody asked the job in a folder to stop."""
        return (folder / STOP).exists()

    @staticmethod
    def forget(folder: Path) -> None:
        """Let a job that begins anew know nothing of how the last attempt ended."""
        for name in (STOP, PROGRESS):
            (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def pulse_of(store: Store, job_id: int, folder: Path) -> Iterator[Pulse]:
    """Give the pulse of a job that begins, and end it with the job."""
    pulse = Pulse(store, job_id, folder)
    with pulse.going():
        yield pulse
    Pulse.forget(folder)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Be the one process that has the job of a folder; False when another has it.

    The system itself takes the lock from a process that dies, however it dies.
    """
    with (folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def sign(folder: Path) -> None:
    """Write which machine has the job of a folder."""
    (folder / LOCK).write_text(f"{socket.gethostname()} {os.getpid()}", encoding="utf-8")


def is_ours(folder: Path) -> bool:
    """Tell whether the job of a folder was last run on this machine."""
    with contextlib.suppress(OSError):
        return (folder / LOCK).read_text(encoding="utf-8").split(" ")[0] == socket.gethostname()
    return False
