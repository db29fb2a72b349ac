"""Short pages that are kept in memory are those of the caller's audience and of the record as it stands."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.growing_areas import GrowingArea
from data.store import bump
from services import caching, context

PAGE = "/ogc/collections/growing_areas/items?f=json&limit=5&properties=name"


def first_id(features: list[dict[str, Any]]) -> int:
    return int(str(features[0]["id"]).rsplit(".", 1)[1])


def change(store: Any, row_id: int, **values: Any) -> None:
    with store.writing() as session:
        session.execute(sa.update(GrowingArea).where(GrowingArea.id == row_id).values(**values))
        bump(session, "growing_areas")


def test_a_page_that_an_officer_asked_for_is_not_given_to_the_public(client, demo_store, header_of) -> None:
    row_id = first_id(client.get(PAGE).json["features"])
    change(demo_store, row_id, status="draft")
    seen = client.get(PAGE, headers=header_of("province_officer")).json["features"]
    assert first_id(seen) == row_id
    for _ in range(2):
        assert first_id(client.get(PAGE).json["features"]) != row_id


def test_a_change_shows_in_the_next_answer(client, demo_store) -> None:
    before = client.get(PAGE).json["features"]
    assert client.get(PAGE).json["features"] == before
    change(demo_store, first_id(before), name="Vùng nuôi vừa đổi tên")
    assert client.get(PAGE).json["features"][0]["properties"]["name"] == "Vùng nuôi vừa đổi tên"


def test_a_kept_page_has_the_headers_of_the_first_answer_and_is_compressed_alike(client) -> None:
    first = client.get(PAGE, headers={"Accept-Encoding": "identity"})
    again = client.get(PAGE, headers={"Accept-Encoding": "identity"})
    for name in (
        "Content-Type",
        "Content-Crs",
        "OGC-NumberMatched",
        "ETag",
        "Cache-Control",
        "Content-Language",
    ):
        assert again.headers[name] == first.headers[name]
    assert again.data == first.data
    packed = client.get(PAGE, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    english = client.get(f"{PAGE}&lang=en").json["links"][0]["title"]
    assert english != first.json["links"][0]["title"]


def test_no_more_than_a_few_answers_are_kept(client, app) -> None:
    for number in range(caching.MOST_KEPT + 10):
        client.get(f"{PAGE}&v={number}")
    with app.app_context():
        kept = context.kept_answers()
    assert len(kept) == caching.MOST_KEPT
    assert max(len(body) for body, _ in kept.values()) <= caching.LARGEST_KEPT
