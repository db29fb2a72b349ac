"""Forms of lot dossiers: what is asked for, what was typed, and what the lot before it says."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from data.programme import papers
from data.traceability.blockevents import ZONE
from data.traceability.dossier import Dossier, Entry
from data.traceability.measures import NAMES, uom_of
from data.traceability.profiles import Ask, blocks
from webmap.programme.common import FormRefused, words
from webmap.settings import Settings

RESULT_FIELDS = ("value", "limit", "method", "verdict")
FREE_RESULTS = 2
PICTURES = ("image/jpeg", "image/png", "image/webp", "application/pdf")


def folder() -> Path:
    """Where papers of dossiers are kept."""
    settings: Settings = current_app.extensions["ocop_settings"]
    return settings.media / "evidence"


# ---- reading


def entry_number() -> uuid.UUID:
    """Return the number of the form that was sent, so that sending it twice keeps it once."""
    try:
        return uuid.UUID(words("entry"))
    except ValueError:
        return uuid.uuid4()


def moment(name: str) -> dt.datetime | None:
    """Read a moment of the province's clock. Raises FormRefused."""
    text = words(name)
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)
    except ValueError:
        raise FormRefused("“%(text)s” không phải ngày giờ.", text=text) from None


def decimal(text: str, title: Any) -> float | None:
    """Read a number as Vietnamese or programs write it: 1.234,5 or 1234.5. Raises FormRefused."""
    text = text.replace(" ", "").replace("\u00a0", "")
    if not text:
        return None
    if "," in text:
        text = text.replace(".", "").replace(",", ".")
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise FormRefused("“%(title)s” phải là số.", title=title)
    return found


def typed(block: str, dossier: Dossier, step: str | None, file: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the values of a block as they were typed, ready to be checked. Raises FormRefused."""
    values = {ask.name: _value(ask, words(ask.name)) for ask in blocks()[block].fields}
    values["file"] = dict(file) if file else None
    if "results" in values:
        values["results"] = _results(dossier)
    if step is not None:
        parameters = {p.name: _value(p, words(f"p:{p.name}")) for p in dossier.profile.step(step).parameters}
        values["parameters"] = {name: value for name, value in parameters.items() if value not in (None, "")}
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def _value(ask: Ask, text: str) -> Any:
    if ask.type == "number":
        return decimal(text, ask.title)
    if ask.type == "integer":
        number = decimal(text, ask.title)
        return int(number) if number is not None and number.is_integer() else number
    return text


def _results(dossier: Dossier) -> list[dict[str, Any]]:
    """A row for each analyte with a value, the profile's first and then those that were added."""
    rows = []
    known = {t.code: t for t in dossier.profile.tests}
    for key in [*known, *(f"other{n}" for n in range(FREE_RESULTS))]:
        told = {name: words(f"t:{key}:{name}") for name in RESULT_FIELDS}
        if not told["value"]:
            continue
        test = known.get(key)
        title = test.title["vi"] if test else words(f"t:{key}:title")
        row = {"analyte": key if test else title, "title": title, "unit": test.unit if test else "", **told}
        if test is not None and told["limit"]:
            row["limitSource"] = test.limit_source["vi"]
        rows.append({name: value for name, value in row.items() if value})
    return rows


# ---- papers


def taken_file() -> tuple[dict[str, str] | None, str]:
    """Keep the file that was sent, or know the one that was sent before; return it with its ticket for the form.

    A form that is shown again still has its paper: the ticket is signed, so that nobody names another's.
    """
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        content = upload.read(papers.LARGEST_BYTES + 1)
        name = Path(upload.filename.replace("\\", "/")).name
        kind = papers.media_type(name, content)
        if kind not in PICTURES:
            raise FormRefused("Tệp %(file)s không phải ảnh hay PDF.", file=name)
        file = {"sha256": papers.keep(folder(), content), "name": name, "mediaType": kind}
        return file, _tickets().dumps(file)
    ticket = words("file_ticket")
    try:
        return (_tickets().loads(ticket), ticket) if ticket else (None, "")
    except BadSignature:
        return None, ""


def ticket_of(file: Mapping[str, Any] | None) -> str:
    """Return the ticket of a paper that an entry has, for the form that corrects it."""
    if not file:
        return ""
    return str(_tickets().dumps({name: str(file[name]) for name in ("sha256", "name", "mediaType")}))


def _tickets() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt="dossier-file")


# ---- showing


def first_values(
    dossier: Dossier, block: str, step: str | None, before: Dossier | None, name: str, today: dt.date
) -> dict[str, Any]:
    """Return what a form begins with: what the lot before says, today's date, the lot's unit."""
    values: dict[str, Any] = {}
    old = before.last(block, step) if before is not None else None
    if old is not None and block in ("step", "input", "test", "sample", "packing"):
        values |= {k: v for k, v in form_values(old).items() if k not in FRESH.get(block, ())}
    for ask in blocks()[block].fields:
        if ask.type == "date" and ask.name in ("receivedOn", "keptOn", "reportedOn"):
            values[ask.name] = today.isoformat()
        if ask.name in ("person", "keptBy", "by", "packedBy") and not values.get(ask.name):
            values[ask.name] = name
    if block in ("dispatch", "return", "waste"):
        values.setdefault("uom", uom_of(dossier.lot.unit))
    values.setdefault("uom", "KGM")
    values.setdefault("role", "main")
    if block == "sample":
        values |= _sample_values(dossier, values)
    return values


#: What is never taken over from the lot before, by block.
FRESH: Mapping[str, tuple[str, ...]] = {
    "input": ("quantity", "document", "sourceLot", "file", "uri", "supplierLot"),
    "test": ("report", "file", "media", "sampledOn", "validUntil", "verdict", "reportSha256"),
    "sample": ("retainUntil", "file"),
    "packing": ("stampsFrom", "stampsTo", "spoiled", "file", "label"),
    "step": ("file",),
}


def _sample_values(dossier: Dossier, values: Mapping[str, Any]) -> dict[str, Any]:
    rule, expires = dossier.profile.sample, dossier.lot.expires_on
    found: dict[str, Any] = {}
    if rule is not None and not values.get("quantity"):
        found |= {"quantity": rule.quantity, "uom": rule.uom}
    if rule is not None and expires is not None:
        found["retainUntil"] = (expires + dt.timedelta(days=rule.margin_days)).isoformat()
    return found


def form_values(entry: Entry) -> dict[str, Any]:
    """Return the values of an entry under the names of the form's inputs."""
    values = {name: value for name, value in entry.values.items() if not isinstance(value, dict | list)}
    for name, value in (entry.values.get("parameters") or {}).items():
        values[f"p:{name}"] = value
    for result in entry.values.get("results") or ():
        for name in ("limit", "method"):
            values[f"t:{result.get('analyte')}:{name}"] = result.get(name) or ""
    return values


def full_form_values(entry: Entry, dossier: Dossier) -> dict[str, Any]:
    """Return all values of an entry, results of tests too, for the form that corrects it."""
    values = form_values(entry)
    known = {t.code for t in dossier.profile.tests}
    others = 0
    for result in entry.values.get("results") or ():
        key = str(result.get("analyte"))
        if key not in known:
            key, others = f"other{others}", others + 1
            values[f"t:{key}:title"] = result.get("title") or result.get("analyte")
        for name in RESULT_FIELDS:
            values[f"t:{key}:{name}"] = result.get(name) or ""
    if entry.block == "input" and str(entry.uri or "").partition(":material:")[1] == "":
        if str(entry.uri).startswith("urn:ocop:area:"):
            values["area"] = entry.uri
        else:
            values["sourceLot"] = entry.uri
    return values


def uom_choices(dossier: Dossier, block: str) -> list[tuple[str, str]]:
    """List the units of a form; pieces by the name that the lot gives them."""
    each = dossier.lot.unit if block != "input" and uom_of(dossier.lot.unit) == "EA" else None
    return [(code, each or name if code == "EA" else name) for code, name in NAMES.items()]
