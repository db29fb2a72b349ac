"""The public page of a lot: first what matters, everything that the law asks, nothing that is nobody's business."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import SYSTEM
from data.base import DRAFT
from data.growing_areas import GrowingArea
from data.programme.tables import Certificate
from data.store import Store
from data.traceability import blockevents, capture
from data.traceability.identifiers import public_path
from data.traceability.lots import Lot, LotGrowingArea
from data.traceability.tables import TraceItem
from gis.tilegrid import tiles_covering

BUYER, PHONE, STREET = "Nguyễn Thị Người Mua Kín", "0911 222 333", "Số 7 đường Không Ai Biết"
SUPPLIER, COMPLAINT, REMARK = "Hộ Ông Nguồn Kín", "bị mốc xanh cả hũ", "ghi chú nội bộ kín"
WORKER, PLACE_KEPT = "Trần Văn Thợ Kín", "Tủ lạnh số 9 kín"
SECRETS = (BUYER, PHONE, STREET, SUPPLIER, COMPLAINT, REMARK, WORKER, PLACE_KEPT, "4321.5")
LARGEST_BYTES = 60 * 1024


def bare_lot(session: Any, **more: Any) -> Lot:
    """A published, released, unexpired lot of whose way no event tells."""
    told = sa.select(TraceItem.lot_id).where(TraceItem.lot_id.is_not(None))
    areas = sa.select(LotGrowingArea.lot_id)
    query = sa.select(Lot).where(
        Lot.status == "published", Lot.id.not_in(told), Lot.id.in_(areas), Lot.lot_status == "released"
    )
    lot = session.scalars(query.order_by(Lot.id)).first()
    assert lot is not None
    lot.expires_on = dt.date(2030, 1, 1)
    for name, value in more.items():
        setattr(lot, name, value)
    session.flush()
    return lot


def told(store: Store, **more: Any) -> int:
    """Choose a lot and tell its whole way, with all that is secret in it; return its row."""
    with store.writing() as session:
        lot = bare_lot(session, note=REMARK, **more)
        at = dt.datetime(2026, 5, 4, 1, tzinfo=dt.UTC)
        number = 0

        def writing(**kw: Any) -> blockevents.Writing:
            nonlocal number
            number += 1
            entry = uuid.uuid5(uuid.NAMESPACE_URL, f"thu-{lot.id}-{number}")
            return blockevents.Writing(lot, at + dt.timedelta(days=number), entry, **kw)

        facts = {"lotNumber": lot.lot_number, "productionDate": "2026-05-04", "quantity": 100.0, "uom": "KGM"}
        events = [blockevents.opened(writing(), facts, "food")]
        blocks: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("input", {"name": "Tôm đất", "quantity": 4321.5, "uom": "KGM", "supplier": SUPPLIER,
                       "receivedOn": "2026-05-03"}, {}),
            ("step", {"person": WORKER, "parameters": {"temperature": 60}}, {"step": "drying"}),
            ("test", {"report": "KN-1", "laboratory": "Phòng thử nghiệm Minh Hoạ", "accreditation": "VILAS 000",
                      "reportedOn": "2026-05-08",
                      "results": [{"analyte": "coliforms", "method": "TCVN 4882", "value": 3, "unit": "CFU/g",
                                   "limit": 10, "verdict": "conformant"}]}, {}),
            ("sample", {"quantity": 0.5, "uom": "KGM", "place": PLACE_KEPT, "retainUntil": "2027-05-04"},
             {"serial": "MAU-01"}),
            ("packing", {"labelVersion": "v2", "stampsFrom": "1", "stampsTo": "90"}, {}),
            ("dispatch", {"customer": BUYER, "phone": PHONE, "address": STREET, "quantity": 20.0, "uom": "KGM"}, {}),
            ("complaint", {"receivedOn": "2026-05-20", "text": COMPLAINT, "contact": PHONE}, {}),
        ]  # fmt: skip
        for block, values, more_of in blocks:
            events += blockevents.events_of_entry(writing(**more_of), block, values)
        events.append(blockevents.release_event(writing(), "Cán bộ Kín", REMARK))
        capture.append(session, SYSTEM, events, source="test", context=blockevents.CONTEXT)
        return lot.id


def path_of(store: Store, lot_id: int, serial: str | None = None) -> str:
    with store.reading() as session:
        return public_path(blockevents.uri_of(session.get_one(Lot, lot_id), serial))


def test_the_page_says_what_the_circular_asks_for(client: FlaskClient, demo_store: Store) -> None:
    """Circular 02/2024/TT-BKHCN: the least that a portal shows."""
    lot_id = told(demo_store)
    answer = client.get(f"/lots/{lot_id}")
    text = answer.get_data(as_text=True)
    with demo_store.reading() as session:
        lot = session.get_one(Lot, lot_id)
        assert answer.status_code == 200 and lot.producer is not None
        for word in (
            lot.product.name,
            lot.lot_number,
            lot.producer.name,
            f"urn:ocop:producer:{lot.producer_id}",
        ):
            assert word in text
        assert lot.producer.address is None or lot.producer.address in text
    assert path_of(demo_store, lot_id) in text
    assert "1/1/2030" in text
    for fact in ("Phòng thử nghiệm Minh Hoạ", "VILAS 000", "Tôm đất", "Đạt", "Tiêu chuẩn áp dụng"):
        assert fact in text
    kinds = re.findall(r'data-kind="(\w+)"', text)
    assert kinds == ["made", "received", "step", "tested", "sampled", "packed", "shipped", "released"]


def test_nobody_outside_the_chain_learns_who_bought_or_what_was_written_inside(
    client: FlaskClient, demo_store: Store
) -> None:
    lot_id = told(demo_store)
    path = path_of(demo_store, lot_id)
    with demo_store.reading() as session:
        lot = session.get_one(Lot, lot_id)
        number, point = lot.lot_number, lot.geom
    addresses = [
        f"/lots/{lot_id}",
        f"/lots/{lot_id}?lang=en",
        f"/lots/{lot_id}?serial=MAU-01",
        f"/lots/{lot_id}/evidence.json",
        f"/lots/{lot_id}/report",
        f"/products/{lot.product_id}",
        f"/lots?number={number}",
        path,
        f"{path}?linkType=linkset",
        f"/trace?lot={lot_id}",
        f"/trace?lot={path}&dir=both",
        f"/layers/lots/{lot_id}",
        f"/layers/lots.geojson?limit=1000&lot_number={number}",
        f"/ogc/collections/lots/items/{lot_id}",
        f"/search?q={number}",
        f"/epcis/events?MATCH_anyEPC={path}",
        "/epcis/events",
    ]
    for address in addresses:
        answer = client.get(address, headers={"Accept": "text/html,application/json"})
        for secret in SECRETS:
            assert secret not in answer.get_data(as_text=True), (address, secret)
    x, y = next(iter(tiles_covering((point.x, point.y, point.x, point.y), 14)))[1:]
    tile = client.get(f"/tiles/lots/14/{x}/{y}.mvt").data
    assert number.encode() in tile
    for secret in SECRETS:
        assert secret.encode() not in tile, secret


def test_an_officer_reads_the_same_page_with_ways_on(
    client: FlaskClient, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    lot_id = told(demo_store)
    open_page = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert "/office/lots/" not in open_page and "/office/trace" not in open_page
    seen = client.get(f"/lots/{lot_id}", headers=header_of("province_officer")).get_data(as_text=True)
    for address in (
        f"/office/lots/{lot_id}",
        f"/office/trace?lot={lot_id}",
        f"/office/recalls/new?lot={lot_id}",
    ):
        assert address in seen
    for secret in SECRETS:
        assert secret not in seen, secret
    stranger = client.get(f"/lots/{lot_id}", headers=header_of("producer", producer_id=1)).get_data(
        as_text=True
    )
    with demo_store.reading() as session:
        assert session.get_one(Lot, lot_id).producer_id != 1
    assert "/office/lots/" not in stranger


@pytest.mark.parametrize("state", ["recalled", "held"])
def test_a_stopped_lot_says_so_before_anything_else(
    client: FlaskClient, demo_store: Store, state: str
) -> None:
    with demo_store.writing() as session:
        lot_id = bare_lot(session, lot_status=state).id
    text = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert f'data-warning="{state}"' in text and text.index("data-warning") < text.index("<h1>")
    assert ("THU HỒI" if state == "recalled" else "TẠM GIỮ") in text
    assert "Mua ở đâu" not in text


def test_an_expired_lot_says_so_before_anything_else(client: FlaskClient, demo_store: Store) -> None:
    with demo_store.writing() as session:
        lot_id = bare_lot(session, expires_on=dt.date(2026, 1, 2)).id
    text = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert 'data-warning="expired"' in text and "2/1/2026" in text
    assert text.index("data-warning") < text.index("<h1>")


def test_a_revoked_certificate_shows_at_once(client: FlaskClient, demo_store: Store) -> None:
    with demo_store.writing() as session:
        row = session.scalars(
            sa.select(Certificate)
            .join(Lot, Lot.product_id == Certificate.product_id)
            .where(
                Lot.status == "published",
                Certificate.revoked_on.is_(None),
                Certificate.replaced_by_id.is_(None),
                Certificate.expires_on > dt.date(2027, 1, 1),
            )
            .order_by(Certificate.id)
        ).first()
        assert row is not None
        lot_id = session.scalars(
            sa.select(Lot.id).where(Lot.product_id == row.product_id, Lot.status == "published")
        ).first()
        key = row.id
    before = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert 'data-certificate="in_force"' in before
    with demo_store.writing() as session:
        session.get_one(Certificate, key).revoked_on = dt.date(2026, 11, 1)
    after = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert 'data-certificate="revoked"' in after and "1/11/2026" in after
    assert "CertificationInactive" in after


def test_what_is_missing_is_said_and_not_hidden(client: FlaskClient, demo_store: Store) -> None:
    with demo_store.writing() as session:
        lot_id = bare_lot(session).id
    text = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert text.count("chưa có hồ sơ") >= 3
    assert "Chưa có phiếu kiểm nghiệm nào của lô này." in text


def test_a_lot_that_is_not_published_is_not_there(
    client: FlaskClient, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    lot_id = told(demo_store, status=DRAFT)
    path = path_of(demo_store, lot_id)
    for address in (f"/lots/{lot_id}", f"/lots/{lot_id}/report", f"/lots/{lot_id}/evidence.json"):
        assert client.get(address).status_code in (403, 404), address
    assert f"/lots/{lot_id}" not in client.get(path, headers={"Accept": "text/html"}).headers.get(
        "Location", ""
    )
    assert client.get("/lots/99999999").status_code == 404
    own = client.get(f"/lots/{lot_id}", headers=header_of("province_officer"))
    assert own.status_code == 200 and "chưa công bố" in own.get_data(as_text=True)


def test_areas_that_are_not_published_are_not_told(client: FlaskClient, demo_store: Store) -> None:
    with demo_store.writing() as session:
        lot = bare_lot(session)
        areas = session.scalars(
            sa.select(GrowingArea).join(LotGrowingArea).where(LotGrowingArea.lot_id == lot.id)
        ).all()
        for area in areas:
            area.status, area.name = DRAFT, f"Vùng kín {area.id}"
        lot_id = lot.id
    assert areas and "Vùng kín" not in client.get(f"/lots/{lot_id}").get_data(as_text=True)


def test_numbers_of_jars_are_looked_at(client: FlaskClient, demo_store: Store) -> None:
    with demo_store.writing() as session:
        lot = bare_lot(session)
        session.add(TraceItem(uri=blockevents.uri_of(lot, "A1"), kind="instance", lot_id=lot.id))
        lot_id = lot.id

    def state(serial: str) -> str | None:
        text = client.get(f"/lots/{lot_id}", query_string={"serial": serial}).get_data(as_text=True)
        found = re.search(r'data-serial="(\w+)"', text)
        return found.group(1) if found else None

    assert state("A1") is None
    assert state("A2") == "unknown"
    assert state("x" * 30) == "wrong"
    assert state("MAU-01") == "sample"
    assert state("<script>") in ("wrong", "unknown")


def test_the_page_is_light(client: FlaskClient, demo_store: Store) -> None:
    """Page, styles and drawing, compressed as a browser gets them, stay under 60 KB."""
    lot_id = told(demo_store)
    compressed = {"Accept-Encoding": "br"}
    answer = client.get(f"/lots/{lot_id}", headers=compressed)
    assert answer.headers["Content-Encoding"] == "br"
    text = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    assert "<svg" in text
    files = re.findall(r'<link rel="stylesheet" href="([^"]+)"', text)
    files += re.findall(r'href="(/static/icons/[^"#]+)', text) + re.findall(r'src="(/static/js/[^"]+)', text)
    total = len(answer.data) + sum(len(client.get(f, headers=compressed).data) for f in dict.fromkeys(files))
    assert total < LARGEST_BYTES


def test_programs_read_what_the_page_shows(client: FlaskClient, demo_store: Store) -> None:
    lot_id = told(demo_store)
    text = client.get(f"/lots/{lot_id}").get_data(as_text=True)
    found = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', text, re.S)
    assert found is not None
    said = json.loads(found.group(1))
    with demo_store.reading() as session:
        lot = session.get_one(Lot, lot_id)
        assert said["@context"] == "https://schema.org" and said["@type"] == "SomeProducts"
        assert said["sku"] == lot.lot_number and said["name"] == lot.product.name
        assert said["manufacturer"]["name"] == lot.producer.name if lot.producer else True
    for secret in SECRETS:
        assert secret not in found.group(1)


def test_lots_are_found_by_their_number_and_from_their_product(
    client: FlaskClient, demo_store: Store
) -> None:
    with demo_store.writing() as session:
        lot = bare_lot(session)
        newest = session.scalars(
            sa.select(Lot)
            .where(Lot.product_id == lot.product_id, Lot.status == "published")
            .order_by(Lot.produced_on.desc())
        ).first()
        assert newest is not None
        address, number, product = f"/lots/{newest.id}", newest.lot_number, newest.product_id
    assert address in client.get(f"/lots?number={number.lower()}").get_data(as_text=True)
    assert address in client.get(f"/products/{product}").get_data(as_text=True)
    assert client.get(f"/search?q={number}", headers={"Accept": "application/json"}).json
    missing = client.get("/lots?number=KHONG-CO")
    assert missing.status_code == 404 and "/report?code=KHONG-CO" in missing.get_data(as_text=True)


def test_an_unknown_code_gets_a_plain_page(client: FlaskClient) -> None:
    answer = client.get("/lo/99999999/KHONG-CO", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert 'data-code="unknown"' in answer.get_data(as_text=True)
