"""Long work: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

import datetime as dt
import enum
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from data.accounts import Account, Actor, Role, active_account
from data.base import Base, now


class JobState(enum.StrEnum):
    """How a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def new_key() -> str:
    """Make a key that nobody can guess."""
    return secrets.token_urlsafe(18)


class Job(Base):
    """One piece of long work: asked for by a person, done by the worker, and resumed when that was killed."""

    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    kind: Mapped[str]
    title: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[dict[str, Any]]
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=JobState.WAITING, server_default=JobState.WAITING)
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int | None]
    message: Mapped[str | None]
    kept: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    file: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    started_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.Index(None, "state"),
        sa.Index(None, "account_id"),
        {"sqlite_autoincrement": True},
    )


#: What `kept` holds of ours beside the facts of the job's own work: how often the job was cut off.
CUT_OFF = "_cut_off"
MOST_COMPARED = 100


def actor_of(session: Session, job: Job) -> Actor | None:
    """Return who asked for a job, with the rights they have today; None when the account may no longer sign in."""
    if job.account_id is not None:
        account = active_account(session, job.account_id)
        return account.actor() if account else None
    stored = {name: job.actor.get(name) for name in ("name", "commune_id", "district_id", "producer_id")}
    return Actor(role=Role(job.actor["role"]), **{n: v for n, v in stored.items() if v is not None})


def by_key(session: Session, key: str) -> Job | None:
    """Return a job by its key, as the database holds it now."""
    return session.scalar(sa.select(Job).where(Job.key == key).execution_options(populate_existing=True))


def listed(session: Session, account_id: int | None, limit: int) -> list[tuple[Job, str | None]]:
    """List the latest jobs of an account with its name, or of everybody when none is given."""
    query = sa.select(Job, Account.display_name).outerjoin(Account, Account.id == Job.account_id)
    if account_id is not None:
        query = query.where(Job.account_id == account_id)
    return [(job, name) for job, name in session.execute(query.order_by(Job.id.desc()).limit(limit))]


def same(session: Session, kind: str, actor: Actor, parameters: Mapping[str, Any]) -> str | None:
    """Return the key of a job of the same person for the same thing that is under way or whose file is still kept."""
    alive = (JobState.WAITING, JobState.RUNNING, JobState.DONE)
    query = sa.select(Job).where(Job.kind == kind, Job.state.in_(alive), Job.account_id == actor.account_id)
    for job in session.scalars(query.order_by(Job.id.desc()).limit(MOST_COMPARED)):
        fresh = job.expires_at is None or job.expires_at > now()
        if fresh and job.parameters == parameters and job.actor.get("role") == actor.role:
            return job.key
    return None


def keys_in(session: Session, state: JobState) -> list[str]:
    """List the keys of the jobs that stand so, oldest first."""
    return list(session.scalars(sa.select(Job.key).where(Job.state == state).order_by(Job.id)))


def claim(session: Session, key: str) -> Job | None:
    """Begin a waiting job; None when it is not waiting, since then somebody else has it or it is over."""
    moment = now()
    begun = {
        "state": JobState.RUNNING,
        "started_at": moment,
        "heartbeat_at": moment,
        "cancel_requested": False,
        "done": 0,
        "total": None,
        "message": None,
        "result": None,
        "finished_at": None,
    }
    return by_key(session, key) if _move(session, key, (JobState.WAITING,), begun) else None


def beat(session: Session, job_id: int, facts: Mapping[str, Any]) -> bool:
    """Say that a job is alive and how far it is; tell whether somebody asked it to stop.

    A row that the job's own transaction holds is passed over: waiting for it would be waiting for oneself.
    """
    free = sa.select(Job.id).where(Job.id == job_id).with_for_update(skip_locked=True).scalar_subquery()
    statement = sa.update(Job).where(Job.id == free).values(heartbeat_at=now(), **facts)
    return bool(session.scalar(statement.returning(Job.cancel_requested)))


def keep(session: Session, job_id: int, kept: Mapping[str, Any]) -> None:
    """Write what a job must know of itself after a kill."""
    session.execute(sa.update(Job).where(Job.id == job_id).values(kept=dict(kept)))


def finish(session: Session, key: str, state: JobState, facts: Mapping[str, Any]) -> None:
    """End a running job."""
    _move(session, key, (JobState.RUNNING,), {"state": state, "finished_at": now(), **facts})


def stop_waiting(session: Session, key: str) -> bool:
    """Cancel a job that has not begun; tell whether it had not."""
    facts = {"state": JobState.CANCELLED, "finished_at": now()}
    return _move(session, key, (JobState.WAITING,), facts)


def ask_to_stop(session: Session, key: str) -> None:
    """Ask a running job to stop at its next step."""
    session.execute(
        sa.update(Job).where(Job.key == key, Job.state == JobState.RUNNING).values(cancel_requested=True)
    )


def wait_again(
    session: Session, key: str, state: JobState, kept: Mapping[str, Any], message: str | None
) -> bool:
    """Let a job that stands so wait for its turn once more; tell whether it stood so."""
    facts = {"state": JobState.WAITING, "kept": dict(kept), "message": message, "cancel_requested": False}
    return _move(session, key, (state,), {**facts, "finished_at": None, "expires_at": None})


def expired(session: Session) -> list[str]:
    """List the keys of the jobs whose files may go."""
    return list(session.scalars(sa.select(Job.key).where(Job.expires_at <= now())))


def _move(session: Session, key: str, states: tuple[JobState, ...], facts: Mapping[str, Any]) -> bool:
    moved = sa.update(Job).where(Job.key == key, Job.state.in_(states)).values(**facts).returning(Job.id)
    return session.scalar(moved) is not None
