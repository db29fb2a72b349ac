"""The import itself: read, judge, write, reassign, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import SYSTEM, Actor
from data.admin_units import District, Edition, Province, edition_in_use
from data.boundaries import check, read, succession, write
from data.boundaries.assignment import located_models, reassign
from data.boundaries.errors import BoundaryError
from data.boundaries.report import Remark, Report
from data.record_facts import get_fact
from data.store import Store

BOUNDARIES_SOURCE = "boundaries_source"
"""The fact that names the file of the edition in use; with `:edition` behind it, of any edition."""


class _DryRun(Exception):
    """Takes a transaction back after everything was tried."""


def import_boundaries(
    store: Store,
    path: Path | str,
    *,
    edition: str,
    mapping: dict[str, str] | None = None,
    crosswalk: Path | None = None,
    actor: Actor = SYSTEM,
    dry_run: bool = False,
    progress: Callable[[str], None] | None = None,
    layer: str | None = None,
) -> Report:
    """Take over the communes of a file as an edition, or compare a file of districts or the province with it.

    `mapping` says which column holds which fact (code, name, type, district_code, district_name), `layer`
    which layer of a file with several is meant.
    Raises a Refusal with one sentence when the file cannot be used; then nothing has changed.
    """
    started = time.perf_counter()
    say = progress or (lambda message: None)
    if not store.exists():
        raise BoundaryError("Chưa có hồ sơ để nạp ranh giới; hãy chạy “ocopmap init” trước.")
    say("Đang đọc tệp ranh giới…")
    file = read.read_units(Path(path), mapping, layer=layer)
    table = succession.read_crosswalk(Path(crosswalk)) if crosswalk is not None else None
    say("Đang kiểm tra hình…")
    file, repaired = check.repaired_units(file)
    overlaps, gaps = check.faults(file)
    report = Report(
        file=file.name,
        edition=edition,
        dry_run=dry_run,
        repaired=tuple(repaired),
        overlaps=overlaps,
        gaps=gaps,
        remarks=list(file.remarks),
    )
    if file.level == "communes":
        try:
            with store.writing() as session:
                _Import(session, file, report, actor, say).run(table)
                if dry_run:
                    raise _DryRun
        except _DryRun:
            pass
    else:
        with store.reading() as session:
            _compare(session, file, report)
    report.seconds = time.perf_counter() - started
    return report


class _Import:
    """One import within one transaction."""

    def __init__(
        self, session: Session, file: read.UnitFile, report: Report, actor: Actor, say: Callable[[str], None]
    ) -> None:
        self.session = session
        self.file = file
        self.report = report
        self.actor = actor
        self.say = say

    def run(self, crosswalk: succession.Crosswalk | None) -> None:
        """Write everything, and fill in the report."""
        session, report = self.session, self.report
        keep_others_out(session)
        report.edition_in_use = edition_in_use(session)
        edition = write.find_edition(session, report.edition, self.actor)
        self.say("Đang ghi ranh giới…")
        writer = write.UnitWriter(session, self.file, edition, self.actor)
        report.unknown = write.check_codes(self.file, writer.communes, edition)
        self._check_position(writer)
        report.levels = writer.write()
        report.added, report.changed = dict(writer.added), dict(writer.changed)
        report.renamed = tuple(writer.renamed)
        self._remember(writer)
        if edition.code == report.edition_in_use:
            self.say("Đang xác định lại xã của từng đối tượng…")
            shapes = {row.id: row.geom for row in writer.communes.values()}
            report.layers = reassign(session, shapes, writer.box, self.actor, self.file.name)
        self.say("Đang ghi quan hệ chuyển tiếp…")
        self._write_successions(edition, crosswalk)

    def _check_position(self, writer: write.UnitWriter) -> None:
        known = {code: row.geom for code, row in writer.communes.items()}
        trusted = get_fact(self.session, f"{BOUNDARIES_SOURCE}:{self.report.edition}") is not None
        self.report.remarks += check.position(known, self.file, trusted=trusted)

    def _remember(self, writer: write.UnitWriter) -> None:
        """Keep where the boundaries are from, and what province this is where the record did not say."""
        facts = {f"{BOUNDARIES_SOURCE}:{self.report.edition}": self.file.name}
        if self.report.edition == self.report.edition_in_use:
            facts[BOUNDARIES_SOURCE] = self.file.name
        code, name, _ = writer.province
        for key, value in (("province_code", code), ("province_name", name)):
            if get_fact(self.session, key) is None:
                facts[key] = value
        for key, value in facts.items():
            write.set_fact(self.session, key, value)

    def _write_successions(self, edition: Edition, crosswalk: succession.Crosswalk | None) -> None:
        report = self.report
        rows, source, remarks = succession.write_successions(
            self.session, edition, crosswalk, self.actor, self.file.name
        )
        report.successions, report.successions_from = rows, source
        report.remarks += remarks


def keep_others_out(session: Session) -> None:
    """On PostgreSQL, let readers go on but no writer in, so that no row is placed by the old boundaries.

    A GeoPackage has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        tables = [model.__tablename__ for model in (*write.LEVELS, *located_models())]
        session.execute(sa.text(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE"))


def _compare(session: Session, file: read.UnitFile, report: Report) -> None:
    """Fill the report with how a file of districts or the province differs from the record's."""
    model: Any = District if file.level == "districts" else Province
    report.edition_in_use = edition_in_use(session)
    known = write.known_units(session, model, report.edition)
    if not known:
        raise BoundaryError(
            "Tệp là ranh giới cấp huyện hoặc cấp tỉnh, nhưng phiên bản %(edition)s chưa có đơn vị nào "
            "của cấp đó để so sánh; hãy nạp ranh giới xã trước.",
            edition=report.edition,
        )
    report.levels = {model.__tablename__: len(known)}
    report.missing = tuple(code for code in known if code not in set(file.codes))
    report.unknown = tuple(code for code in file.codes if code not in known)
    report.compared = tuple(check.compare(file, {code: (row.name, row.geom) for code, row in known.items()}))
    if not report.compared:
        raise BoundaryError(
            "Không mã nào trong tệp thuộc phiên bản %(edition)s; không có gì để so sánh.",
            edition=report.edition,
        )
    report.remarks.append(
        Remark(
            "Ranh giới huyện và tỉnh được ghép từ các xã; tệp chỉ được so sánh.",
            "Districts and the province are merged from communes; the file was only compared.",
        )
    )
