"""Where the jobs of a store live: their folders, and the queue by which a worker learns of them.

The queue carries keys and nothing else; what it loses is found again in the table.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from sqlalchemy.orm import Session

from data.base import now
from data.jobs import Job
from data.store import Store, StoreError, Unavailable
from services.jobpulse import is_ours

log = logging.getLogger(__name__)

#: A job of another machine that showed no life for so long was cut off.
SILENT = dt.timedelta(seconds=90)
PATIENCE_SECONDS = 15 * 60.0
PAUSE_SECONDS = 0.5


class Home:
    """The folders and the queue of one store's jobs."""

    def __init__(self, instance: Path) -> None:
        self._instance = instance
        self.jobs = instance / "jobs"
        self.do: Callable[[str], object] = _no_worker

    def path(self, key: str) -> Path:
        """Return the folder of a job, whether or not it is there."""
        return self.jobs / key

    def folder(self, key: str) -> Path:
        """Return the folder of a job, made if need be."""
        folder = self.path(key)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def old_folders(self, age: dt.timedelta) -> list[Path]:
        """List the folders in which nothing changed for so long."""
        if not self.jobs.is_dir():
            return []
        limit = time.time() - age.total_seconds()
        return [path for path in self.jobs.iterdir() if path.is_dir() and path.stat().st_mtime < limit]

    @functools.cached_property
    def huey(self) -> Any:
        """The queue, opened when first used: its connections must not be carried into forked processes."""
        self._instance.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("ocopmap", filename=str(self._instance / "queue.sqlite"), results=False)

    @functools.cached_property
    def perform(self) -> Any:
        """The one task of the queue: doing the job of a key, in the way that the worker has set."""
        return self.huey.task(name="perform")(lambda key: self.do(key))

    def enqueue(self, key: str) -> None:
        """Tell the worker of a job; where that fails, the worker finds it in the table a little later."""
        try:
            self.perform(key)
        except (OSError, sqlite3.Error) as error:
            log.warning("job %s waits in the table only: %s", key, error)

    def enqueue_all(self, keys: Sequence[str]) -> None:
        """Tell the worker of those jobs that are not in the queue."""
        if not keys:
            return
        queued = {task.args[0] for task in self.huey.pending() if task.args}
        for key in keys:
            if key not in queued:
                self.enqueue(key)

    def is_dead(self, store: Store, job: Job) -> bool:
        """Tell of a job, whose folder's lock is free, whether the process that ran it is gone."""
        if store.embedded or is_ours(self.path(job.key)):
            return True
        return job.heartbeat_at is None or now() - job.heartbeat_at > SILENT


def _no_worker(key: str) -> None:
    raise RuntimeError(f"job {key} was taken from the queue by a process that is no worker")


_homes: weakref.WeakKeyDictionary[Store, Home] = weakref.WeakKeyDictionary()


def install(store: Store, instance: Path) -> Home:
    """Say in which instance folder a store's jobs live."""
    home = _homes[store] = Home(instance.resolve())
    return home


def home_of(store: Store) -> Home:
    """Return where a store's jobs live: the folder that was installed, else that of the GeoPackage."""
    home = _homes.get(store)
    if home is None:
        if not store.embedded:
            raise StoreError("Chưa chọn thư mục cho công việc dài của bản ghi này.")
        home = install(store, store.path.parent)
    return home


@contextlib.contextmanager
def patiently(store: Store) -> Iterator[Session]:
    """Give a writing session, waiting for one when somebody else writes for long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with contextlib.ExitStack() as stack:
        while True:
            try:
                session = stack.enter_context(store.writing())
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_SECONDS)
        yield session
