"""The pages of lot dossiers, asked by people of every role; nothing that was typed is lost when it is refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from data import people as office
from data.store import Store
from tests.services.test_lot_dossiers import Story
from tests.services.test_programme_pages import PASSWORD, send

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
def story(demo_store: Store) -> Story:
    return Story(demo_store)


@pytest.fixture
def signed_in(app: Any, demo_store: Store) -> Callable[..., FlaskClient]:
    def make(role: str, **facts: Any) -> FlaskClient:
        name = f"nguoi-{role}-{len(facts)}"
        office.add_person(demo_store, name, role, password=PASSWORD, **facts)
        client: FlaskClient = app.test_client()
        send(client, "/login", {"username": name, "password": PASSWORD})
        return client

    return make


@pytest.fixture
def owner(signed_in: Callable[..., FlaskClient], story: Story) -> FlaskClient:
    return signed_in("producer", producer_id=story.producer_id)


def new_lot(client: FlaskClient, story: Story, **values: Any) -> Any:
    page = f"/office/lots/new?product={story.product_id}"
    shown = client.get(page).get_data(as_text=True)
    proposed = re.search(r'name="lot_number"[^>]*value="([^"]+)"', shown)
    assert proposed is not None
    days = dict(re.findall(r'name="(produced_on|expires_on)"[^>]*value="([^"]+)"', shown))
    told = {"product": story.product_id, "lot_number": proposed[1], **days, "quantity": "100", "unit": "hộp",
            "packaging": "hộp 500 g"}  # fmt: skip
    return send(client, "/office/lots/new", {**told, **values}, page=page)


def test_a_producer_begins_records_releases_and_hands_out_a_lot(owner: FlaskClient, story: Story) -> None:
    answer = new_lot(owner, story)
    assert answer.status_code == 303
    lot = answer.headers["Location"]
    lot_id = int(lot.rsplit("/", 1)[1])
    assert "Còn" in owner.get(lot).get_data(as_text=True)
    early = send(owner, f"{lot}/release", {}, page=lot)
    assert early.status_code == 422 and "Chưa cho xuất xưởng được" in early.get_data(as_text=True)
    boiling = {"person": "Năm Thợ", "p:temperature": "98,5", "p:minutes": "12"}
    page = send(owner, f"{lot}/steps/boiling", boiling)
    assert page.status_code == 303
    story.complete(lot_id)
    shown = owner.get(lot).get_data(as_text=True)
    assert "Năm Thợ" in shown and "98,5" in shown
    assert send(owner, f"{lot}/release", {"remark": "đủ"}, page=lot).status_code == 303
    sent = {"customer": "Cửa hàng Minh Hoạ", "phone": "0290 111 222", "quantity": "10", "uom": "EA"}
    assert send(owner, f"{lot}/record/dispatch", sent).status_code == 303
    told = owner.get(f"/lots/{lot_id}/dossier.json").get_json()
    assert told["blocks"]["dispatch"][0]["facts"]["customer"] == "Cửa hàng Minh Hoạ"
    assert told["balance"]["onHand"] == 89 and told["lot"]["status"] == "released"
    schema = owner.get(f"/lots/{lot_id}/dossier.schema.json").get_json()
    for definition in schema["$defs"].values():
        jsonschema.Draft202012Validator.check_schema(definition)
    step = told["blocks"]["step"][0]["facts"]
    facts = {k: v for k, v in step.items() if k != "code"}
    jsonschema.validate(facts, schema["$defs"]["step/boiling"])
    rows = list(
        csv.DictReader(io.StringIO(owner.get(f"/lots/{lot_id}/dossier.csv").data.decode("utf-8-sig")))
    )
    assert {r["block"] for r in rows} >= {
        "identity",
        "input",
        "step",
        "test",
        "sample",
        "packing",
        "release",
        "dispatch",
    }


def test_nobody_outside_sees_buyers_or_the_dossier(
    owner: FlaskClient, signed_in: Callable[..., FlaskClient], client: FlaskClient, story: Story
) -> None:
    lot_id = story.open()
    story.complete(lot_id)
    story.release(lot_id)
    story.record(lot_id, "dispatch", customer="Bà Khách Kín", phone="0999", quantity=1.0, uom="EA")
    stranger = signed_in("producer", producer_id=story.producer_id + 1, territory=None)
    for address in (f"/office/lots/{lot_id}", f"/lots/{lot_id}/dossier.json", f"/lots/{lot_id}/dossier.csv",
                    f"/office/lots/{lot_id}/card.pdf", f"/office/lots/{lot_id}/record/dispatch"):  # fmt: skip
        assert stranger.get(address).status_code == 404
        assert client.get(address, headers={"Accept": "text/html"}).status_code in (302, 404)
    public = client.get(f"/lots/{lot_id}")
    assert "Bà Khách Kín" not in public.get_data(as_text=True)
    assert "Bà Khách Kín" in owner.get(f"/office/lots/{lot_id}").get_data(as_text=True)
    assert "Bà Khách Kín" in signed_in("inspector").get(f"/office/lots/{lot_id}").get_data(as_text=True)


def test_a_refused_form_keeps_what_was_typed_and_its_photo(owner: FlaskClient, story: Story) -> None:
    refused = new_lot(owner, story, lot_number="LÔ SỐ 1", shift="Ca đêm", quantity="7,5")
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422 and "LÔ SỐ 1" in text and "Ca đêm" in text and "7,5" in text
    lot_id = story.open()
    address = f"/office/lots/{lot_id}/record/test"
    test = {"report": "PKN-9", "laboratory": "Phòng A", "reportedOn": "2026-01-02", "t:moisture:value": "31",
            "t:moisture:limit": "≤ 20", "t:moisture:verdict": "conformant"}  # fmt: skip
    refused = send(owner, address, {**test, "file": (io.BytesIO(PIXEL), "phieu.png")})
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422 and "PKN-9" in text and "không đạt" in text
    ticket = re.search(r'name="file_ticket" value="([^"]+)"', text)
    assert ticket is not None
    again = {**test, "t:moisture:value": "19", "file_ticket": ticket[1]}
    assert send(owner, address, again).status_code == 303
    found = story.dossier(lot_id).of("test")[0]
    assert found.file is not None and found.values["reportSha256"] == found.file["sha256"]
    picture = owner.get(f"/office/lots/{lot_id}/files/{found.file['sha256']}")
    assert picture.data == PIXEL and picture.mimetype == "image/png"
    assert owner.get(f"/office/lots/{lot_id}/files/{'0' * 64}").status_code == 404
    forged = {**test, "report": "PKN-10", "t:moisture:value": "19", "file_ticket": ticket[1][:-3] + "xyz"}
    send(owner, address, forged)
    assert story.dossier(lot_id).of("test")[-1].file is None


def test_an_entry_is_corrected_with_a_reason_and_both_are_shown(owner: FlaskClient, story: Story) -> None:
    lot_id = story.open()
    story.record(
        lot_id, "step", step="drying", person="An", parameters={"temperature": 600.0 / 10, "hours": 90.0}
    )
    row = story.dossier(lot_id).of("step")[0].row.id
    address = f"/office/lots/{lot_id}/entries/{row}/correct"
    assert 'value="90"' in owner.get(address).get_data(as_text=True)
    right = {"person": "An", "p:temperature": "60", "p:hours": "9"}
    assert send(owner, address, right).status_code == 422
    assert send(owner, address, {**right, "reason": "gõ thừa số 0"}).status_code == 303
    shown = owner.get(f"/office/lots/{lot_id}").get_data(as_text=True)
    assert 'class="wrong"' in shown and "đã đánh dấu sai" in shown
    identity = {"quantity": "120", "unit": "hộp", "productionDate": str(story.dossier(lot_id).lot.produced_on),
                "reason": "đếm lại"}  # fmt: skip
    assert send(owner, f"/office/lots/{lot_id}/identity", identity).status_code == 303
    assert story.dossier(lot_id).lot.quantity == 120


def test_a_form_sent_twice_is_kept_once(owner: FlaskClient, story: Story) -> None:
    lot_id = story.open()
    address = f"/office/lots/{lot_id}/steps/washing"
    entry = "5e3e2a54-0d0f-4e0e-9d5b-0f5b2d1c9a11"
    for _ in range(2):
        assert send(owner, address, {"person": "An", "entry": entry}).status_code == 303
    assert len(story.dossier(lot_id).of("step", "washing")) == 1


def test_the_next_form_is_filled_in_like_the_lot_before(owner: FlaskClient, story: Story) -> None:
    first = story.open("TK-10")
    story.record(
        first, "step", step="boiling", person="Chị Tư", parameters={"temperature": 97.0, "minutes": 11.0}
    )
    second = story.open("TK-11")
    shown = owner.get(f"/office/lots/{second}/steps/boiling").get_data(as_text=True)
    assert "Chị Tư" in shown and 'value="97"' in shown and "TK-10" in shown
    page = owner.get("/office/lots/new").get_data(as_text=True)
    assert f'value="{story.area_id}" checked' in page and "TK-11" in page


def test_the_card_has_a_code_for_each_step_and_the_list_prints(owner: FlaskClient, story: Story) -> None:
    lot_id = story.open()
    card = owner.get(f"/office/lots/{lot_id}/card.pdf")
    pages = PdfReader(io.BytesIO(card.data)).pages
    # A5 is 148 × 210 mm.
    assert [round(float(side) / 72 * 25.4) for side in pages[0].mediabox[2:]] == [148, 210]
    text = "".join(p.extract_text() for p in pages)
    assert "TK-01" in text and "Luộc" in text
    check = owner.get(f"/office/lots/{lot_id}/inspection.pdf")
    assert "Bảng kiểm".upper() in PdfReader(io.BytesIO(check.data)).pages[0].extract_text().upper()
    assert "TCVN 12850:2019" in owner.get(f"/office/lots/{lot_id}/inspection").get_data(as_text=True)


@pytest.mark.parametrize("role", ["province_officer", "planner", "inspector", "council_member", "producer"])
def test_every_role_opens_the_lists(signed_in: Callable[..., FlaskClient], story: Story, role: str) -> None:
    story.open()
    client = signed_in(role, producer_id=story.producer_id if role == "producer" else None)
    listed = client.get("/office/lots?q=tom kho")
    assert listed.status_code == 200 and client.get("/office/lots/calendar").status_code == 200
    assert ("TK-01" in listed.get_data(as_text=True)) == (role != "council_member")
    assert client.get("/office/lots?page=2&state=released").status_code == 200
    assert client.get("/office/lots/new").status_code == 200
    assert client.get("/office/lots/999999").status_code == 404
