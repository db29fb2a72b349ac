"""Quality of geometry in the record: what is found, who may fix what, and what a fix does to rows and trail."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from data.accounts import SYSTEM, Actor, Role
from data.admin_units import Commune
from data.growing_areas import GrowingArea
from data.quality import QualityException
from data.store import Store
from data.tables import AuditRow
from gis.quality import Kind
from layers import catalogue
from layers.edit import Conflict, NotFound, editing
from layers.quality import exceptions, fixes
from layers.quality.check import caught_up, check_layer
from layers.quality.report import Finding, Report, rules_of
from layers.refusals import Invalid, NotAllowed
from services import jobs, quality

AREAS = catalogue.layer("growing_areas")
COMMUNES = catalogue.layer("communes")
METRE = 1 / 111_320


def square(lon: float, lat: float, east: float, north: float, width: float, height: float) -> shapely.Polygon:
    """A rectangle whose corner lies so many metres east and north of a place."""
    x, y = lon + east * METRE, lat + north * METRE
    return shapely.box(x, y, x + width * METRE, y + height * METRE)


def place(store: Store) -> tuple[float, float, int]:
    """A place inside a commune, far from its border and from every area."""
    with store.reading() as session:
        taken = shapely.union_all(list(session.scalars(sa.select(GrowingArea.geom))))
        for commune in session.scalars(sa.select(Commune).where(Commune.edition == "2020")):
            free = shapely.difference(shapely.buffer(commune.geom, -0.01), shapely.buffer(taken, 0.005))
            if shapely.area(free) > 1e-4:
                point = shapely.maximum_inscribed_circle(free).coords[0]
                return point[0], point[1], commune.id
    raise AssertionError("no free place")


def add(store: Store, shape: Any, **more: Any) -> int:
    with editing(store, SYSTEM, "test") as edits:
        return edits.insert(AREAS, {"name": "Vùng thử", "crop": "rice", **more}, shape)


def look(store: Store, layer: Any = AREAS) -> Report:
    with store.reading() as session:
        return check_layer(session, layer, rules_of(layer))


def of_kind(report: Report, kind: Kind, *ids: int) -> Finding:
    found = [f for f in report.findings if f.kind == kind and set(ids) <= set(f.ids)]
    assert len(found) == 1, report.findings
    return found[0]


def versions(store: Store, finding: Finding) -> dict[int, int]:
    with store.reading() as session:
        return {m.id: m.version for m in fixes.members(session, AREAS, SYSTEM, finding) if m.version}


def offered(store: Store, finding: Finding, actor: Actor = SYSTEM) -> list[fixes.Fix]:
    with store.reading() as session:
        return fixes.offers(session, AREAS, actor, finding)


def test_the_demonstration_province_has_no_errors(demo_store: Store) -> None:
    for layer in ("growing_areas", "craft_villages", "communes", "districts", "provinces"):
        report = look(demo_store, catalogue.layer(layer))
        assert report.rows > 0 and not report.has_errors


def test_an_overlap_is_trimmed_from_the_later_row_with_one_audit_reason(demo_store: Store) -> None:
    lon, lat, _ = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100))
    second = add(demo_store, square(lon, lat, 90, 0, 100, 100))
    finding = of_kind(look(demo_store), Kind.OVERLAP, first, second)
    choices = offered(demo_store, finding)
    assert [(c.action, c.target) for c in choices] == [("trim", second), ("trim", first)]
    assert choices[0].change_m2 == pytest.approx(-finding.area_m2, rel=1e-6)
    fixes.apply(demo_store, SYSTEM, AREAS, finding, "trim", second, versions(demo_store, finding))
    report = look(demo_store)
    assert not [f for f in report.findings if first in f.ids and f.is_error]
    with demo_store.reading() as session:
        trail = session.scalars(
            sa.select(AuditRow).where(AuditRow.table_name == "growing_areas", AuditRow.row_id == second)
        ).all()
        row = session.get(GrowingArea, second)
        assert row is not None and row.area_ha == pytest.approx(choices[0].after_ha, abs=1e-4)
    assert [t.action for t in trail] == ["insert", "update"]
    assert trail[-1].reason and "Chồng lấn" in trail[-1].reason and trail[-1].batch_id is not None


def test_a_fix_is_refused_when_a_neighbour_changed_since_the_preview(demo_store: Store) -> None:
    lon, lat, _ = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100))
    second = add(demo_store, square(lon, lat, 90, 0, 100, 100))
    finding = of_kind(look(demo_store), Kind.OVERLAP, first, second)
    seen = versions(demo_store, finding)
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.update(AREAS, first, {"name": "Tên khác"})
    with pytest.raises(Conflict):
        fixes.apply(demo_store, SYSTEM, AREAS, finding, "trim", second, seen)


def test_a_narrow_gap_is_snapped_shut(demo_store: Store) -> None:
    lon, lat, _ = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100))
    second = add(demo_store, square(lon, lat, 100.5, 0, 100, 100))
    finding = of_kind(look(demo_store), Kind.NARROW_GAP, first, second)
    assert finding.width_m == pytest.approx(0.5, rel=0.02)
    choice = offered(demo_store, finding)[0]
    assert choice.action == "fill" and choice.change_m2 == pytest.approx(finding.area_m2, rel=0.01)
    fixes.apply(demo_store, SYSTEM, AREAS, finding, "fill", choice.target, versions(demo_store, finding))
    assert not [f for f in look(demo_store).findings if {first, second} & set(f.ids)]


def test_what_sticks_out_of_the_commune_is_cut(demo_store: Store) -> None:
    with demo_store.reading() as session:
        commune = session.scalars(sa.select(Commune).where(Commune.edition == "2020")).first()
        assert commune is not None
        largest = max(shapely.get_parts(commune.geom), key=lambda p: p.area)
    edge = shapely.Point(largest.exterior.coords[0])
    inside = shapely.intersection(shapely.buffer(edge, 0.003), largest)
    row = add(demo_store, shapely.union(inside, shapely.buffer(edge, 0.0005)))
    report = look(demo_store)
    finding = next(f for f in report.findings if f.kind == Kind.OUTSIDE and f.ids == (row,))
    cut = next(f for f in offered(demo_store, finding) if f.action == "cut")
    assert cut.change_m2 == pytest.approx(-finding.area_m2, rel=1e-4)
    fixes.apply(demo_store, SYSTEM, AREAS, finding, "cut", row, versions(demo_store, finding))
    assert not [f for f in look(demo_store).findings if f.kind == Kind.OUTSIDE and f.ids == (row,)]


def test_only_a_duplicate_that_says_nothing_of_its_own_may_be_deleted(demo_store: Store) -> None:
    lon, lat, _ = place(demo_store)
    shape = square(lon, lat, 0, 0, 100, 100)
    first = add(demo_store, shape, households=5)
    copy = add(demo_store, shape)
    finding = of_kind(look(demo_store), Kind.DUPLICATE, first, copy)
    assert [(f.action, f.target) for f in offered(demo_store, finding)] == [("delete", copy)]
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.update(AREAS, copy, {"households": 7})
    assert offered(demo_store, of_kind(look(demo_store), Kind.DUPLICATE, first, copy)) == []
    with pytest.raises(NotFound):
        fixes.apply(demo_store, SYSTEM, AREAS, finding, "delete", copy, versions(demo_store, finding))


def test_officers_see_faults_that_touch_their_territory_and_fix_only_their_rows(demo_store: Store) -> None:
    lon, lat, home = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100))
    second = add(demo_store, square(lon, lat, 90, 0, 100, 100))
    with demo_store.reading() as session:
        other = session.scalar(sa.select(Commune.id).where(Commune.edition == "2020", Commune.id != home))
    own = Actor(Role.COMMUNE_OFFICER, commune_id=home)
    stranger = Actor(Role.COMMUNE_OFFICER, commune_id=other)
    report = look(demo_store)
    finding = of_kind(report, Kind.OVERLAP, first, second)
    with demo_store.reading() as session:
        assert finding in exceptions.touching(session, AREAS, own, report.findings)
        assert finding not in exceptions.touching(session, AREAS, stranger, report.findings)
    assert offered(demo_store, finding, own) and not offered(demo_store, finding, stranger)
    assert not offered(demo_store, finding, Actor(Role.PLANNER))
    with pytest.raises(NotFound):
        fixes.apply(demo_store, stranger, AREAS, finding, "trim", second, versions(demo_store, finding))
    with pytest.raises(NotAllowed):
        exceptions.accept(demo_store, stranger, AREAS, finding, "không phải việc của tôi")


def test_an_accepted_fault_stays_accepted_until_it_changes(demo_store: Store) -> None:
    lon, lat, _ = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100))
    second = add(demo_store, square(lon, lat, 90, 0, 100, 100))
    finding = of_kind(look(demo_store), Kind.OVERLAP, first, second)
    with pytest.raises(Invalid):
        exceptions.accept(demo_store, SYSTEM, AREAS, finding, "  ")
    exceptions.accept(demo_store, SYSTEM, AREAS, finding, "Lúa xen tôm theo mùa")
    with demo_store.reading() as session:
        assert exceptions.accepted(session, AREAS, look(demo_store).findings)[finding.key].reason
        number = session.scalar(sa.select(QualityException.id))
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.update(AREAS, second, {}, square(lon, lat, 60, 0, 100, 100))
    with demo_store.reading() as session:
        assert exceptions.accepted(session, AREAS, look(demo_store).findings) == {}
    assert number is not None
    exceptions.withdraw(demo_store, SYSTEM, AREAS, number)
    with demo_store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(QualityException)) == 0


def test_a_report_catches_up_with_edits_as_if_made_anew(demo_store: Store) -> None:
    old = look(demo_store)
    lon, lat, _ = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100), declared_area_ha=9)
    add(demo_store, square(lon, lat, 90, 0, 100, 100))
    add(demo_store, square(lon, lat, 0, 100.4, 100, 100))
    with demo_store.reading() as session:
        once = caught_up(session, AREAS, old)
    assert once is not None and keys(once) == keys(look(demo_store)) != keys(old)
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.delete(AREAS, first)
    with demo_store.reading() as session:
        twice = caught_up(session, AREAS, once)
    assert twice is not None and keys(twice) == keys(look(demo_store)) != keys(once)
    assert twice.rows == look(demo_store).rows


def keys(report: Report) -> list[tuple[str, tuple[int, ...], float]]:
    return sorted((f.kind.value, f.ids, round(f.area_m2, 3)) for f in report.findings)


def test_a_big_layer_is_checked_by_a_job(
    app: Any, demo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "BIG", 10)
    store = app.extensions["ocop_store"]
    with app.test_request_context(), store.reading() as session:
        assert quality.present(store, session, AREAS, rules_of(AREAS)) is None
        key = quality.order(store, SYSTEM, AREAS, rules_of(AREAS))
        job = jobs.run_now(store, key)
        assert job.state == "done" and job.result and job.result["rows"] == 1883
    with store.reading() as session:
        report = quality.present(store, session, AREAS, rules_of(AREAS))
    assert report is not None and report.rows == 1883


# ---- pages


def signed(app: Any, header_of: Callable[..., dict[str, str]], role: str, **more: Any) -> Any:
    """A browser in which an account of a role signed in."""
    app.config["WTF_CSRF_ENABLED"] = False
    client, header = app.test_client(), header_of(role, **more)
    name = base64.b64decode(header["Authorization"].split()[1]).decode().partition(":")[0]
    done = client.post("/login", data={"username": name, "password": "mot-mat-khau-dai"})
    assert done.status_code == 303
    return client


def test_the_pages_list_a_fault_and_fix_it(app: Any, demo_store: Store, header_of: Any) -> None:
    lon, lat, _ = place(demo_store)
    first = add(demo_store, square(lon, lat, 0, 0, 100, 100))
    second = add(demo_store, square(lon, lat, 90, 0, 100, 100))
    client = signed(app, header_of, "province_officer")
    assert client.get("/office/quality").status_code == 200
    page = client.get("/office/quality/growing_areas?kind=overlap")
    link = re.search(r'href="(/office/quality/growing_areas/[0-9a-f]{12})[^"]*"', page.text)
    assert link
    fault = client.get(link[1])
    assert "fault-drawing" in fault.text and f'value="trim:{second}"' in fault.text
    form = {"fix": f"trim:{second}", f"version-{first}": 1, f"version-{second}": 1}
    stale = client.post(f"{link[1]}/fix", data={**form, f"version-{first}": 9})
    assert stale.status_code == 409 and "người khác sửa" in stale.text
    assert client.post(f"{link[1]}/fix", data=form).status_code == 303
    assert client.get(link[1]).status_code == 404
    assert "overlap" not in client.get("/office/quality/growing_areas").text


def test_a_fault_is_accepted_and_taken_back_on_its_page(app: Any, demo_store: Store, header_of: Any) -> None:
    lon, lat, _ = place(demo_store)
    add(demo_store, square(lon, lat, 0, 0, 100, 100))
    add(demo_store, square(lon, lat, 90, 0, 100, 100))
    client = signed(app, header_of, "province_officer")
    page = client.get("/office/quality/growing_areas?kind=overlap")
    link = re.search(r'href="(/office/quality/growing_areas/[0-9a-f]{12})[^"]*"', page.text)
    assert link
    short = client.post(f"{link[1]}/accept", data={"reason": "x"})
    assert short.status_code == 422 and "ghi rõ lý do" in short.text
    kept = client.post(f"{link[1]}/accept", data={"reason": "Lúa xen tôm"})
    assert kept.status_code == 303
    shown = client.get(link[1])
    assert "Lúa xen tôm" in shown.text and "/fix" not in shown.text
    number = re.search(r'name="exception" value="(\d+)"', shown.text)
    assert number
    assert client.post(f"{link[1]}/withdraw", data={"exception": number[1]}).status_code == 303
    assert "/fix" in client.get(link[1]).text


def test_the_public_and_producers_see_no_quality_pages(app: Any, header_of: Any) -> None:
    assert app.test_client().get("/office/quality").status_code in (302, 303)
    client = signed(app, header_of, "producer", producer_id=1)
    for path in (
        "/office/quality",
        "/office/quality/growing_areas",
        "/office/quality/growing_areas/0123456789ab",
    ):
        assert client.get(path).status_code == 403
    officer = signed(app, header_of, "inspector")
    assert officer.get("/office/quality/products").status_code == 404
    assert officer.get("/office/quality/nothing").status_code == 404
    assert officer.get("/office/quality/growing_areas/0123456789ab?kind=%27&page=x").status_code == 404
