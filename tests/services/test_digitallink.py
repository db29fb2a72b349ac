"""The resolver as scanners, browsers and programs ask it; requirements of the GS1-Conformant Resolver Standard 1.0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.base import DRAFT, PUBLISHED
from data.producers import Producer
from data.products import Product
from data.store import Store
from data.traceability.lots import Lot
from data.traceability.tables import Scan, TraceEdge, TraceEvent, TraceItem

SCHEMAS = Path("/work/shared/data/epcis/digital-link/linkset")
GTIN13, GTIN14 = "8938505974194", "08938505974194"
LINKSET = "application/linkset+json"
VOCABULARY = "https://ref.gs1.org/voc/"


@dataclass
class Known:
    """A lot of a product with a GTIN, another without one, and a draft."""

    lot: int
    product: int
    producer: int
    own_lot: int
    own_path: str


@pytest.fixture
def known(demo_store: Store) -> Iterator[Known]:
    with demo_store.writing() as session:
        lots = list(
            session.scalars(
                sa.select(Lot)
                .join(Product)
                .where(Lot.status == PUBLISHED, Product.status == PUBLISHED)
                .order_by(Lot.id)
            )
        )
        first = lots[0]
        other = next(lot for lot in lots if lot.product_id != first.product_id)
        draft = next(lot for lot in lots if lot.product_id == first.product_id and lot.id != first.id)
        first.product.gtin = GTIN13
        first.lot_number, draft.lot_number, draft.status = "L26/1", "L26-DRAFT", DRAFT
        other.product.gtin = None
        other.lot_number = "lô 7"
        found = Known(
            first.id,
            first.product_id,
            first.producer_id or 0,
            other.id,
            f"/lo/{other.product_id}/l%C3%B4%207",
        )
    yield found


def get(client: FlaskClient, path: str, **headers: str) -> Any:
    return client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def where(answer: Any) -> tuple[str, dict[str, str]]:
    parts = urlsplit(answer.headers["Location"])
    return parts.path, dict(parse_qsl(parts.query))


LOT = f"/01/{GTIN14}/10/L26%2F1"


@pytest.mark.parametrize("path", [LOT, LOT + "/", f"/01/{GTIN13}/10/L26%2F1", f"/stem/x{LOT}"[7:]])
def test_a_scanned_lot_leads_to_its_public_page(client: FlaskClient, known: Known, path: str) -> None:
    answer = get(client, path)
    assert answer.status_code == 307
    assert where(answer) == (f"/lots/{known.lot}", {})


def test_a_lot_without_gtin_leads_to_its_page_by_its_own_address(client: FlaskClient, known: Known) -> None:
    assert where(get(client, known.own_path)) == (f"/lots/{known.own_lot}", {})
    path, query = where(get(client, known.own_path + "/0007"))
    assert (path, query) == (f"/lots/{known.own_lot}", {"serial": "0007"})


def test_a_jar_keeps_its_serial_on_the_way(client: FlaskClient, known: Known) -> None:
    assert where(get(client, LOT + "/21/A%2B1")) == (f"/lots/{known.lot}", {"serial": "A+1"})


def test_a_product_code_leads_to_the_product(client: FlaskClient, known: Known) -> None:
    assert where(get(client, f"/01/{GTIN14}")) == (f"/products/{known.product}", {})
    assert where(get(client, f"/01/{GTIN14}/22/2A")) == (f"/products/{known.product}", {})


def test_every_pair_of_the_query_is_passed_on(client: FlaskClient, known: Known) -> None:
    path, query = where(get(client, LOT + "?17=261231&utm=a%20b&linkType=gs1:pip&lang=en"))
    assert path == f"/lots/{known.lot}"
    assert query == {"17": "261231", "utm": "a b", "linkType": "gs1:pip", "lang": "en"}


@pytest.mark.parametrize(
    "path",
    [
        f"/01/{GTIN14[:-1]}5",
        f"/01/{GTIN14}/foo",
        f"{LOT}/foo",
        f"/01/{GTIN14}/21/1/10/A",
        f"/01/{GTIN14}/10/",
        f"/01/{GTIN14}/10/AAAAAAAAAAAAAAAAAAAAA",
        f"/01/{GTIN14}/10/l%C3%B4",
        f"/01/{GTIN14}?10=A",
        f"/01/{GTIN14}?999=1",
        f"/01/{GTIN14}?17=261301",
        f"/01/{GTIN14}?17=260101&17=260101",
        "/01/",
        "/01/1234",
        "/00/006141411234567891",
        "/414/9520123456789",
        "/lo/x/L1",
        "/lo/3",
    ],
)
def test_wrong_codes_are_answered_with_400_in_one_sentence(
    client: FlaskClient, known: Known, path: str
) -> None:
    answer = get(client, path)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"].endswith(".") and "%(" not in answer.json["detail"]
    page = get(client, path, Accept="text/html,*/*;q=0.8")
    assert page.status_code == 400
    assert page.mimetype == "text/html"


@pytest.mark.parametrize(
    "path", ["/01/09520123456788", "/00/006141411234567890", "/414/9520123456788", "/lo/999999/L1"]
)
def test_unknown_things_are_not_found(client: FlaskClient, known: Known, path: str) -> None:
    assert get(client, path).status_code == 404


def test_an_unknown_lot_of_a_known_product_falls_back_with_a_warning(
    client: FlaskClient, known: Known
) -> None:
    answer = get(client, f"/01/{GTIN14}/10/GIA-1")
    assert answer.status_code == 307
    assert where(answer) == (f"/products/{known.product}", {"unknown_lot": "GIA-1"})
    page = get(client, answer.headers["Location"]).get_data(as_text=True)
    assert "GIA-1" in page and "chưa có trong hồ sơ" in page
    quiet = get(client, f"/products/{known.product}?unknown_lot=L26/1").get_data(as_text=True)
    assert "chưa có trong hồ sơ" not in quiet
    safe = get(client, f"/products/{known.product}?unknown_lot=<b>x</b>").get_data(as_text=True)
    assert "<b>x</b>" not in safe


def test_a_draft_is_hidden_from_the_public_and_shown_to_its_producer(
    client: FlaskClient, known: Known, header_of: Any, demo_store: Store
) -> None:
    path = f"/01/{GTIN14}/10/L26-DRAFT"
    assert where(get(client, path)) == (f"/products/{known.product}", {"unknown_lot": "L26-DRAFT"})
    own = client.get(path, headers=header_of("producer", producer_id=known.producer))
    assert where(own)[0].startswith("/lots/")
    with demo_store.writing() as session:
        session.execute(sa.update(Product).where(Product.id == known.product).values(status=DRAFT))
    assert get(client, path).status_code == 404
    assert get(client, LOT).status_code == 404


@pytest.mark.parametrize("prefix", ["gs1:", VOCABULARY, "https://gs1.org/voc/"])
def test_a_link_type_leads_to_that_link_or_nowhere(client: FlaskClient, known: Known, prefix: str) -> None:
    pip = get(client, f"{LOT}?linkType={prefix}pip")
    assert (pip.status_code, where(pip)[0]) == (307, f"/lots/{known.lot}")
    home = get(client, f"{LOT}?linkType={prefix}locationInfo")
    assert where(home)[0] == f"/producers/{known.producer}"
    for absent in ("recipeInfo", "nothing"):
        assert get(client, f"{LOT}?linkType={prefix}{absent}").status_code == 404
    assert get(client, f"{LOT}?linkType=ex:other").status_code == 404


def test_links_to_services_get_no_foreign_parameters(client: FlaskClient, known: Known) -> None:
    path, query = where(get(client, f"{LOT}?linkType=gs1:epcis&17=261231"))
    assert path == "/epcis/events"
    assert query == {"MATCH_anyEPCClass": f"https://id.gs1.org{LOT}"}


def test_language_is_chosen_by_the_browser_unless_the_reader_has_chosen(
    client: FlaskClient, known: Known
) -> None:
    assert where(get(client, LOT, Accept_Language="en-GB,en;q=0.9"))[1] == {"lang": "en"}
    assert where(get(client, LOT, Accept_Language="vi,en;q=0.5"))[1] == {}
    assert where(get(client, LOT, Accept_Language="fr"))[1] == {}
    english = get(client, f"{LOT}?linkType=gs1:pip", Accept_Language="en")
    assert where(english)[1]["lang"] == "en"
    client.set_cookie("lang", "vi")
    assert where(get(client, LOT, Accept_Language="en"))[1] == {}


@pytest.mark.parametrize("path", [LOT, f"/01/{GTIN14}", LOT + "/21/7", f"/01/{GTIN14}/10/GIA-1", "own"])
def test_the_linkset_follows_the_schemas_and_holds_every_level(
    client: FlaskClient, known: Known, path: str
) -> None:
    path = known.own_path + "/7" if path == "own" else path
    by_type = get(client, path + "?linkType=linkset")
    by_header = get(client, path, Accept=LINKSET)
    assert by_type.status_code == by_header.status_code == 200
    assert by_type.mimetype == by_header.mimetype == LINKSET
    document = json.loads(by_header.data)
    assert json.loads(by_type.data) == document
    if SCHEMAS.exists():
        gs1 = json.loads((SCHEMAS / "gs1-linkset-schema.json").read_text("utf-8"))
        jsonschema.validate(document, gs1, cls=jsonschema.Draft7Validator)
    contexts = document["linkset"]
    anchors = [urlsplit(context["anchor"]).path for context in contexts]
    depth = {LOT: 2, LOT + "/21/7": 3, known.own_path + "/7": 3}.get(path, 1)
    assert len(anchors) == depth
    assert anchors[0] == (path if depth > 1 or path == f"/01/{GTIN14}" else f"/01/{GTIN14}")
    for context in contexts:
        kinds = {key for key in context if key.startswith("http")}
        assert all(kind.startswith(VOCABULARY) for kind in kinds)
        assert set(context[VOCABULARY + "defaultLink"][0]) == {"href", "title"}
        assert len(context[VOCABULARY + "defaultLink"]) == 1
        assert len(kinds) > 1
        for kind in kinds:
            attributes = [
                {k: v for k, v in link.items() if k not in ("href", "title")} for link in context[kind]
            ]
            assert len({json.dumps(a, sort_keys=True) for a in attributes}) == len(attributes)
            assert all(link["href"].startswith("http") and link["title"] for link in context[kind])


def test_every_link_of_the_linkset_is_reached_by_its_type(client: FlaskClient, known: Known) -> None:
    document = json.loads(get(client, LOT, Accept=LINKSET).data)
    seen = set()
    for context in document["linkset"]:
        for kind in (k for k in context if k.startswith(VOCABULARY) and k not in seen):
            seen.add(kind)
            for link in context[kind]:
                language = (link.get("hreflang") or ["vi"])[0]
                answer = get(client, f"{LOT}?linkType={kind}", Accept_Language=language)
                assert answer.status_code == 307
                expected = dict(parse_qsl(urlsplit(link["href"]).query))
                path, query = where(answer)
                assert path == urlsplit(link["href"]).path
                assert expected.items() <= query.items()


def test_a_browser_gets_the_page_and_never_the_list(client: FlaskClient, known: Known) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    assert get(client, LOT, Accept=browser).status_code == 307
    assert get(client, LOT, Accept="*/*").status_code == 307
    assert get(client, LOT, Accept="application/json").mimetype == "application/json"
    assert get(client, LOT, Accept="application/ld+json").mimetype == "application/ld+json"


def test_every_answer_points_to_the_linkset_and_its_context(client: FlaskClient, known: Known) -> None:
    for answer in (get(client, LOT), get(client, LOT, Accept=LINKSET)):
        header = answer.headers["Link"]
        assert f'{LOT}?linkType=linkset>; rel="linkset"; type="{LINKSET}"' in header
        assert 'rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"' in header
        assert 'rel="gs1:' not in header
        assert "Accept" in answer.headers["Vary"]
    address = header.split(", <")[1].partition(">")[0]
    context = get(client, urlsplit(address).path)
    assert (context.status_code, context.mimetype) == (200, "application/ld+json")
    assert "@context" in context.json


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", [LOT, f"/01/{GTIN14}/foo", "/01/09520123456788", "/.well-known/gs1resolver"])
def test_other_sites_may_ask(client: FlaskClient, known: Known, method: str, path: str) -> None:
    answer = client.open(path, method=method)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    if method == "OPTIONS":
        assert answer.status_code == 200
    elif path == LOT:
        assert answer.status_code == 307


def test_the_resolver_describes_itself(client: FlaskClient, known: Known) -> None:
    body = get(client, "/.well-known/gs1resolver").json
    assert body["resolverRoot"] == "http://localhost"
    assert {"00", "01", "253", "414", "417", "8004"} <= set(body["supportedPrimaryKeys"])
    assert body["supportedLinkType"][0]["prefix"] == "gs1:"
    assert body["linkTypeDefaultCanBeLinkset"] is False
    assert body["contact"]["fn"]


def test_a_reading_of_a_lot_is_counted_once_and_only_when_read(
    client: FlaskClient, known: Known, demo_store: Store
) -> None:
    for act in (
        lambda: get(client, LOT),
        lambda: client.head(LOT),
        lambda: get(client, LOT, Accept=LINKSET),
        lambda: get(client, f"/01/{GTIN14}"),
    ):
        act()
    with demo_store.reading() as session:
        scans = list(session.scalars(sa.select(Scan).where(Scan.lot_id == known.lot)))
    assert [scan.uri for scan in scans] == [f"https://id.gs1.org{LOT}"]


def _event(session: Any) -> int:
    event = session.scalar(sa.select(TraceEvent.id).limit(1))
    assert event is not None
    return int(event)


def test_a_place_of_the_record_leads_to_its_producer(
    client: FlaskClient, known: Known, demo_store: Store
) -> None:
    with demo_store.writing() as session:
        producer = session.scalar(sa.select(Producer).where(Producer.id == known.producer))
        assert producer is not None
        session.add(
            TraceItem(uri="https://id.gs1.org/414/9520123456788", kind="place", producer_id=producer.id)
        )
    assert where(get(client, "/414/9520123456788/254/KHO-2")) == (f"/producers/{known.producer}", {})
    document = json.loads(get(client, "/414/9520123456788", Accept=LINKSET).data)
    assert VOCABULARY + "locationInfo" in document["linkset"][0]


def test_a_carton_leads_to_the_lot_inside(client: FlaskClient, known: Known, demo_store: Store) -> None:
    import datetime as dt

    with demo_store.writing() as session:
        carton = TraceItem(uri="https://id.gs1.org/00/006141411234567890", kind="sscc")
        name = f"https://id.gs1.org{LOT}"
        lot = session.scalar(sa.select(TraceItem).where(TraceItem.uri == name)) or TraceItem(
            uri=name, kind="lot", lot_id=known.lot
        )
        event = TraceEvent(
            event_id="urn:uuid:0b1b6c9e-4f0e-4f6c-8f0a-2f8d4cb1a111", hash="x", type="AggregationEvent",
            event_time=dt.datetime(2026, 6, 1, tzinfo=dt.UTC), event_offset="+07:00", document={}, captured_by="thử",
            previous_hash="", row_hash="",
        )  # fmt: skip
        session.add_all((carton, lot, event))
        session.flush()
        session.add(
            TraceEdge(
                source_id=lot.id, target_id=carton.id, kind="packed", event_id=event.id,
                starts_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC),
            )
        )  # fmt: skip
    assert where(get(client, "/00/006141411234567890")) == (f"/lots/{known.lot}", {})
