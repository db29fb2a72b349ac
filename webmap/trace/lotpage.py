"""The public page of a lot: what a phone shows after the code on the label was read."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from data.accounts import Role
from data.programme import certificates
from data.traceability.identifiers import IdentifierError, public_path
from data.traceability.journey import PublicEvent
from data.traceability.lots import Lot
from layers import catalogue, read
from layers.filters import Comparison
from services import context
from webmap.programme.common import today
from webmap.public.media import pictures_of
from webmap.public.records import certificates_of
from webmap.trace.lotfacts import LotFacts, Serial, gather, serial_of

blueprint = Blueprint("lotpage", __name__)

#: Who follows a lot into its dossier, its graph and its recall.
OPENS_DOSSIER = frozenset(
    {
        Role.PRODUCER,
        Role.COMMUNE_OFFICER,
        Role.DISTRICT_OFFICER,
        Role.PROVINCE_OFFICER,
        Role.INSPECTOR,
        Role.ADMINISTRATOR,
    }
)


@blueprint.get("/lots/<int:lot_id>")
def page(lot_id: int) -> str:
    """Show a lot: may it be eaten, who made it, from what, what was tested."""
    facts = seen_lot(lot_id)
    lot = facts.lot
    number = request.args.get("serial", "").strip()
    serial = serial_of(context.session(), lot, number) if number else None
    rows = certificates_of(lot.product_id)
    photos = pictures_of("products", lot.product_id) or pictures_of("lots", lot.id)
    english = context.language() == "en"
    product = lot.product
    return render_template(
        "trace/lot.html",
        facts=facts,
        lot=lot,
        product=product,
        title=(product.name_en if english else None) or product.name,
        story=(product.story_en if english else None) or product.story,
        photo=photos[0] if photos else None,
        certificate=rows[0] if rows else None,
        ended=certificates.ENDED,
        warning=warning(facts),
        serial=serial,
        asked_serial=number,
        address=address_of(facts, serial),
        linked_data=json.dumps(linked_data(facts, serial, photos), ensure_ascii=False).replace(
            "<", "\\u003c"
        ),
        tests=facts.way.of_kind("tested"),
        told=told,
        lenses=_lenses(facts),
        districts=districts,
    )


@blueprint.get("/lots")
def find() -> str | tuple[str, int]:
    """Look a lot up by the number on its label, for whoever cannot scan."""
    number = request.args.get("number", "").strip()
    found: list[dict[str, Any]] = []
    if number:
        query = read.Query(
            catalogue.layer("lots"),
            context.actor(),
            where=Comparison("lot_number", "=", number.upper()),
            fields=("lot_number", "product_name", "producer_name", "produced_on", "lot_status"),
            limit=50,
            geometry=False,
        )
        found = list(read.rows(context.session(), query).records())
    page = render_template("trace/find.html", number=number, found=found)
    return (page, 404) if number and not found else page


def seen_lot(lot_id: int) -> LotFacts:
    """Return the facts of a lot that the caller sees; answers 404 for one that is absent or not published."""
    session = context.session()
    if not read.is_visible(session, catalogue.layer("lots"), lot_id, context.actor()):
        raise NotFound(_("Không có lô này, hoặc lô chưa được công bố."))
    lot = session.get(Lot, lot_id)
    facts = gather(session, lot) if lot is not None else None
    if facts is None:
        abort(404)
    return facts


def warning(facts: LotFacts) -> str | None:
    """Say what must be known before all else: recalled, held, expired or not released yet."""
    if facts.lot.lot_status in ("recalled", "held"):
        return facts.lot.lot_status
    if facts.is_expired(today()):
        return "expired"
    return "open" if facts.lot.lot_status == "open" else None


def told(facts: LotFacts, event: PublicEvent) -> str:
    """Say in a few words what an event adds to its kind; only from what anybody may know."""
    of = event.facts.get
    if event.kind == "received":
        return str(of("ocop:input", {}).get("name", ""))
    if event.kind == "step":
        return facts.step_title(event, context.language())
    if event.kind == "tested":
        return str(of("ocop:test", {}).get("laboratory", ""))
    if event.kind in ("held", "recalled"):
        return str(of("ocop:hold" if event.kind == "held" else "ocop:recall", {}).get("reason", ""))
    return ""


def address_of(facts: LotFacts, serial: Serial | None) -> str | None:
    """Return the address that the code on the label holds."""
    uri = serial.uri if serial else facts.uri
    try:
        return request.url_root.rstrip("/") + public_path(uri) if uri else None
    except IdentifierError:
        return None


def districts() -> list[tuple[int, str]]:
    """List the districts, from which a reader without a position may choose."""
    query = read.Query(
        catalogue.layer("districts"),
        context.actor(),
        fields=("name",),
        sort=(("name", False),),
        geometry=False,
    )
    return [(row["id"], row["name"]) for row in read.rows(context.session(), query).records()]


@blueprint.app_template_filter("lower_first")
def lower_first(text: str) -> str:
    """Begin a text with a small letter and leave the rest as it is."""
    return text[:1].lower() + text[1:]


def _lenses(facts: LotFacts) -> list[tuple[str, str]]:
    """The same lot as those see it who work with it: title and address."""
    actor = context.actor()
    own = actor.role != Role.PRODUCER or actor.producer_id == facts.lot.producer_id
    if actor.role not in OPENS_DOSSIER or not own:
        return []
    found = [
        (_("Hồ sơ lô"), f"/office/lots/{facts.lot.id}"),
        (_("Truy ngược, truy xuôi"), f"/office/trace?lot={facts.lot.id}"),
        (_("In nhãn"), f"/office/lots/{facts.lot.id}/labels"),
    ]
    if actor.role != Role.PRODUCER:
        found.append((_("Tạm giữ, thu hồi"), f"/office/recalls/new?lot={facts.lot.id}"))
    return found


# ---- for machines


def linked_data(facts: LotFacts, serial: Serial | None, photos: list[Any]) -> dict[str, Any]:
    """Describe the lot in the words of schema.org, with nothing that the page does not show."""
    lot, product = facts.lot, facts.lot.product
    root = request.url_root.rstrip("/")
    made: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "IndividualProduct" if serial else "SomeProducts",
        "@id": root + url_for("lotpage.page", lot_id=lot.id),
        "name": product.name,
        "sku": lot.lot_number,
        "countryOfOrigin": {"@type": "Country", "name": "VN"},
        "isSimilarTo": {"@type": "Product", "url": f"{root}/products/{product.id}"},
    }
    optional = {
        "gtin14": product.gtin.zfill(14) if product.gtin and product.gtin.isdigit() else None,
        "productionDate": lot.produced_on.isoformat() if lot.produced_on else None,
        "serialNumber": serial.number if serial else None,
        "hasGS1DigitalLink": address_of(facts, serial) if product.gtin else None,
        "image": [root + photo.src for photo in photos] or None,
        "manufacturer": _organisation(facts),
        "hasCertification": _certifications(lot.product_id, product.name) or None,
    }
    made |= {name: value for name, value in optional.items() if value is not None}
    if lot.expires_on:
        made["additionalProperty"] = {
            "@type": "PropertyValue", "name": "expirationDate", "value": lot.expires_on.isoformat()
        }  # fmt: skip
    return made


def _organisation(facts: LotFacts) -> dict[str, Any] | None:
    producer = facts.around.producer
    if producer is None:
        return None
    made: dict[str, Any] = {"@type": "Organization", "name": producer.name}
    if producer.address:
        made["address"] = producer.address
    return made


def _certifications(product_id: int, name: str) -> list[dict[str, Any]]:
    return [
        {
            "@type": "Certification",
            "name": f"OCOP {row.stars} sao: {name}",
            "certificationIdentification": row.number or row.decision_number,
            "issuedBy": {"@type": "Organization", "name": row.issued_by},
            "datePublished": row.issued_on.isoformat(),
            "expires": (row.extended_to or row.expires_on).isoformat(),
            "certificationStatus": "CertificationInactive" if state in certificates.ENDED else "CertificationActive",
        }
        for row, state in certificates_of(product_id)[:1]
    ]  # fmt: skip
