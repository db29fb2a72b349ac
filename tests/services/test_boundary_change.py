"""Changes of boundaries on the demonstration province, on both databases: applied, found again, taken back."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from data import integrity, lineage, people
from data.accounts import PUBLIC, SYSTEM, Account, Actor, Role
from data.admin_units import Commune, CommuneSuccession, District, Edition, edition_in_use
from data.boundaries import applying, changes, effects, outlines, undoing
from data.boundaries.errors import BoundaryError
from data.boundary_changes import BoundaryChange, ChangeState
from data.growing_areas import GrowingArea
from data.lineage import UnitError
from data.store import Store, revisions
from gis import coverage
from layers import catalogue
from layers.edit import NotAllowed, editing
from layers.search import search
from services import boundaries as waiting
from tests.conftest import PASSWORD, ROOT, environment_of, program

DAY = dt.date(2026, 11, 1)
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
TABLES = (
    "editions",
    "provinces",
    "districts",
    "communes",
    "commune_successions",
    "growing_areas",
    "craft_villages",
    "producers",
    "products",
    "sale_points",
    "lots",
    "accounts",
)


def contents(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of the tables that a change touches, without the marks of having been touched."""
    found = {}
    with store.reading() as session:
        for table in TABLES:
            rows = session.execute(sa.text(f"SELECT * FROM {table} ORDER BY id")).mappings()
            found[table] = [
                {
                    k: bytes(v) if isinstance(v, memoryview) else v
                    for k, v in row.items()
                    if k not in ("version", "updated_at")
                }
                for row in rows
            ]
    return found


def unit(session: Session, name: str) -> Commune:
    """The commune of a name in the edition in use."""
    query = sa.select(Commune).where(Commune.name == name, Commune.edition == edition_in_use(session))
    return session.scalars(query).one()


def ids(store: Store, *names: str) -> list[int]:
    with store.reading() as session:
        return [unit(session, name).id for name in names]


def draw_up(
    store: Store,
    kind: str,
    units: Sequence[int],
    *,
    names: Sequence[tuple[str, str]] = (),
    geometry: str | None = None,
    day: dt.date = DAY,
    decree: str = "01/NQ-HĐND",
) -> int:
    """A change with decree, outlines and names, previewed."""
    change_id = changes.begin(store, OFFICER, kind, units)
    changes.set_decree(
        store,
        OFFICER,
        change_id,
        decree=decree,
        decree_date=dt.date(2026, 10, 1),
        authority="Hội đồng nhân dân tỉnh",
        effective_on=day,
        note="",
        version=None,
    )
    if geometry is not None:
        with store.reading() as session:
            shapes = [row.geom for row in changes.units_of(session, units)]
        changes.set_outlines(store, OFFICER, change_id, outlines.from_geojson(geometry, shapes), version=None)
    with store.reading() as session:
        after = changes.find(session, change_id).units_after
    described = [
        {**unit, **({"code": names[at][0], "name": names[at][1]} if at < len(names) else {})}
        for at, unit in enumerate(after)
    ]
    changes.describe(store, OFFICER, change_id, described, version=None)
    applying.mark_previewed(store, OFFICER, change_id)
    return change_id


def line_across(store: Store, unit_id: int, *, lean: float = 0.003) -> str:
    """A line from south of a unit to north of it."""
    with store.reading() as session:
        west, south, east, north = session.get(Commune, unit_id).geom.bounds  # type: ignore[union-attr]
    middle = (west + east) / 2
    return shapely.to_geojson(shapely.LineString([(middle, south - 0.02), (middle + lean, north + 0.02)]))


def merge(store: Store, *names: str, called: tuple[str, str] | None = None, **more: Any) -> int:
    change_id = draw_up(store, "merge", ids(store, *names), names=[called] if called else [], **more)
    applying.apply(store, OFFICER, change_id, day=dt.date(2026, 12, 31))
    return change_id


def communes_by_rows(store: Store) -> dict[int, list[int]]:
    with store.reading() as session:
        found: dict[int, list[int]] = {}
        for row, commune in session.execute(sa.select(GrowingArea.id, GrowingArea.commune_id)):
            found.setdefault(commune, []).append(row)
        return found


def clean(store: Store) -> None:
    """Every edition is a clean coverage, districts are made of their communes, and nothing dangles."""
    with store.reading() as session:
        for edition in session.scalars(sa.select(Edition.code)):
            rows = session.scalars(sa.select(Commune).where(Commune.edition == edition)).all()
            if not rows:
                continue
            assert coverage.is_clean([row.geom for row in rows]), edition
            for district in session.scalars(sa.select(District).where(District.edition == edition)):
                own = [row.geom for row in rows if row.district_id == district.id]
                union = shapely.union_all(own)
                assert shapely.area(shapely.symmetric_difference(union, district.geom)) < 1e-12
            homes = set(session.scalars(sa.select(District.id).where(District.edition == edition)))
            assert {row.district_id for row in rows} == homes
    worst = [f for f in integrity.look_over(store) if f.verdict != integrity.Verdict.GOOD]
    assert not worst


# ---- what a change does


def test_a_merger_joins_ground_rows_and_history_and_leaves_others_alone(demo_store: Store) -> None:
    old = ids(demo_store, "Phường 9", "Phường 4")
    before, whole = communes_by_rows(demo_store), contents(demo_store)
    merge(demo_store, "Phường 9", "Phường 4", called=("31999", "Phường Tân Thành Mới"))
    with demo_store.reading() as session:
        new = unit(session, "Phường Tân Thành Mới")
        olds = [session.get(Commune, key) for key in old]
        assert shapely.equals(new.geom, shapely.union_all([row.geom for row in olds]))
        assert new.area_ha == pytest.approx(sum(row.area_ha for row in olds), abs=0.02)
        assert edition_in_use(session) == "2026-11-01" == new.edition
        assert [row.edition for row in olds] == ["2020", "2020"]
        links = session.scalars(sa.select(CommuneSuccession).where(CommuneSuccession.new_id == new.id)).all()
        assert {row.old_id for row in links} == set(old)
        assert all(row.share_of_old == pytest.approx(1) and row.decree == "01/NQ-HĐND" for row in links)
        assert sum(row.share_of_new for row in links) == pytest.approx(1)
        counts = dict(
            session.execute(sa.select(Commune.edition, sa.func.count()).group_by(Commune.edition)).all()
        )
        assert counts == {"2020": 101, "2026-11-01": 100}
        moved = {row for key in old for row in before[key]}
    after = communes_by_rows(demo_store)
    assert set(after[new.id]) == moved
    assert {k: v for k, v in before.items() if k not in old} == {
        k: v for k, v in after.items() if k != new.id
    }
    untouched = {r["id"]: r["geom"] for r in whole["communes"] if r["id"] not in old}
    assert untouched == {r["id"]: r["geom"] for r in contents(demo_store)["communes"] if r["id"] in untouched}
    clean(demo_store)


@pytest.mark.parametrize("kind", ["merge", "split", "border", "rename"])
def test_every_kind_of_change_is_taken_back_without_a_trace(demo_store: Store, kind: str) -> None:
    before = contents(demo_store)
    if kind in ("merge", "border"):
        units = (
            ids(demo_store, "Xã Thới Bình", "Xã Tân Phú")
            if kind == "merge"
            else ids(demo_store, "Phường 9", "Phường 4")
        )
    else:
        units = ids(demo_store, "Xã Thới Bình")
    geometry = None
    if kind == "split":
        geometry = line_across(demo_store, units[0])
    if kind == "border":
        with demo_store.reading() as session:
            shapes = [session.get(Commune, key).geom for key in units]  # type: ignore[union-attr]
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        geometry = shapely.to_geojson(
            shapely.LineString(
                [(west - 0.01, (south + north) / 2), (east + 0.01, (south + north) / 2 + 0.001)]
            )
        )
    names = {
        "split": [("32077", "Xã Thới Bình"), ("99901", "Xã Thới Bình Đông")],
        "rename": [("32077", "Xã Tên Mới")],
    }
    change_id = draw_up(demo_store, kind, units, names=names.get(kind, ()), geometry=geometry)
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    clean(demo_store)
    changed = contents(demo_store)
    assert changed["communes"] != before["communes"] and changed["growing_areas"] != before["growing_areas"]
    undoing.undo(demo_store, OFFICER, change_id)
    assert contents(demo_store) == before
    clean(demo_store)
    with demo_store.reading() as session:
        assert changes.find(session, change_id).state == ChangeState.UNDONE


def test_a_split_places_each_row_by_its_inner_point_and_flags_what_the_border_cuts(demo_store: Store) -> None:
    (old,) = ids(demo_store, "Xã Thới Bình")
    names = [("32077", "Xã Thới Bình"), ("99901", "Xã Thới Bình Đông")]
    change_id = draw_up(demo_store, "split", [old], names=names, geometry=line_across(demo_store, old))
    with demo_store.reading() as session:
        change = changes.find(session, change_id)
        shapes = changes.shapes_after(change)
        found = effects.effects(session, change)
        areas = {t.table: t for t in found.tables}["growing_areas"]
        rows = session.scalars(sa.select(GrowingArea).where(GrowingArea.commune_id == old)).all()
        expected = {r.id: int(shapely.contains(shapes[1], shapely.point_on_surface(r.geom))) for r in rows}
        crossed = {
            r.id
            for r in rows
            if min(shapely.area(shapely.intersection(r.geom, s)) for s in shapes) > 0.01 * r.geom.area
        }
        assert {move.row: move.new for move in areas.moves} == expected
        assert {move.row for move in areas.cut} == crossed and crossed
        for move in areas.cut:
            assert sum(share for _, share in move.shares) == pytest.approx(1)
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    with demo_store.reading() as session:
        new = [unit(session, name).id for _, name in names]
        kept = dict(
            session.execute(
                sa.select(GrowingArea.id, GrowingArea.commune_id).where(GrowingArea.id.in_(expected))
            ).all()
        )
        assert kept == {row: new[at] for row, at in expected.items()}
        audited = session.execute(
            sa.text(
                "SELECT count(*) FROM audit_rows WHERE table_name = 'growing_areas' AND batch_id IS NOT NULL"
            )
        ).scalar()
        assert audited == len(expected)


def test_a_unit_moved_to_another_district_draws_both_districts_anew(demo_store: Store) -> None:
    with demo_store.reading() as session:
        row = unit(session, "Xã Thới Bình")
        other = session.scalars(sa.select(District).where(District.name.like("%U Minh%"))).one()
        home, areas = row.district_id, {d.id: d.area_ha for d in session.scalars(sa.select(District))}
        moved, row_id, other_id = row.area_ha, row.id, other.id
    change_id = draw_up(demo_store, "rename", [row_id])
    with demo_store.reading() as session:
        described = [{**u, "district_id": other_id} for u in changes.find(session, change_id).units_after]
    changes.describe(demo_store, OFFICER, change_id, described, version=None)
    found = applying.mark_previewed(demo_store, OFFICER, change_id)
    assert {d.id for d in found.districts} == {home, other_id}
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    with demo_store.reading() as session:
        assert session.get(District, other_id).area_ha == pytest.approx(areas[other_id] + moved, rel=1e-6)
        assert session.get(District, home).area_ha == pytest.approx(areas[home] - moved, rel=1e-6)
    clean(demo_store)


# ---- finding what was


def test_old_names_and_codes_find_the_unit_of_today_through_several_changes(
    demo_store: Store, app: Any, client: FlaskClient
) -> None:
    merge(demo_store, "Phường 9", "Phường 4", called=("31999", "Phường Hợp Nhất"), decree="1/NQ")
    merge(
        demo_store,
        "Phường Hợp Nhất",
        "Phường 1",
        called=("32001", "Phường Cuối Cùng"),
        decree="2/NQ",
        day=dt.date(2026, 11, 15),
    )
    with demo_store.reading() as session:
        last = unit(session, "Phường Cuối Cùng")
        for query in ("32002", "Phường 4", "Phường Hợp Nhất"):
            hits = [h for h in search(session, query, PUBLIC, limit=40) if h.layer.id == "communes"]
            found = [h for h in hits if h.id == last.id]
            assert len(found) == 1 and "trước đây là Phường" in found[0].subtitle
            assert all(h.edition == last.edition for h in hits)
            assert len({h.id for h in hits}) == len(hits)
        assert lineage.current_unit(session, "32002").id == last.id  # type: ignore[union-attr]
        old = session.scalars(
            sa.select(Commune).where(Commune.code == "32002", Commune.edition == "2020")
        ).one()
        assert [step.old.name for step in lineage.steps_back(session, last.id)] == [
            "Phường Hợp Nhất",
            "Phường 1",
        ] or {step.old.name for step in lineage.steps_back(session, last.id)} == {
            "Phường Hợp Nhất",
            "Phường 1",
        }
        unchanged = unit(session, "Xã Thới Bình")
        assert lineage.steps_back(session, unchanged.id) == []
    page = client.get(f"/communes/{old.id}", headers={"Accept": "text/html"}).text
    assert "nay là" in page and f"/communes/{last.id}" in page and "Phường Cuối Cùng" in page
    page = client.get(f"/communes/{last.id}", headers={"Accept": "text/html"}).text
    assert "Trước đây là" in page and "Phường Hợp Nhất" in page
    answer = client.get("/units.json?code=32002").get_json()
    assert [(u["name"], u["in_use"]) for u in answer["units"]] == [("Phường 4", False)]
    assert [(n["code"], n["share"]) for n in answer["units"][0]["now"]] == [("32001", 1.0)]
    listed = client.get("/growing_areas?commune_code=32002", headers={"Accept": "text/html"}).text
    assert "Phường Cuối Cùng" in listed or "Không" in listed
    found = client.get("/search?q=32002", headers={"Accept": "application/json"}).get_json()["results"]
    assert found[0]["id"] == last.id


def test_a_code_that_is_used_again_names_both_units(demo_store: Store, client: FlaskClient) -> None:
    """32002 has meant three units in reality; here it is given to a second one."""
    merge(demo_store, "Phường 9", "Phường 4", called=("31999", "Phường Hợp Nhất"))
    (other,) = ids(demo_store, "Xã Thới Bình")
    change_id = draw_up(demo_store, "rename", [other], names=[("32002", "Xã Thới Bình")])
    with demo_store.reading() as session:
        remarks = effects.effects(session, changes.find(session, change_id)).remarks
        assert ["trước đây là mã của Phường 4" in str(remark) for remark in remarks] == [True]
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    found = client.get("/units.json?code=32002").get_json()["units"]
    assert [(u["name"], [n["name"] for n in u["now"]]) for u in found] == [
        ("Xã Thới Bình", ["Xã Thới Bình"]),
        ("Phường 4", ["Phường Hợp Nhất"]),
    ]


def test_a_split_unit_leads_to_several_with_shares_that_make_a_whole(
    demo_store: Store, client: FlaskClient
) -> None:
    (old,) = ids(demo_store, "Xã Thới Bình")
    names = [("99902", "Xã Thới Bình Tây"), ("99901", "Xã Thới Bình Đông")]
    change_id = draw_up(demo_store, "split", [old], names=names, geometry=line_across(demo_store, old))
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    found = client.get("/units.json?code=32077").get_json()["units"][0]["now"]
    assert {n["code"] for n in found} == {"99901", "99902"}
    assert sum(n["share"] for n in found) == pytest.approx(1, abs=1e-5)
    with demo_store.reading() as session:
        with pytest.raises(UnitError, match="99901"):
            lineage.current_unit(session, "32077")
        hits = {h.title: h.subtitle for h in search(session, "32077", PUBLIC) if h.layer.id == "communes"}
        assert set(hits) == {name for _, name in names}
        assert all("% diện tích Xã Thới Bình cũ" in subtitle for subtitle in hits.values())
    assert "đã được chia" in client.get(f"/communes/{old}", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("text", ["", "x" * 40])
def test_a_code_that_is_none_is_refused(client: FlaskClient, text: str) -> None:
    assert client.get(f"/units.json?code={text}").status_code == 400


# ---- officers


def test_officers_follow_a_merger_and_edit_the_new_unit(demo_store: Store) -> None:
    people.add_person(demo_store, "xa4", "commune_officer", password=PASSWORD, territory="32002")
    change_id = merge(demo_store, "Phường 9", "Phường 4")
    with demo_store.reading() as session:
        account = session.scalars(sa.select(Account).where(Account.username == "xa4")).one()
        new = changes.find(session, change_id).units_after[0]["id"]
        assert account.commune_id == new
        actor = account.actor()
        inside = session.scalar(sa.select(GrowingArea.id).where(GrowingArea.commune_id == new))
        outside = session.scalar(sa.select(GrowingArea.id).where(GrowingArea.commune_id != new))
    areas = catalogue.layer("growing_areas")
    with editing(demo_store, actor, "test") as edits:
        edits.update(areas, inside, {"variety": "của phường mới"})
    with pytest.raises(NotAllowed), editing(demo_store, actor, "test") as edits:
        edits.update(areas, outside, {"variety": "không được"})


def test_an_officer_of_a_split_unit_keeps_what_the_change_says(demo_store: Store) -> None:
    people.add_person(demo_store, "xa77", "commune_officer", password=PASSWORD, territory="32077")
    (old,) = ids(demo_store, "Xã Thới Bình")
    names = [("32077", "Xã Thới Bình"), ("99901", "Xã Thới Bình Đông")]
    change_id = draw_up(demo_store, "split", [old], names=names, geometry=line_across(demo_store, old))
    with demo_store.reading() as session:
        (officer,) = effects.effects(session, changes.find(session, change_id)).officers
        assert (officer.new, officer.choices) == (0, (0, 1))
    changes.choose_accounts(demo_store, OFFICER, change_id, {str(officer.account): 1}, version=None)
    applying.mark_previewed(demo_store, OFFICER, change_id)
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    with demo_store.reading() as session:
        assert session.get(Account, officer.account).commune_id == unit(session, "Xã Thới Bình Đông").id


def test_a_new_officer_named_by_an_old_code_gets_the_unit_of_today(demo_store: Store) -> None:
    change_id = merge(demo_store, "Phường 9", "Phường 4")
    people.add_person(demo_store, "moi", "commune_officer", password=PASSWORD, territory="32002")
    with demo_store.reading() as session:
        account = session.scalars(sa.select(Account).where(Account.username == "moi")).one()
        assert account.commune_id == changes.find(session, change_id).units_after[0]["id"]
    with pytest.raises(BoundaryError, match="moi"):
        undoing.undo(demo_store, OFFICER, change_id)


# ---- when, who, and what stands in the way


def test_a_scheduled_change_is_applied_on_its_day_and_not_before(demo_store: Store) -> None:
    units = ids(demo_store, "Phường 9", "Phường 4")
    change_id = draw_up(demo_store, "merge", units, day=dt.date(2027, 1, 1))
    with pytest.raises(BoundaryError, match="Chưa đến ngày"):
        applying.apply(demo_store, OFFICER, change_id, day=dt.date(2026, 12, 31))
    applying.schedule(demo_store, OFFICER, change_id)
    assert waiting.apply_due(demo_store, dt.date(2026, 12, 31)) == []
    assert waiting.apply_due(demo_store, dt.date(2027, 1, 1)) == [change_id]
    assert waiting.apply_due(demo_store, dt.date(2027, 1, 1)) == []
    with demo_store.reading() as session:
        assert edition_in_use(session) == "2027-01-01"
        edition = session.scalars(sa.select(Edition).where(Edition.code == "2027-01-01")).one()
        assert (edition.valid_from, edition.valid_to, edition.decree) == (
            dt.date(2027, 1, 1),
            None,
            "01/NQ-HĐND",
        )


def test_a_scheduled_change_whose_units_are_gone_waits_and_says_why(demo_store: Store) -> None:
    late = draw_up(demo_store, "merge", ids(demo_store, "Phường 4", "Phường 1"))
    applying.schedule(demo_store, OFFICER, late)
    merge(demo_store, "Phường 9", "Phường 4")
    before = contents(demo_store)
    assert waiting.apply_due(demo_store, dt.date(2026, 12, 1)) == []
    assert contents(demo_store) == before
    with demo_store.reading() as session:
        change = changes.find(session, late)
        assert change.state == ChangeState.SCHEDULED and "Phường 4" in change.failure
    applying.unschedule(demo_store, OFFICER, late)
    changes.discard(demo_store, OFFICER, late)


def test_the_command_line_applies_what_is_due(demo_store: Store, tmp_path: Any) -> None:
    change_id = draw_up(demo_store, "merge", ids(demo_store, "Phường 9", "Phường 4"), day=dt.date(2027, 1, 1))
    applying.schedule(demo_store, OFFICER, change_id)
    environment = environment_of(demo_store.url.render_as_string(hide_password=False), tmp_path)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            program("boundaries", *arguments), env=environment, capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Không có" in run("apply", "--date", "2026-12-31")
    assert f"số {change_id}" in run("apply", "--date", "2027-01-01")
    assert "đã áp dụng" in run("list")


def test_only_province_officers_and_administrators_may(
    demo_store: Store, app: Any, client: FlaskClient
) -> None:
    units = ids(demo_store, "Phường 9", "Phường 4")
    for role in set(Role) - {Role.PROVINCE_OFFICER, Role.ADMINISTRATOR}:
        with pytest.raises(changes.ChangeNotAllowed):
            changes.begin(demo_store, Actor(role=role), "merge", units)
    html = {"Accept": "text/html"}
    assert client.get("/office/boundaries/changes", headers=html).status_code in (302, 401)
    app.config["WTF_CSRF_ENABLED"] = False
    answers = {}
    for role in ("planner", "province_officer", "administrator"):
        people.add_person(demo_store, role, role, password=PASSWORD)
        browser = app.test_client()
        browser.post("/login", data={"username": role, "password": PASSWORD})
        paths = ("", "/new", "/99/preview")
        answers[role] = [
            browser.get(f"/office/boundaries/changes{p}", headers=html).status_code for p in paths
        ]
    assert answers["planner"] == [403, 403, 403]
    assert answers["province_officer"] == answers["administrator"] == [200, 200, 404]


@pytest.mark.parametrize(
    ("kind", "names", "sentence"),
    [
        ("merge", ["Phường 9"], "ít nhất hai"),
        ("split", ["Phường 9", "Phường 4"], "đúng một"),
        ("border", ["Phường 9"], "ít nhất hai"),
        ("nonsense", ["Phường 9"], "loại thay đổi"),
    ],
)
def test_a_wrong_choice_of_units_is_refused(
    demo_store: Store, kind: str, names: list[str], sentence: str
) -> None:
    with pytest.raises(BoundaryError, match=sentence):
        changes.begin(demo_store, OFFICER, kind, ids(demo_store, *names))


@pytest.mark.parametrize(
    ("code", "name", "sentence"),
    [
        ("31999", "", "chưa có tên"),
        ("123", "Phường Mới", "5 chữ số"),
        ("32077", "Phường Mới", "đang là mã của Xã Thới Bình"),
    ],
)
def test_a_name_or_code_that_cannot_be_stands_in_the_way(
    demo_store: Store, code: str, name: str, sentence: str
) -> None:
    before = contents(demo_store)
    change_id = draw_up(demo_store, "merge", ids(demo_store, "Phường 9", "Phường 4"), names=[(code, name)])
    with demo_store.reading() as session:
        blocking = effects.effects(session, changes.find(session, change_id)).blocking
        assert any(sentence in str(remark) for remark in blocking)
    with pytest.raises(BoundaryError):
        applying.apply(demo_store, OFFICER, change_id, day=DAY)
    assert contents(demo_store) == before


def test_outlines_that_leave_a_gap_stand_in_the_way_until_they_are_fitted(demo_store: Store) -> None:
    (old,) = ids(demo_store, "Xã Thới Bình")
    with demo_store.reading() as session:
        shape = session.get(Commune, old).geom  # type: ignore[union-attr]
    west, south, east, north = shape.bounds
    middle, strip = (west + east) / 2, 0.001
    halves = [
        shapely.intersection(shape, shapely.box(west, south, middle - strip, north)),
        shapely.intersection(shape, shapely.box(middle + strip, south, east, north)),
    ]
    text = shapely.to_geojson(shapely.GeometryCollection(halves))
    names = [("32077", "Xã Thới Bình"), ("99901", "Xã Thới Bình Đông")]
    change_id = draw_up(demo_store, "split", [old], names=names, geometry=text)
    with demo_store.reading() as session:
        faults = effects.effects(session, changes.find(session, change_id)).faults
        missing = shapely.difference(shape, shapely.union_all(halves))
        assert [fault.kind for fault in faults] == ["gap"] * len(shapely.get_parts(missing))
        assert sum(f.geometry.area for f in faults) == pytest.approx(missing.area, rel=0.01)
    changes.fit_outlines(demo_store, OFFICER, change_id, version=None)
    assert applying.mark_previewed(demo_store, OFFICER, change_id).blocking == []
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    clean(demo_store)


def test_a_stale_form_overwrites_nothing(demo_store: Store) -> None:
    change_id = draw_up(demo_store, "merge", ids(demo_store, "Phường 9", "Phường 4"))
    with pytest.raises(changes.ChangeConflict):
        changes.choose_units(
            demo_store, OFFICER, change_id, "merge", ids(demo_store, "Phường 9", "Phường 1"), version=1
        )


def test_rows_that_came_since_the_preview_ask_for_another_look(demo_store: Store) -> None:
    units = ids(demo_store, "Phường 9", "Phường 4")
    change_id = draw_up(demo_store, "merge", units)
    with demo_store.reading() as session:
        seen = effects.effects(session, changes.find(session, change_id)).fingerprint()
        point = shapely.point_on_surface(session.get(Commune, units[0]).geom)  # type: ignore[union-attr]
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.insert(catalogue.layer("growing_areas"), {"name": "Mới", "crop": "rice"}, point.buffer(0.0005))
    with pytest.raises(BoundaryError, match="xem lại"):
        applying.apply(demo_store, OFFICER, change_id, day=DAY, fingerprint=seen)


def test_a_change_is_not_taken_back_under_a_later_one_or_under_new_rows(demo_store: Store) -> None:
    first = merge(demo_store, "Phường 9", "Phường 4", called=("31999", "Phường Hợp Nhất"))
    second = merge(demo_store, "Xã Thới Bình", "Xã Tân Phú")
    with pytest.raises(BoundaryError, match="thay đổi sau trước"):
        undoing.undo(demo_store, OFFICER, first)
    undoing.undo(demo_store, OFFICER, second)
    with demo_store.reading() as session:
        point = shapely.point_on_surface(unit(session, "Phường Hợp Nhất").geom)
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.insert(catalogue.layer("growing_areas"), {"name": "Mới", "crop": "rice"}, point.buffer(0.0005))
    with pytest.raises(BoundaryError, match="Đã có 1 bản ghi"):
        undoing.undo(demo_store, OFFICER, first)


def test_every_layer_that_shows_units_gets_a_new_revision(demo_store: Store) -> None:
    change_id = draw_up(demo_store, "merge", ids(demo_store, "Phường 9", "Phường 4"))
    with demo_store.reading() as session:
        before = revisions(session)
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    with demo_store.reading() as session:
        after = revisions(session)
    for layer in catalogue.LAYERS:
        assert after[layer.table] > before[layer.table], layer.id


# ---- killed half-way

KILLED = """
import sys, time, datetime as dt
from data.accounts import SYSTEM
from data.boundaries import applying
from data.store import Store
finish = applying._Application._finish
def stop(self, new):
    finish(self, new)
    self.session.flush()
    print("ready", flush=True)
    time.sleep(60)
applying._Application._finish = stop
applying.apply(Store(sys.argv[1]), SYSTEM, int(sys.argv[2]), day=dt.date(2026, 12, 1))
"""


def test_a_killed_change_leaves_all_as_before_and_can_be_applied_again(demo_store: Store) -> None:
    change_id = draw_up(demo_store, "merge", ids(demo_store, "Phường 9", "Phường 4"))
    before = contents(demo_store)
    url = demo_store.url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, str(change_id)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=dict(os.environ),
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    assert contents(demo_store) == before
    with demo_store.reading() as session:
        assert session.get(BoundaryChange, change_id).state == ChangeState.PREVIEWED
    applying.apply(demo_store, OFFICER, change_id, day=DAY)
    clean(demo_store)
