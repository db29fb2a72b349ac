"""Reports: figures that lead to their rows and to the map, targets, Excel and paper, the ministry's tables."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data.accounts import EDITORS_OF_ALL, EVERYTHING
from data.programme import reports, targets
from gis.errors import Refusal
from services import context, exchange, reporting
from services.documents import WRITERS
from services.errors import sentence_of, status_of
from webmap.pages import record_facts
from webmap.programme.common import FormRefused, done, today, words

blueprint = Blueprint("reports", __name__, url_prefix="/programme")
MOST_ROWS = 1000
#: How the public list of products names a dimension.
LISTED = {"stars": "stars", "set": "product_set", "commune": "commune_code"}


@blueprint.get("/reports")
@login_required
def index() -> Any:
    """Show the figures by one dimension, with the targets."""
    return _index()


def _index(sentence: str | None = None) -> Any:
    session, actor = context.session(), context.actor()
    by = request.args.get("by", "stars")
    if by not in reports.DIMENSIONS:
        abort(404)
    every = reports.facts(session, actor, today())
    found = reports.facts(session, actor, today(), _chosen())
    choices = {
        name: [(line.key, _label(name, line)) for line in reports.table(every, name).lines]
        for name in ("year", "stars", "kind")
    }
    table = reports.table(found, by)
    return render_template(
        "programme/reports.html",
        by=by,
        lines=(*table.lines, table.total),
        label=_label,
        dimensions=reports.DIMENSIONS,
        titles=reporting.TITLES,
        measures=reports.MEASURES,
        chosen=_chosen(),
        choices=choices,
        rows_url=_rows_url,
        query=urlencode(_chosen()),
        progress=targets.progress(session) if actor.role in EVERYTHING else [],
        units=reporting.UNITS,
        may_enter=actor.role in EDITORS_OF_ALL,
        sees_all=actor.role in EVERYTHING,
        sentence=sentence,
        typed=request.form,
        year=today().year,
    )


@blueprint.get("/reports/rows")
@login_required
def rows() -> Any:
    """Show the products that a figure counts."""
    chosen, measure = _chosen(), request.args.get("measure", "products")
    found = reports.facts(context.session(), context.actor(), today(), chosen)
    period, key = request.args.get("period"), request.args.get("target")
    if period and key and context.actor().role in EVERYTHING:
        reached = targets.progress(context.session())
        ids = {i for p in reached if (p.target.key, p.target.period) == (key, period) for i in p.product_ids}
        found = [f for f in found if f.id in ids]
    found = reports.with_measure(found, measure)
    producers: dict[int, str] = {f.producer_id: f.producer for f in found if f.producer_id is not None}
    return render_template(
        "programme/report_rows.html",
        rows=found[:MOST_ROWS],
        total=len(found),
        revenue=round(sum(f.revenue or 0 for f in found), 2),
        producers=sorted(producers.items(), key=lambda p: p[1]),
        measure=measure,
        chosen=[(reports.DIMENSIONS[k], _name(k, v, found)) for k, v in chosen.items()],
        list_url=_list_url(chosen, measure) if not period else None,
    )


@blueprint.get("/reports.<any(xlsx,pdf,docx):form>")
@login_required
def file(form: str) -> Response:
    """Give out all figures under the same choice as a workbook or a paper."""
    session, actor, chosen = context.session(), context.actor(), _chosen()
    found = reports.facts(session, actor, today(), chosen)
    tables = reports.summary(found)
    reached = targets.progress(session) if actor.role in EVERYTHING else []
    if form == "xlsx":
        return _file(reporting.workbook(tables, found, reached), reporting.MEDIA_TYPE, "ocop-report.xlsx")
    facts = record_facts()
    narrowed = "; ".join(f"{reports.DIMENSIONS[k]}: {_name(k, v, found)}" for k, v in chosen.items())
    made = reporting.paper(
        tables,
        reached,
        province=f"UBND {facts.get('province_name') or _('Tỉnh')}",
        subtitle=f"Tính đến ngày {today():%d/%m/%Y}" + (f". {narrowed}" if narrowed else ""),
        demo=facts.get("demo") == "1",
    )
    media, write = WRITERS[form]
    return _file(write(made), media, f"ocop-report.{form}")


@blueprint.post("/reports/actuals")
@login_required
def enter() -> Any:
    """Enter what was reached where the record cannot count it."""
    try:
        text = words("value").replace(".", "").replace(",", ".") if "," in words("value") else words("value")
        try:
            value = float(text) if text else None
        except ValueError:
            raise FormRefused("“%(text)s” không phải số.", text=words("value")) from None
        with context.store().writing() as session:
            targets.enter(session, context.actor(), words("key"), words("period"), value)
    except Refusal as error:
        context.renew_session()
        return _index(sentence_of(error)), status_of(error)
    return done(_("Đã ghi số liệu thực hiện."), "/programme/reports#targets")


@blueprint.get("/reports/exchange.<any(zip,xlsx):form>")
@login_required
def ministry_tables(form: str) -> Response:
    """Give out the ministry's exchange tables of a year."""
    actor = context.actor()
    if actor.role not in EVERYTHING:
        abort(403)
    year = request.args.get("year", today().year, type=int)
    sheets = exchange.tables(context.session(), actor, year, today())
    return _file(exchange.WRITERS[form](sheets), exchange.FORMATS[form], f"PTNT_OCOP-{year}.{form}")


# ---- details


def _chosen() -> dict[str, str]:
    return {k: v for k, v in request.args.items() if k in reports.DIMENSIONS and v}


def _label(dimension: str, line: reports.Line) -> str:
    if dimension == "commune" or context.language() == "vi":
        return line.label
    return reports.label(dimension, line.key, lang=context.language())


def _name(dimension: str, key: str, found: list[reports.Fact]) -> str:
    return reports.label(dimension, key, found[0] if found else None, context.language())


def _rows_url(by: str, key: str, measure: str) -> str:
    asked = {**_chosen(), **({by: key} if key else {}), "measure": measure}
    return f"/programme/reports/rows?{urlencode(asked)}"


def _list_url(chosen: dict[str, str], measure: str) -> str | None:
    """The public list with the same filter, where it has all the filters and shows the same rows to the caller."""
    star = {"three": "3", "four": "4", "five": "5"}.get(measure)
    wanted = {**chosen, **({"stars": star} if star else {})}
    listed = all(k in LISTED and v not in ("0", reports.UNKNOWN) for k, v in wanted.items())
    if context.actor().role not in EVERYTHING or measure == "in_force" or not listed:
        return None
    if star and chosen.get("stars", star) != star:
        return None
    return f"/products?{urlencode({LISTED[k]: v for k, v in wanted.items()})}"


def _file(content: bytes, media: str, name: str) -> Response:
    return send_file(io.BytesIO(content), mimetype=media, as_attachment=True, download_name=name)
