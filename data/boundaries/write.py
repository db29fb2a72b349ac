"""Writing an edition's communes, districts and province; rows keep their ids, so that references stay."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, store
from data.accounts import Actor
from data.admin_units import Commune, District, Edition, Province
from data.base import now
from data.boundaries import columns
from data.boundaries.errors import BoundaryError, some
from data.boundaries.read import UnitFile
from data.boundaries.report import Renamed
from data.spatial import Box
from data.tables import RecordFact
from gis import coverage
from gis.geometry import area_ha, orient

SOURCE = "import"
LEVELS: tuple[Any, ...] = (Province, District, Commune)
MOST_UNKNOWN = 0.05
"""More unknown codes than this share of a file mean that it is of another edition or province."""

#: Title and days of the editions that the platform knows by itself; districts ended by Law 72/2025/QH15.
EDITIONS = {
    "2020": ("Địa giới từ tháng 2 năm 2020 đến tháng 6 năm 2025", dt.date(2020, 2, 10), dt.date(2025, 6, 30)),
    "2025": ("Địa giới từ ngày 1 tháng 7 năm 2025", dt.date(2025, 7, 1), None),
}
END_OF_DISTRICTS = dt.date(2025, 7, 1)

PROVINCE = ("96", "Tỉnh Cà Mau", "tỉnh")
"""Code, name and type of the province in a record that does not know its province yet."""

Units = dict[str, Any]


def find_edition(session: Session, code: str, actor: Actor) -> Edition:
    """Return an edition, adding it when the platform knows it; raises BoundaryError for others."""
    edition = session.scalar(sa.select(Edition).where(Edition.code == code))
    if edition is not None:
        return edition
    if code not in EDITIONS:
        known = {*EDITIONS, *session.scalars(sa.select(Edition.code))}
        raise BoundaryError(
            "Chưa có phiên bản địa giới “%(edition)s”; các phiên bản: %(known)s.",
            edition=code,
            known=", ".join(sorted(known)),
        )
    title, valid_from, valid_to = EDITIONS[code]
    edition = Edition(code=code, title=title, valid_from=valid_from, valid_to=valid_to)
    session.add(edition)
    session.flush()
    audit.write(session, actor, SOURCE, "editions", edition.id, "insert", after=audit.snapshot(edition))
    store.bump(session, "editions")
    return edition


def known_units(session: Session, model: Any, edition: str) -> Units:
    """Return the units of one level and edition by code."""
    rows = session.scalars(sa.select(model).where(model.edition == edition).order_by(model.id))
    return {row.code: row for row in rows}


def check_codes(file: UnitFile, known: Units, edition: Edition) -> tuple[str, ...]:
    """Return the codes that are new to an edition.

    Raises BoundaryError when the edition has communes that the file lacks, or the file too many new ones.
    """
    if edition.valid_from >= END_OF_DISTRICTS and file.has_districts:
        raise BoundaryError(
            "Phiên bản %(edition)s không còn cấp huyện, nhưng tệp có cột mã huyện; "
            "có lẽ tệp này thuộc một phiên bản khác.",
            edition=edition.code,
        )
    if not known:
        return ()
    missing = [code for code in known if code not in set(file.codes)]
    if missing:
        raise BoundaryError(
            "Tệp thiếu %(count)s trong %(total)s xã, phường, thị trấn của phiên bản %(edition)s (%(codes)s); "
            "chưa có gì thay đổi.",
            count=len(missing),
            total=len(known),
            edition=edition.code,
            codes=some(missing),
        )
    unknown = tuple(code for code in file.codes if code not in known)
    if len(unknown) > MOST_UNKNOWN * len(file):
        raise BoundaryError(
            "Tệp có %(count)s mã mà phiên bản %(edition)s không có (%(codes)s); "
            "có lẽ tệp thuộc một phiên bản khác.",
            count=len(unknown),
            edition=edition.code,
            codes=some(unknown),
        )
    return unknown


class UnitWriter:
    """Writes the units of one file into one edition, and keeps count of what changed."""

    def __init__(self, session: Session, file: UnitFile, edition: Edition, actor: Actor) -> None:
        self.session = session
        self.file = file
        self.edition = edition
        self.actor = actor
        self.known = {model: known_units(session, model, edition.code) for model in LEVELS}
        self.added: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self.renamed: list[Renamed] = []
        self.box = self._whole_box()

    @property
    def communes(self) -> Units:
        """The communes by code."""
        return self.known[Commune]

    def write(self) -> dict[str, int]:
        """Write all levels; return how many units each now has."""
        province = self._write_province()
        districts = self._write_districts(province)
        self._write_communes(province, districts)
        self._finish()
        return {model.__tablename__: len(self.known[model]) for model in LEVELS if self.known[model]}

    # ---- levels

    def _write_province(self) -> Province:
        shape = coverage.dissolve(self.file.geometries, [""] * len(self.file))[""]
        code, name, kind = self.province
        return self._put(Province, code, name, kind, shape)

    @functools.cached_property
    def province(self) -> tuple[str, str, str]:
        """Code, name and type of the province, if need be from another edition: they outlived 2025."""
        known = list(self.known[Province].values()) or list(
            self.session.scalars(sa.select(Province).order_by(Province.id).limit(1))
        )
        return (known[0].code, known[0].name, known[0].kind) if known else PROVINCE

    def _write_districts(self, province: Province) -> list[District | None]:
        """The district of each commune of the file, None where there are no districts."""
        keys = self._district_keys()
        if not any(keys):
            return [None] * len(keys)
        shapes = coverage.dissolve(self.file.geometries, keys)
        names = dict(zip(keys, self.file.district_names, strict=True))
        rows = {}
        for code, shape in sorted(shapes.items()):
            known = self.known[District].get(code)
            name = names[code] or (known.name if known else code)
            kind = columns.kind_of("", name) or (known.kind if known else "huyện")
            rows[code] = self._put(District, code, name, kind, shape, province_id=province.id)
        return [rows[key] for key in keys]

    def _district_keys(self) -> list[str]:
        """The district code of each commune: from the file, or else from the record."""
        home = {row.id: row.code for row in self.known[District].values()}
        recorded = {code: home.get(row.district_id, "") for code, row in self.communes.items()}
        keys = [
            stated or recorded.get(code, "")
            for code, stated in zip(self.file.codes, self.file.district_codes, strict=True)
        ]
        if not any(keys):
            return keys
        lost = [code for code, key in zip(self.file.codes, keys, strict=True) if not key]
        if lost:
            raise BoundaryError(
                "Không rõ các xã %(codes)s thuộc huyện nào; cột mã huyện để trống.", codes=some(lost)
            )
        different = sorted(set(keys) ^ set(home.values())) if home else []
        if different:
            raise BoundaryError(
                "Mã huyện trong tệp không khớp với các huyện của phiên bản %(edition)s (%(codes)s); "
                "hãy chỉ ra cột đúng bằng --map district_code=TÊN_CỘT.",
                edition=self.edition.code,
                codes=some(different),
            )
        return keys

    def _write_communes(self, province: Province, districts: Sequence[District | None]) -> None:
        file = self.file
        for at, code in enumerate(file.codes):
            known = self.communes.get(code)
            name = file.names[at] or (known.name if known else code)
            kind = file.kinds[at] or (known.kind if known else "xã")
            district = districts[at]
            links = {"province_id": province.id, "district_id": district.id if district else None}
            self._put(Commune, code, name, kind, file.geometries[at], **links)

    # ---- one unit

    def _put(self, model: Any, code: str, name: str, kind: str, geometry: Any, **links: int | None) -> Any:
        known = self.known[model]
        row = known.get(code)
        shape = orient([geometry])[0]
        values = {
            "name": name,
            "kind": kind,
            "geom": shape,
            "area_ha": round(float(area_ha(shape)), 4),
            "valid_from": self.edition.valid_from,
            "valid_to": self.edition.valid_to,
            "source": self.file.name,
            **links,
        }
        if row is None:
            row = known[code] = model(code=code, edition=self.edition.code, **values)
            row.search = row.search_parts()
            self.session.add(row)
            self.session.flush()
            self.added[model.__tablename__] += 1
            self._log(row, "insert", {}, _without_geometry(audit.snapshot(row)))
        else:
            self._change(row, values)
        return row

    def _change(self, row: Any, values: Mapping[str, Any]) -> None:
        different = {key: value for key, value in values.items() if getattr(row, key) != value}
        if not different:
            return
        if "name" in different:
            self.renamed.append(Renamed(row.code, row.name, different["name"]))
        before = {key: audit.plain(getattr(row, key)) for key in different}
        for key, value in different.items():
            setattr(row, key, value)
        row.search = row.search_parts()
        row.version += 1
        row.updated_at = now()
        self.changed[row.__tablename__] += 1
        after = {key: audit.plain(value) for key, value in different.items()}
        self._log(row, "update", before, _without_geometry(after))

    def _log(self, row: Any, action: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        audit.write(
            self.session,
            self.actor,
            SOURCE,
            row.__tablename__,
            row.id,
            action,
            before=before or None,
            after=after,
            reason=self.file.name,
        )

    # ---- bookkeeping

    def _whole_box(self) -> Box:
        shapes = [row.geom for row in self.communes.values() if row.geom is not None]
        west, south, east, north = shapely.total_bounds([*shapes, *self.file.geometries]).tolist()
        return west, south, east, north

    def _finish(self) -> None:
        self.session.flush()
        for table in self.added.keys() | self.changed.keys():
            touch(self.session, table, self.box)


def touch(session: Session, table: str, box: Box) -> None:
    """Raise the revision of a changed table and keep the contents of a GeoPackage true."""
    store.bump(session, table, box)
    if session.get_bind().dialect.name == "geopackage":
        store.refresh_extent(session, table)


def set_fact(session: Session, key: str, value: str) -> None:
    """Keep a fact about the record."""
    fact = session.scalar(sa.select(RecordFact).where(RecordFact.key == key))
    if fact is not None and fact.value == value:
        return
    if fact is None:
        fact = RecordFact(key=key)
        session.add(fact)
    fact.value = value
    store.bump(session, "record_facts")


def _without_geometry(values: dict[str, Any]) -> dict[str, Any]:
    """The row holds the new shape itself; the next change keeps it."""
    return {key: value for key, value in values.items() if key != "geom"}
