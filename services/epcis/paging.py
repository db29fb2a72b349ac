"""Pages: how many at once, and tokens that carry a question on to its next page for a while.

A token holds the whole question with its key, signed; nothing is kept for it here but that it was given up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, current_app, request
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from data.base import now
from services import context
from services.epcis.problems import ValidationFault
from services.epcis.site import blueprint
from services.errors import BadRequest
from services.jobqueue import home_of
from services.parameters import COMMON, integer

DEFAULT_PAGE: Final = 30
LARGEST_PAGE: Final = 1_000
TOKEN_LIFE: Final = dt.timedelta(hours=1)
PAGING: Final = ("perPage", "nextPageToken")


@dataclass(frozen=True)
class Turn:
    """Which page of which question: its parameters, how many at once, and the key after which it begins."""

    parameters: Mapping[str, str]
    limit: int
    after: Any | None


def turn() -> Turn:
    """Read the question of this request, or of the token that carries it on. Raises ValidationFault or BadRequest."""
    limit = integer("perPage", DEFAULT_PAGE, minimum=1, maximum=LARGEST_PAGE)
    given = _given()
    token = request.args.get("nextPageToken")
    if token is None:
        return Turn(given, limit, None)
    facts = _opened(token)
    if facts["p"] != request.path or facts["a"] != context.actor().account_id:
        raise ValidationFault("Mã trang tiếp theo thuộc một truy vấn khác.")
    if given and given != facts["q"]:
        raise ValidationFault("Mã trang tiếp theo thuộc một truy vấn khác.")
    if "perPage" not in request.args:
        limit = int(facts["n"])
    return Turn(facts["q"], limit, facts["k"])


def no_parameters(asked: Turn) -> Turn:
    """Refuse parameters where only paging is known."""
    for name in asked.parameters:
        raise BadRequest("Không có tham số “%(parameter)s”.", parameter=name)
    return asked


def _given() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, values in request.args.lists():
        if name in PAGING or name in COMMON:
            continue
        # Some clients repeat a parameter instead of joining its values.
        found[name] = "|".join(values)
    return found


def carry_on(response: Response, asked: Turn, after: Any | None) -> Response:
    """Tell in the headers where the next page is, when there is one."""
    if after is not None:
        facts = {
            "p": request.path,
            "q": dict(asked.parameters),
            "n": asked.limit,
            "k": after,
            "a": context.actor().account_id,
        }
        token = _serializer().dumps(facts)
        address = f"{request.base_url}?{urlencode({'perPage': asked.limit, 'nextPageToken': token})}"
        response.headers["Link"] = f'<{address}>; rel="next"'
        response.headers["GS1-Next-Page-Token-Expires"] = (now() + TOKEN_LIFE).strftime("%Y-%m-%dT%H:%M:%SZ")
    return response


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="epcis-next-page")


def _opened(token: str) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = _serializer().loads(token, max_age=int(TOKEN_LIFE.total_seconds()))
    except SignatureExpired as error:
        raise ValidationFault("Mã trang tiếp theo đã hết hạn; hãy hỏi lại từ trang đầu.") from error
    except BadData as error:
        raise ValidationFault("Mã trang tiếp theo không đúng.") from error
    if _given_up(token).exists():
        raise ValidationFault("Mã trang tiếp theo đã bị hủy; hãy hỏi lại từ trang đầu.")
    return facts


def _given_up(token: str) -> Path:
    folder = home_of(context.store()).jobs.parent / "page_tokens"
    return folder / hashlib.sha256(token.encode()).hexdigest()


@blueprint.delete("/nextPageToken/<token>")
def give_up(token: str) -> Response:
    """Make a token worthless before its time."""
    _opened(token)
    path = _given_up(token)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    _sweep(list(path.parent.iterdir()))
    return Response(status=204)


def _sweep(paths: Sequence[Path]) -> None:
    """Forget tokens that would not work any more."""
    limit = time.time() - 2 * TOKEN_LIFE.total_seconds()
    for path in paths:
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
