"""Looking the record over: is the file whole, do index and counts agree, are the geometries sound?"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import migrate
from data.accounts import is_boundary
from data.admin_units import Commune, edition_in_use
from data.base import Base
from data.columns import SRID
from data.programme import soundness
from data.schema import newest_schema
from data.spatial import NEAREST_DEGREES
from data.store import Store, spatial_tables
from data.tables import AuditRow
from gis import geometry as shapes
from gis import geopackage

CHUNK = 5_000
#: The R-tree keeps single-precision numbers rounded outwards: a box may be wider by this much, in degrees.
RTREE_ROUNDING = 1e-4
#: A stored area may differ from the computed one by this part of it, or by this many hectares.
AREA_RATIO, AREA_HECTARES = 1e-3, 0.01
EXAMPLES = 5


class Verdict(enum.StrEnum):
    """How a check ended."""

    GOOD = "good"
    NOTICE = "notice"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, how it ended, and the facts."""

    subject: str
    check: str
    verdict: Verdict
    detail: str = ""


def look_over(store: Store) -> Iterator[Finding]:
    """Check the whole record, one finding after another; nothing is written."""
    yield _schema(store)
    with store.reading() as session:
        if store.embedded:
            yield from _file(session)
        yield _outside_edits(session)
        for table in spatial_tables():
            if store.embedded:
                yield from _bookkeeping(session, table)
            yield from _rows(session, table)
        yield _communes(session)
        for check in soundness.look_over(session, dt.datetime.now(dt.UTC).date()):
            yield _finding(check.table, check.title, check.problems, good=str(check.rows))


def has_errors(findings: list[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(f.verdict == Verdict.ERROR for f in findings)


# ---- the record as a whole


def _schema(store: Store) -> Finding:
    current, newest = migrate.current(store), newest_schema()
    if current == newest:
        return Finding("bản ghi", "lược đồ", Verdict.GOOD, str(current))
    return Finding("bản ghi", "lược đồ", Verdict.ERROR, f"{current}, cần {newest}: hãy chạy ocopmap upgrade")


def _file(session: Session) -> Iterator[Finding]:
    problems = [str(row[0]) for row in _ask(session, "PRAGMA integrity_check(10)") if row[0] != "ok"]
    yield _finding("tệp", "toàn vẹn (integrity_check)", problems)
    orphans = [f"{row[0]} số {row[1]} → {row[2]}" for row in _ask(session, "PRAGMA foreign_key_check")]
    yield _finding("tệp", "khóa ngoại", orphans)
    identity = (_ask(session, "PRAGMA application_id")[0][0], _ask(session, "PRAGMA user_version")[0][0])
    expected = (geopackage.APPLICATION_ID, geopackage.USER_VERSION)
    yield _finding("tệp", "nhận dạng GeoPackage", [] if identity == expected else [str(identity)])
    declared = {
        (row[0], row[1], row[2], row[3])
        for row in _ask(
            session,
            "SELECT g.table_name, g.column_name, upper(g.geometry_type_name), g.srs_id "
            "FROM gpkg_geometry_columns g JOIN gpkg_contents c "
            "ON c.table_name = g.table_name AND c.data_type = 'features' AND c.srs_id = g.srs_id",
        )
    }
    wanted = {(t.name, "geom", _kind(t), SRID) for t in spatial_tables()}
    yield _finding("tệp", "bảng mô tả lớp", sorted(str(w[0]) for w in wanted - declared))


def _outside_edits(session: Session) -> Finding:
    waiting = session.scalar(sa.select(sa.func.count()).where(AuditRow.adopted.is_(False))) or 0
    detail = f"{waiting} sửa đổi từ chương trình khác chưa được tiếp nhận" if waiting else ""
    return Finding("bản ghi", "sửa đổi từ bên ngoài", Verdict.NOTICE if waiting else Verdict.GOOD, detail)


def _communes(session: Session) -> Finding:
    found = session.scalars(sa.select(Commune.geom).where(Commune.edition == edition_in_use(session))).all()
    geometries = np.array([g for g in found if g is not None], dtype=object)
    if len(geometries) == 0:
        return Finding("communes", "phủ kín, không chồng lấn", Verdict.NOTICE, "chưa có ranh giới cấp xã")
    wrong = int(np.count_nonzero(~shapely.is_empty(shapely.coverage_invalid_edges(geometries))))
    detail = f"{wrong} xã có cạnh chồng lấn hoặc hở" if wrong else f"{len(geometries)} xã"
    return Finding("communes", "phủ kín, không chồng lấn", Verdict.NOTICE if wrong else Verdict.GOOD, detail)


# ---- a GeoPackage's bookkeeping


def _bookkeeping(session: Session, table: sa.Table) -> Iterator[Finding]:
    name, tree = table.name, geopackage.rtree_name(table.name, "geom")
    rows, shaped = _ask(
        session, f"SELECT count(*), count(CASE WHEN NOT ST_IsEmpty(geom) THEN 1 END) FROM {name}"
    )[0]
    indexed = _ask(session, f"SELECT count(*) FROM {tree}")[0][0]
    missing = _ask(
        session,
        f"SELECT count(*) FROM {name} t WHERE NOT ST_IsEmpty(t.geom) AND NOT EXISTS "
        f"(SELECT 1 FROM {tree} r WHERE r.id = t.id AND r.minx <= ST_MinX(t.geom) "
        "AND r.maxx >= ST_MaxX(t.geom) AND r.miny <= ST_MinY(t.geom) AND r.maxy >= ST_MaxY(t.geom))",
    )[0][0]
    structure = _ask(session, f"SELECT rtreecheck('{tree}')")[0][0]
    problems = [f"{indexed} mục cho {shaped} hình"] if indexed != shaped else []
    problems += [f"{missing} hình nằm ngoài ô chỉ mục"] if missing else []
    problems += [str(structure)] if structure != "ok" else []
    yield _finding(name, "chỉ mục không gian", problems, good=f"{indexed} mục")
    counted = _ask(session, f"SELECT max(feature_count) FROM gpkg_ogr_contents WHERE table_name = '{name}'")[
        0
    ][0]
    yield _finding(
        name, "số đối tượng", [f"ghi {counted}, có {rows}"] if counted != rows else [], good=str(rows)
    )
    yield _extent(session, name)


def _extent(session: Session, name: str) -> Finding:
    stated = _ask(
        session, f"SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = '{name}'"
    )[0]
    true = _ask(
        session,
        "SELECT min(ST_MinX(geom)), min(ST_MinY(geom)), max(ST_MaxX(geom)), max(ST_MaxY(geom)) "
        f"FROM {name} WHERE NOT ST_IsEmpty(geom)",
    )[0]
    if true[0] is None:
        return Finding(name, "phạm vi", Verdict.GOOD, "trống")
    if stated[0] is None:
        return Finding(name, "phạm vi", Verdict.ERROR, "chưa ghi")
    short = max(stated[0] - true[0], stated[1] - true[1], true[2] - stated[2], true[3] - stated[3])
    wide = max(true[0] - stated[0], true[1] - stated[1], stated[2] - true[2], stated[3] - true[3])
    if short > RTREE_ROUNDING:
        return Finding(name, "phạm vi", Verdict.ERROR, f"nhỏ hơn dữ liệu {short:.5f}°")
    if wide > RTREE_ROUNDING:
        return Finding(name, "phạm vi", Verdict.NOTICE, f"rộng hơn dữ liệu {wide:.5f}°")
    return Finding(name, "phạm vi", Verdict.GOOD)


def _ask(session: Session, text: str) -> Sequence[Any]:
    return session.execute(sa.text(text)).all()


def _kind(table: sa.Table) -> str:
    column: Any = table.c.geom.type
    return str(column.geometry_type)


# ---- rows


def _rows(session: Session, table: sa.Table) -> Iterator[Finding]:
    model = next(m.class_ for m in Base.registry.mappers if m.local_table is table)
    kind = _kind(table)
    communes = {} if is_boundary(model) else _commune_shapes(session)
    invalid: list[str] = []
    mistyped: list[str] = []
    blank: list[str] = []
    astray: list[str] = []
    resized: list[str] = []
    for ids, geometries, commune_ids, areas in _chunks(session, model):
        present = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
        blank += _names(ids[~present])
        invalid += [
            f"{row_id} ({shapely.is_valid_reason(geometry)})"
            for row_id, geometry in zip(ids, geometries, strict=True)
            if geometry is not None and not shapely.is_valid(geometry)
        ]
        types = np.array([None if g is None else g.geom_type.upper() for g in geometries], dtype=object)
        mistyped += _names(ids[present & (types != kind)])
        if areas is not None:
            resized += _names(ids[present][_area_differs(geometries[present], areas[present])])
        if communes and commune_ids is not None:
            astray += _names(ids[present][_astray(geometries[present], commune_ids[present], communes)])
    yield _finding(table.name, "hình học hợp lệ", invalid)
    yield _finding(table.name, f"kiểu hình {kind}", mistyped)
    if blank:
        yield Finding(table.name, "có hình", Verdict.NOTICE, _listed(blank))
    if communes:
        yield _finding(table.name, "nằm trong xã của mình", astray, bad=Verdict.NOTICE)
    if "area_ha" in table.c:
        yield _finding(table.name, "diện tích đã ghi", resized, bad=Verdict.NOTICE)


def _chunks(session: Session, model: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield ids, geometries, commune ids and areas by column; None for columns that the table lacks."""
    extra = [name for name in ("commune_id", "area_ha") if hasattr(model, name)]
    statement = sa.select(model.id, model.geom, *(getattr(model, n) for n in extra)).order_by(model.id)
    for part in session.execute(statement, execution_options={"yield_per": CHUNK}).partitions(CHUNK):
        ids, geometries, *rest = (np.array(column, dtype=object) for column in zip(*part, strict=True))
        named = dict(zip(extra, rest, strict=True))
        yield ids, geometries, named.get("commune_id"), named.get("area_ha")


def _commune_shapes(session: Session) -> dict[int, shapely.Geometry]:
    rows = session.execute(sa.select(Commune.id, Commune.geom).where(Commune.geom.is_not(None)))
    shapes_by_id = {row_id: geometry for row_id, geometry in rows}
    shapely.prepare(list(shapes_by_id.values()))
    return shapes_by_id


def _area_differs(geometries: Any, areas: Any) -> Any:
    true = shapes.area_ha(geometries)
    stated = areas.astype(float)
    return ~(np.abs(true - stated) <= np.maximum(AREA_HECTARES, AREA_RATIO * true))


def _astray(geometries: Any, commune_ids: Any, communes: dict[int, shapely.Geometry]) -> Any:
    """Mark rows without a commune, or whose inner point lies clearly outside of it."""
    homes = np.array([communes.get(c) for c in commune_ids], dtype=object)
    distances = shapely.distance(shapely.point_on_surface(geometries), homes)
    return ~(distances <= NEAREST_DEGREES)


def _names(ids: Any) -> list[str]:
    return [str(row_id) for row_id in ids]


def _finding(
    subject: str, check: str, problems: list[str], *, good: str = "", bad: Verdict = Verdict.ERROR
) -> Finding:
    return (
        Finding(subject, check, bad, _listed(problems))
        if problems
        else Finding(subject, check, Verdict.GOOD, good)
    )


def _listed(problems: list[str]) -> str:
    shown = "; ".join(problems[:EXAMPLES])
    return f"{len(problems)}: {shown}{' …' if len(problems) > EXAMPLES else ''}"
