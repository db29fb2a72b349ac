"""A server killed while ballots and dossiers are being submitted loses nothing and doubles nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.programme import ballots, dossiers
from data.programme.tables import BallotPaper, DossierVersion
from data.store import Store
from tests.conftest import ROOT, environment_of
from tests.services import programme as play

PROGRAM = """
import sys
from data.accounts import Account
from data.programme import ballots
from data.store import Store
from tests.services import programme as play
import sqlalchemy as sa

store, item, stop_after = Store(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with store.reading() as session:
    members = [a.actor() for a in session.scalars(sa.select(Account).where(Account.username.like("hoi-dong-%")))]
for number, member in enumerate(members):
    with store.writing() as session:
        ballots.save(session, member, item, choices=play.best_choices("2026", 8))
        ballots.submit(session, member, item)
        if number == stop_after:
            print("in the middle", flush=True)
            sys.stdin.read()
"""


@pytest.mark.parametrize("stop_after", [0, 4])
def test_a_killed_submission_is_whole_or_not_at_all(
    demo_store: Store, tmp_path_factory: pytest.TempPathFactory, stop_after: int
) -> None:
    people = play.cast(demo_store)
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    url = demo_store.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(item), str(stop_after)],
        env=environment_of(url, tmp_path_factory.mktemp("killed")),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "in the middle"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with demo_store.reading() as session:
        kept = session.scalars(sa.select(BallotPaper).where(BallotPaper.item_id == item)).all()
        assert len(kept) == stop_after and {b.state for b in kept} <= {"submitted"}
    for member in members:
        with demo_store.writing() as session:
            if not _is_in(session, member, item):
                ballots.save(session, member, item, choices=play.best_choices("2026", 8))
            ballots.submit(session, member, item)
    with demo_store.writing() as session:
        closed = ballots.close_item(session, people.province, item)
        assert len((closed.result or {})["ballots"]) == len(members)


def _is_in(session: Session, member: Actor, item: int) -> bool:
    ballot = ballots.own_ballot(session, member, item)
    return ballot is not None and ballot.state == "submitted"


def test_every_frozen_version_keeps_its_hash(demo_store: Store) -> None:
    people = play.cast(demo_store)
    dossier_id = play.to_commune(people)
    with demo_store.reading() as session:
        for version in session.scalars(
            sa.select(DossierVersion).where(DossierVersion.dossier_id == dossier_id)
        ):
            assert dossiers.digest(version.document) == version.sha256
