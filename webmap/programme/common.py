"""What the programme's pages share: reading what was typed, saying why something was refused, today's date."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request
from werkzeug.wrappers.response import Response as BaseResponse

from gis.errors import Refusal
from services import context
from services.errors import sentence_of, status_of
from webmap.pages import TIME_ZONE


class FormRefused(Refusal):
    """Something that was typed cannot be read."""


def today() -> dt.date:
    """Return the day in the province."""
    return dt.datetime.now(TIME_ZONE).date()


def day(name: str) -> dt.date | None:
    """Read a date of the form, as the browser's date field or as day/month/year. Raises FormRefused."""
    return day_of(request.form.get(name, ""))


def day_of(text: str) -> dt.date | None:
    """Read a date that was typed, as YYYY-MM-DD or as day/month/year; None for an empty text. Raises FormRefused."""
    text = text.strip()
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise FormRefused("“%(text)s” không phải ngày; hãy ghi ngày/tháng/năm.", text=text)


def number(name: str) -> int | None:
    """Read a whole number of the form. Raises FormRefused."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise FormRefused("“%(text)s” không phải số.", text=text) from None


def quantity_of(text: str) -> float | None:
    """Read a quantity as people write it: 12,5, 12.5, 1.234,5, and 1.234 for thousands; None for an empty text.

    Raises FormRefused.
    """
    text = text.strip().replace(" ", "")
    if not text:
        return None
    grouped = "," in text or re.fullmatch(r"\d{1,3}(\.\d{3})+", text) is not None
    try:
        value = float(text.replace(".", "").replace(",", ".") if grouped else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise FormRefused("“%(text)s” không phải số lượng.", text=text)
    return value


def words(name: str) -> str:
    """Read a text of the form."""
    return request.form.get(name, "").strip()


def done(message: str, address: str) -> BaseResponse:
    """Say what was done and go on."""
    flash(message, "ok")
    return redirect(address, 303)


def act(
    work: Callable[[Any], Any],
    again: Callable[[str], Any],
    address: str | Callable[[Any], str],
    said: str | None = None,
    *,
    within: Any = None,
) -> Any:
    """Do something that the rules may refuse, in one transaction; then say what was done and go on to an address.

    What was done is said by `said`, or else by what `work` returns. When it is refused nothing was written, and
    `again` shows the page with the reason and what was typed.
    """
    try:
        with within or context.store().writing() as session:
            made = work(session)
            onward = address if isinstance(address, str) else address(made)
    except Refusal as error:
        context.renew_session()
        return again(sentence_of(error)), status_of(error)
    return done(said or made, onward)
