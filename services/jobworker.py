"""The worker: takes jobs from the queue, one after another in each of its threads, and looks after the others."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from huey.consumer import ConsumerStopped

from data.store import Failure, Store
from data.traceability import heads, signing
from services import boundaries, jobs
from services.epcis import delivery
from services.jobqueue import home_of

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 1.0
LOOK_SECONDS = 60.0
DELIVER_SECONDS = 5.0


def work(
    store: Store, inside: Callable[[], contextlib.AbstractContextManager[Any]], *, threads: int = 1
) -> None:
    """Do jobs until the process is told to end; `inside` is the context in which each is done.

    Told to end, the process ends at once, as if it were killed: what it was doing is begun again later.
    """
    home = home_of(store)

    def perform(key: str) -> None:
        with inside():
            jobs.run_now(store, key)

    def look_after() -> None:
        while True:
            try:
                with inside():
                    jobs.recover(store)
                    jobs.sweep(store)
                    boundaries.apply_due(store)
                    heads.sign_due(store, signing.key_file(home.jobs.parent))
            except (Failure, OSError, signing.SigningError) as error:
                log.warning("jobs could not be looked after: %s", error)
            time.sleep(LOOK_SECONDS)

    def deliver() -> None:
        while True:
            try:
                with inside():
                    delivery.deliver_due(store)
            except (Failure, OSError) as error:
                log.warning("subscribers could not be told: %s", error)
            time.sleep(DELIVER_SECONDS)

    home.do = perform
    _ = home.perform
    consumer = home.huey.create_consumer(
        workers=threads,
        initial_delay=0.1,
        max_delay=LONGEST_PAUSE_SECONDS,
        periodic=False,
        check_worker_health=True,
    )
    threading.Thread(target=look_after, name="look-after", daemon=True).start()
    threading.Thread(target=deliver, name="deliver", daemon=True).start()
    consumer.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    checked = None
    with contextlib.suppress(ConsumerStopped):
        while True:
            checked = consumer.loop(checked)
