"""The page that connects QGIS: addresses, and one's own keys made and revoked with a trace."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from data.accounts import add_account
from data.tables import AuditRow

PASSWORD = "mot-mat-khau-dai"


@pytest.fixture
def office(app, demo_store):  # type: ignore[no-untyped-def]
    """Sign people in, each in a browser of their own."""
    app.config["WTF_CSRF_ENABLED"] = False

    def sign_in(name: str):  # type: ignore[no-untyped-def]
        with demo_store.writing() as session:
            add_account(session, name, "province_officer", password=PASSWORD)
        browser = app.test_client()
        done = browser.post("/login", data={"username": name, "password": PASSWORD})
        assert done.status_code == 303
        return browser

    return sign_in


def test_the_page_is_for_those_who_signed_in(client) -> None:
    answer = client.get("/office/qgis", headers={"Accept": "text/html"})
    assert answer.status_code in (302, 401)
    assert client.post("/office/qgis/keys", data={"name": "x"}).status_code in (302, 400, 401)


def test_the_page_names_the_addresses_and_the_way_to_sign_in(office) -> None:
    page = office("lan").get("/office/qgis")
    for path in ("/ogc", "/wfs", "/wms"):
        assert f"http://localhost{path}" in page.text
    assert "/qgis/project.qgz" in page.text
    assert "<code>ocopmap</code>" in page.text and "<code>lan</code>" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_key_is_shown_once_works_and_stops_working_when_revoked(office, app, demo_store) -> None:
    browser = office("lan")
    made = browser.post("/office/qgis/keys", data={"name": "QGIS máy cơ quan"})
    assert made.status_code == 201
    key = re.search(r'<code id="new-key">(ocop_[^<]+)</code>', made.text)[1]
    listing = browser.get("/office/qgis").text
    assert key not in listing and "QGIS máy cơ quan" in listing

    def fields(text: str) -> set[str]:
        header = {"Authorization": f"Bearer {text}"}
        answer = app.test_client().get("/layers/growing_areas.geojson?limit=1", headers=header)
        return set(answer.json["features"][0]["properties"]) if answer.status_code == 200 else set()

    assert "owner_name" in fields(key)
    number = re.search(r"/office/qgis/keys/(\d+)/revoke", listing)[1]
    done = browser.post(f"/office/qgis/keys/{number}/revoke")
    assert done.status_code == 303
    assert fields(key) == set()
    assert "đã thu hồi" in browser.get("/office/qgis").text
    with demo_store.reading() as session:
        rows = session.scalars(
            sa.select(AuditRow).where(AuditRow.table_name == "api_keys").order_by(AuditRow.id)
        ).all()
        assert [(r.action, r.row_id) for r in rows[-2:]] == [("insert", int(number)), ("update", int(number))]
        assert rows[-1].actor == "lan" and "revoked_at" in rows[-1].after
        assert not any("key_hash" in (r.after or {}) for r in rows)


def test_a_key_needs_a_name_and_there_is_an_end_to_keys(office) -> None:
    browser = office("lan")
    for name in ("", "   ", "x" * 81):
        answer = browser.post("/office/qgis/keys", data={"name": name})
        assert answer.status_code == 422 and 'role="alert"' in answer.text
    for number in range(20):
        assert browser.post("/office/qgis/keys", data={"name": f"khóa {number}"}).status_code == 201
    assert browser.post("/office/qgis/keys", data={"name": "thêm"}).status_code == 422


def test_nobody_sees_or_revokes_the_key_of_another(office) -> None:
    lan, minh = office("lan"), office("minh")
    lan.post("/office/qgis/keys", data={"name": "khóa của Lan"})
    number = re.search(r"/office/qgis/keys/(\d+)/revoke", lan.get("/office/qgis").text)[1]
    assert "khóa của Lan" not in minh.get("/office/qgis").text
    refused = minh.post(f"/office/qgis/keys/{number}/revoke", headers={"Accept": "text/html"})
    assert refused.status_code == 422
    assert f"/office/qgis/keys/{number}/revoke" in lan.get("/office/qgis").text
