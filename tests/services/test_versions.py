"""What a row held at a version, and which of many rows somebody sees and may edit."""

from __future__ import annotations

import pytest
import shapely
import sqlalchemy as sa

from data.accounts import PUBLIC, Actor, Role
from data.store import Store
from layers import catalogue, read
from layers.edit import editable_ids, editing
from layers.history import restore, state_at, story_of

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
FIRST, SECOND = shapely.box(105, 9, 105.01, 9.01), shapely.box(105, 9, 105.02, 9.01)


def changed_twice(store: Store) -> int:
    with editing(store, OFFICER, "web") as edits:
        row_id = edits.insert(AREAS, {"name": "Vùng A", "crop": "rice", "households": 7}, FIRST)
    with editing(store, OFFICER, "web") as edits:
        edits.update(AREAS, row_id, {"name": "Vùng B"}, SECOND)
    with editing(store, OFFICER, "web") as edits:
        edits.update(AREAS, row_id, {"households": None})
    return row_id


def test_every_version_is_what_was_saved(demo_store: Store) -> None:
    row_id = changed_twice(demo_store)
    with demo_store.reading() as session:
        one, two, three = (state_at(session, AREAS, row_id, version) for version in (1, 2, 3))
        assert one and two and three
        assert [s["name"] for s in (one, two, three)] == ["Vùng A", "Vùng B", "Vùng B"]
        assert [s["households"] for s in (one, two, three)] == [7, 7, None]
        assert shapely.equals(one["geom"], FIRST) and shapely.equals(three["geom"], SECOND)
        assert state_at(session, AREAS, row_id, 4) is None
        assert state_at(session, AREAS, row_id, 0) is None
        assert state_at(session, AREAS, 10**9, 1) is None


def test_a_version_from_before_a_deletion_is_still_known_when_the_row_is_back(demo_store: Store) -> None:
    row_id = changed_twice(demo_store)
    with editing(demo_store, OFFICER, "web") as edits:
        edits.delete(AREAS, row_id)
    with demo_store.reading() as session:
        assert state_at(session, AREAS, row_id, 1) is None
        newest = story_of(session, AREAS, row_id, OFFICER).changes[0]
    restore(demo_store, AREAS, row_id, newest.id, OFFICER)
    with demo_store.reading() as session:
        state = state_at(session, AREAS, row_id, 1)
        assert state is not None and state["name"] == "Vùng A"


def test_versions_and_rights_of_many_rows_are_those_of_each(demo_store: Store) -> None:
    row_id = changed_twice(demo_store)
    with demo_store.reading() as session:
        table = AREAS.model.__table__
        kept = dict(session.execute(sa.select(table.c.id, table.c.version)).all())
        ids = [*kept, 10**9]
        assert read.versions(session, AREAS, ids, OFFICER) == kept
        assert kept[row_id] == 3
        commune = session.scalar(
            sa.select(table.c.commune_id).where(table.c.commune_id.is_not(None)).limit(1)
        )
        home = set(session.scalars(sa.select(table.c.id).where(table.c.commune_id == commune)))
        local = Actor(role=Role.COMMUNE_OFFICER, name="Cán bộ xã", commune_id=commune)
        assert editable_ids(session, AREAS, ids, OFFICER) == set(kept)
        assert editable_ids(session, AREAS, ids, local) == home
        assert editable_ids(session, AREAS, ids, PUBLIC) == set()
        with pytest.raises(read.ReadError):
            read.versions(session, AREAS, ids, PUBLIC)
