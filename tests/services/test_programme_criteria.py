"""Editions as pages, corrected revisions, and the self-check, asked by people of several roles."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from data import people as office
from data.accounts import Actor, Role
from data.programme import criteria, dossiers, guidance, participations, revisions
from data.programme.criteria import CriteriaError
from data.programme.tables import Dossier
from data.store import Store
from tests.services import programme as play
from tests.services.conftest import PASSWORD
from tests.services.test_programme_pages import send

ADMINISTRATOR = Actor(role=Role.ADMINISTRATOR, name="Quản trị")
PAGE = "/programme/criteria/2026/8"


@pytest.fixture
def signed_in(app: Any, demo_store: Store) -> Callable[..., FlaskClient]:
    def make(role: str, **facts: Any) -> FlaskClient:
        office.add_person(demo_store, f"nguoi-{role}", role, password=PASSWORD, **facts)
        client: FlaskClient = app.test_client()
        send(client, "/login", {"username": f"nguoi-{role}", "password": PASSWORD})
        return client

    return make


def label_of(number: int, code: str, place: int) -> str:
    return criteria.edition("2026").set(number).criteria[code].options[place].label


def test_editions_are_shown_with_decrees_validity_doubts_and_the_crosswalk(
    signed_in: Callable[..., FlaskClient],
) -> None:
    text = signed_in("producer").get("/programme/criteria").get_data(as_text=True)
    for shown in ("1048/QĐ-TTg", "26/2026/QĐ-TTg", "22/5/2026", "nghi vấn", "đã sửa bản chép", "gộp", "tách"):
        assert shown in text, shown
    assert "không dùng chấm" in text


def test_the_crosswalk_names_every_set_of_both_editions() -> None:
    passages = guidance.crosswalk()
    for name, numbers in (("2019", [p.former for p in passages]), ("2026", [p.present for p in passages])):
        assert {s.number for s in criteria.edition(name).sets} == {n for n in numbers if n is not None}
    merged = [p for p in passages if p.present == 21]
    assert {p.type for p in merged} == {"merge"} and len(merged) == 2
    assert [p.present for p in passages if p.former == 22] == [None]


def test_guidance_stands_at_the_criterion_whose_level_it_names() -> None:
    tea = criteria.edition("2019").set("Chè tươi, chế biến")
    for code, hints in guidance.hints("2019", tea).items():
        labels = {re.sub(r"\W+", "", o.label.lower()) for o in tea.criteria[code].options}
        named = [re.sub(r"\W+", "", h.level.lower()) for h in hints if h.level]
        close = [n for n in named if any(n[:18] in label or label[:18] in n for label in labels)]
        assert len(close) >= len(named) * 0.6, (code, named, labels)
    assert "9" in guidance.hints("2019", tea)
    assert guidance.hints("2026", criteria.edition("2026").set(8)) == {}
    assert guidance.hints("2019", criteria.edition("2019").set(8)) == {}


def test_a_set_is_shown_whole(signed_in: Callable[..., FlaskClient]) -> None:
    client = signed_in("producer")
    text = client.get(PAGE).get_data(as_text=True)
    one = criteria.edition("2026").set(8)
    for code, criterion in one.criteria.items():
        assert f'id="c-{code}"' in text, code
        assert criterion.name.replace("&", "&amp;") in text
    assert "tối thiểu cho 3 sao" in text and "phụ thuộc" in text
    assert client.get(f"{PAGE}.json").get_json()["number"] == 8
    assert client.get("/programme/criteria/2026/99").status_code == 422


def test_an_administrator_corrects_a_label_and_old_dossiers_keep_theirs(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    people = play.cast(demo_store)
    key = play.to_commune(people)
    client = signed_in("administrator")
    form = f"{PAGE}/revise"
    values = {"l:1.2:0": "Lời đã sửa", "reason": "", "valid_from": "2026-06-10"}
    refused = send(client, form, values)
    assert refused.status_code == 422 and "lý do" in refused.get_data(as_text=True)
    assert "Lời đã sửa" in refused.get_data(as_text=True)
    published = send(client, form, {**values, "reason": "Sai chính tả"})
    assert published.status_code == 303
    text = client.get(published.headers["Location"]).get_data(as_text=True)
    assert "<ins>Lời đã sửa</ins>" in text and label_of(8, "1.2", 0) in text
    assert "Sai chính tả" in text
    with demo_store.reading() as session:
        begun = revisions.dossiers_by_revision(session, "2026", 8)
        assert 1 not in begun and f"{begun[0]} hồ sơ" in text
        old = session.get_one(Dossier, key)
        assert dossiers.product_set(session, old).criteria["1.2"].options[0].label == label_of(8, "1.2", 0)
        assert revisions.latest(session, "2026", 8, play.TODAY) == 0
        assert revisions.latest(session, "2026", 8, play.TODAY.replace(day=10)) == 1


def test_points_that_break_the_sum_are_refused(signed_in: Callable[..., FlaskClient]) -> None:
    client = signed_in("administrator")
    one = criteria.edition("2026").set(8).criteria["1.2"]
    best = max(range(len(one.options)), key=lambda n: one.options[n].points)
    values = {f"p:1.2:{best}": "99", "reason": "Thử"}
    answer = send(client, f"{PAGE}/revise", values)
    assert answer.status_code == 422 and "các tiêu chí cộng được" in answer.get_data(as_text=True)
    answer = send(client, f"{PAGE}/revise", {"p:1.2:0": "nhiều", "reason": "Thử"})
    assert "không phải số điểm" in answer.get_data(as_text=True)


def test_a_set_is_uploaded_as_json_and_nonsense_refused(signed_in: Callable[..., FlaskClient]) -> None:
    client = signed_in("administrator")
    document = client.get(f"{PAGE}.json").get_json()
    document["parts"][0]["sections"][0]["criteria"][0]["name"] = "Nguồn nguyên liệu (đính chính)"

    def upload(content: bytes) -> Any:
        file = (io.BytesIO(content), "set.json")
        return send(client, f"{PAGE}/revise", {"reason": "Tên", "file": file})

    assert upload(json.dumps(document).encode()).status_code == 303
    assert "(đính chính)" in client.get(PAGE).get_data(as_text=True)
    broken = json.loads(json.dumps(document))
    broken["parts"][0]["sections"][0]["criteria"][0]["options"][0]["points"] = "ba"
    for content in (b"{", b"[]", json.dumps({**document, "number": 9}).encode(), json.dumps(broken).encode(),
                    json.dumps({"number": 8}).encode()):  # fmt: skip
        answer = upload(content)
        assert answer.status_code == 422 and 'role="alert"' in answer.get_data(as_text=True)


def test_nobody_else_publishes(signed_in: Callable[..., FlaskClient], demo_store: Store) -> None:
    client = signed_in("province_officer")
    assert client.get(f"{PAGE}/revise").status_code == 422
    with demo_store.writing() as session, pytest.raises(CriteriaError):
        officer = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ")
        revisions.publish(session, officer, "2026", criteria.set_document("2026", 8), "x", play.TODAY)


def test_the_self_check_counts_as_the_engine_does(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    client = signed_in("producer")
    with demo_store.reading() as session:
        before = session.query(Dossier).count()
    choices = play.best_choices("2026", 8, c2_3=1)
    values = {"set": 8, **{f"c:{code}": index for code, index in choices.items()}}
    told = send(client, "/programme/self-check.json", values, page="/programme/self-check?set=8").get_json()
    assert (told["average"], told["band"], told["ceiling"], told["stars"]) == (99, 5, 3, 3)
    assert [b["criterion"] for b in told["blockers"]] == ["2.3"]
    assert [s["criterion"] for s in told["next_star"]] == ["2.3"]
    page = send(client, "/programme/self-check", values, page="/programme/self-check?set=8")
    text = page.get_data(as_text=True)
    assert "99 điểm" in text and "dự kiến 3 sao" in text and "2.3" in text
    wrong = send(
        client, "/programme/self-check.json", {"set": 8, "c:9.99": 1}, page="/programme/self-check?set=8"
    )
    assert wrong.status_code == 422 and "9.99" in wrong.get_json()["sentence"]
    with demo_store.reading() as session:
        assert session.query(Dossier).count() == before


def test_the_self_check_uses_the_corrected_set(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    document = criteria.set_document("2026", 8)
    document = json.loads(json.dumps(document))
    document["parts"][0]["sections"][0]["criteria"][1]["options"][0]["label"] = "Mức đính chính"
    with demo_store.writing() as session:
        revisions.publish(session, ADMINISTRATOR, "2026", document, "x", play.TODAY)
    assert "Mức đính chính" in signed_in("producer").get("/programme/self-check?set=8").get_data(as_text=True)


def test_a_dossier_of_2019_shows_the_papers_for_each_level(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    people = play.cast(demo_store)
    with demo_store.writing() as session:
        row = participations.register(session, people.producer, people.product_id, 2026)
        for to in ("plan", "carrying_out", "preparing"):
            participations.move(session, people.producer, row.id, to)
        dossier = dossiers.open_dossier(session, people.producer, row.id, "first", 8, play.TODAY)
        dossier.edition, dossier.set_number, key = "2019", 1, dossier.id
    text = signed_in("province_officer").get(f"/programme/dossiers/{key}").get_data(as_text=True)
    assert "Minh chứng thường dùng" in text and "Hợp đồng và hóa đơn chứng minh" in text
