"""The demonstration record: its size, its labels, its geometry and its sameness."""

from __future__ import annotations

import datetime as dt
import hashlib
import re

import pytest
import shapely
import sqlalchemy as sa
from PIL import Image
from pyproj import Geod

from data import codes, migrate
from data.admin_units import Commune, District, Edition, Province, edition_in_use
from data.craft_villages import Artisan, CraftVillage, CraftVillagePoint, CraftVillageYear
from data.demo.build import build
from data.growing_areas import Certification, GrowingArea, GrowingAreaCode, GrowingAreaStatus
from data.media import Photo, folder_of
from data.producers import Producer, ProducerUpgrade
from data.products import Product, ProductGrowingArea, ProductSalePoint, SalePoint
from data.record import metadata
from data.store import Store
from data.traceability.lots import Lot, LotGrowingArea
from layers.catalogue import LAYERS

PUBLISHED_MODELS = (GrowingArea, CraftVillage, CraftVillagePoint, Producer, Product, SalePoint, Lot)
BOOKKEEPING = {"audit_rows", "layer_changes", "layer_revisions", "edit_contexts"}
PATTERNS = {
    "export": r"VN-CMOR-\d{4}",
    "domestic": r"VN-96-\d{3}-\d{5}-\d{2}-\d{2}",
    "aquaculture": r"96\d{9}",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    store = Store(f"gpkg:///{folder}/province.gpkg")
    migrate.upgrade(store)
    counts = build(store, folder / "media")
    yield store, counts, folder / "media"
    store.dispose()


@pytest.fixture
def session(demo):
    with demo[0].reading() as session:
        yield session


def rows(session, model):
    return list(session.scalars(sa.select(model).order_by(model.id)))


def fingerprint(store):
    """A hash over the values of every table that is no bookkeeping."""
    digest = hashlib.sha256()
    with store.reading() as session:
        for table in metadata.sorted_tables:
            if table.name not in BOOKKEEPING:
                for row in session.execute(sa.select(table).order_by(table.c.id)):
                    digest.update(
                        repr([v.wkb if isinstance(v, shapely.Geometry) else v for v in row]).encode()
                    )
    return digest.hexdigest()


def test_the_record_is_as_large_as_promised(demo, session):
    _, counts, _ = demo
    wanted = {
        Province: 1,
        District: 9,
        Commune: 101,
        GrowingArea: 1500,
        CraftVillage: 40,
        Producer: 150,
        Product: 250,
        Lot: 600,
        SalePoint: 60,
    }
    for model, least in wanted.items():
        found = session.scalar(sa.select(sa.func.count()).select_from(model))
        assert found >= least, model.__name__
        assert found == counts[model.__tablename__]
    assert (counts["provinces"], counts["districts"]) == (1, 9)
    assert counts["communes"] == 101


def test_two_builds_hold_the_same_values(demo, tmp_path):
    again = Store(f"gpkg:///{tmp_path}/again.gpkg")
    migrate.upgrade(again)
    build(again, tmp_path / "media")
    assert fingerprint(again) == fingerprint(demo[0])
    again.dispose()


def test_the_record_says_that_it_is_a_demonstration(session):
    facts = dict(session.execute(sa.text("SELECT key, value FROM record_facts")).all())
    assert facts["demo"] == "1"
    assert facts["province_name"] == "Tỉnh Cà Mau"
    assert facts["data_licence_url"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert edition_in_use(session) == "2020"
    edition = session.scalar(sa.select(Edition).where(Edition.code == "2020"))
    assert (edition.valid_from, edition.valid_to) == (dt.date(2020, 2, 10), dt.date(2025, 6, 30))


@pytest.mark.parametrize("model", [*PUBLISHED_MODELS, Province, District, Commune])
def test_every_row_is_labelled_and_found_by_search(session, model):
    for row in rows(session, model):
        assert row.source == "dữ liệu minh hoạ"
        assert row.search == row.search_parts()


@pytest.mark.parametrize("model", PUBLISHED_MODELS)
def test_a_few_rows_of_every_layer_are_drafts(session, model):
    states = [row.status for row in rows(session, model)]
    assert set(states) == {"draft", "published"}
    assert 0.01 <= states.count("draft") / len(states) <= 0.15


@pytest.mark.parametrize("model", PUBLISHED_MODELS)
def test_every_geometry_is_valid_and_lies_in_the_commune_it_names(session, model):
    communes = {unit.id: unit.geom for unit in rows(session, Commune)}
    for row in rows(session, model):
        assert shapely.is_valid(row.geom) and not row.geom.is_empty
        assert communes[row.commune_id].covers(row.geom), (model.__name__, row.id)


def test_growing_areas_do_not_overlap(session):
    shapes = [area.geom for area in rows(session, GrowingArea)]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for a, b in zip(first, second, strict=True):
        assert a == b or shapely.area(shapely.intersection(shapes[a], shapes[b])) == 0


def test_mapped_areas_agree_with_karney(session):
    geod = Geod(ellps="WGS84")
    for area in rows(session, GrowingArea)[::40]:
        reference = sum(abs(geod.geometry_area_perimeter(part)[0]) for part in area.geom.geoms) / 1e4
        assert area.area_ha == pytest.approx(reference, rel=1e-4, abs=6e-4)


def test_every_coded_value_is_in_its_code_list(session):
    for layer in LAYERS:
        for field in layer.fields:
            if field.codes and not callable(field.path) and "." not in field.path:
                values = set(session.scalars(sa.select(getattr(layer.model, field.path)).distinct())) - {None}
                assert {str(v) for v in values} <= set(codes.code_list(field.codes)), (layer.id, field.name)
    for column, name in (
        (GrowingAreaCode.scheme, "code_scheme"),
        (GrowingAreaCode.market, "market"),
        (GrowingAreaCode.status, "coding_status"),
        (GrowingAreaStatus.status, "coding_status"),
        (Certification.scheme, "certification_scheme"),
        (ProducerUpgrade.from_kind, "producer_kind"),
        (ProducerUpgrade.to_kind, "producer_kind"),
    ):
        assert set(session.scalars(sa.select(column).distinct())) <= set(codes.code_list(name))


def test_area_codes_follow_the_patterns_of_their_schemes(session):
    found = rows(session, GrowingAreaCode)
    assert {code.scheme for code in found} == set(PATTERNS)
    for code in found:
        assert re.fullmatch(PATTERNS[code.scheme], code.code), code.code
        if code.scheme == "domestic":
            commune = code.area.commune
            assert code.code.split("-")[2:4] == [commune.district.code, commune.code]
    shared = [area for area in rows(session, GrowingArea) if len(area.codes) > 1]
    assert shared, "some areas hold several codes"


def test_the_last_step_of_an_areas_history_is_its_coding_status(session):
    for area in rows(session, GrowingArea):
        steps = area.status_changes
        days = [step.changed_on for step in sorted(steps, key=lambda step: step.id)]
        assert days == sorted(days)
        last = max(steps, key=lambda step: step.id).status if steps else "none"
        assert last == area.coding_status
        assert area.coding_obstacle is None or area.coding_status in ("none", "applied")


def test_seasons_name_months(session):
    for area in rows(session, GrowingArea):
        for part in area.season_calendar:
            assert set(part) == {"from", "to", "what"}
            assert 1 <= part["from"] <= 12 and 1 <= part["to"] <= 12


def test_only_three_stars_and_more_carry_a_certificate_of_thirty_six_months(session):
    products = rows(session, Product)
    certified = [product for product in products if product.certificate_number]
    assert {product.stars for product in certified} == {3, 4, 5}
    for product in products:
        assert bool(product.certificate_number) == ((product.stars or 0) >= 3)
    for product in certified:
        issued, expires = product.certified_on, product.expires_on
        assert (expires.year - issued.year, expires.month, expires.day) == (3, issued.month, issued.day)
        assert issued < dt.date(2026, 6, 30)
    expired = [product for product in certified if product.expires_on < dt.date(2026, 6, 30)]
    soon = [p for p in certified if dt.date(2026, 6, 30) <= p.expires_on < dt.date(2026, 12, 31)]
    assert expired and soon
    assert len({product.certificate_number for product in certified}) == len(certified)


def test_gtins_have_right_check_digits_and_are_from_the_demonstration_range(session):
    for product in rows(session, Product):
        if product.gtin:
            digits = [int(digit) for digit in product.gtin]
            assert len(digits) == 14 and product.gtin.startswith("0952")
            # GS1 General Specifications, 7.9: weights 3 and 1 from the right, the check digit having 1.
            assert (sum(digits[-1::-2]) + 3 * sum(digits[-2::-2])) % 10 == 0


def test_published_products_rest_on_published_rows_only(session):
    for product in rows(session, Product):
        if product.status == "published":
            assert product.producer.status == "published"
            assert product.craft_village is None or product.craft_village.status == "published"
        assert all(area.status == "published" for area in product.growing_areas)


def test_lots_lie_at_their_product_and_their_shares_add_up(session):
    shares: dict[int, float] = {}
    for link in rows(session, LotGrowingArea):
        shares[link.lot_id] = shares.get(link.lot_id, 0.0) + link.share
    assert all(total == pytest.approx(1.0) for total in shares.values())
    allowed = set(
        session.execute(sa.select(ProductGrowingArea.product_id, ProductGrowingArea.growing_area_id)).all()
    )
    for lot in rows(session, Lot):
        assert lot.geom == lot.product.geom
        assert lot.producer_id == lot.product.producer_id
        assert lot.produced_on < lot.expires_on
        assert all((lot.product_id, area.id) in allowed for area in lot.growing_areas)
    assert {lot.lot_status for lot in rows(session, Lot)} == {"released", "held", "recalled"}


def test_sale_points_offer_products_that_can_be_seen(session):
    assert session.scalar(sa.select(sa.func.count(sa.distinct(ProductSalePoint.sale_point_id)))) >= 60
    for point in rows(session, SalePoint):
        assert all(product.status == "published" for product in point.products)


def test_villages_meet_the_conditions_of_decree_52(session):
    artisans = set(session.scalars(sa.select(Artisan.village_id)))
    for village in rows(session, CraftVillage):
        assert len(village.years) >= 2 and 1 <= len(village.points) <= 3
        if village.kind in ("craft_village", "traditional_craft_village"):
            assert village.trade_share >= 20
        if village.kind.startswith("traditional"):
            assert village.decision_date.year - village.founded_year >= 50
            assert village.id in artisans
    years = {year.year for year in rows(session, CraftVillageYear)}
    assert years == set(range(2021, 2026))


def test_nobody_could_be_rung_up_or_mistaken_for_a_real_business(session):
    for producer in rows(session, Producer):
        assert re.search("Minh Hoạ|Ví Dụ", producer.name)
        assert re.fullmatch(r"0900 \d{3} \d{3}", producer.phone)
        assert producer.id_number.startswith("000000")
        assert producer.website is None or producer.website.endswith(".example")
    for product in rows(session, Product):
        assert re.search("Minh Hoạ|Ví Dụ", product.name)
    for shop in rows(session, SalePoint):
        assert "Minh Hoạ" in shop.name


def test_no_account_comes_with_the_demonstration(session):
    assert session.scalar(sa.text("SELECT count(*) FROM accounts")) == 0


def test_pictures_are_kept_and_described_in_both_languages(demo, session):
    photos = rows(session, Photo)
    assert {photo.table_name for photo in photos} == {"products", "craft_villages"}
    for photo in photos:
        assert photo.alt and photo.alt_en and photo.credit == "Hình minh hoạ"
        for width in (320, 640):
            with Image.open(folder_of(demo[2], photo.sha256) / f"{width}.webp") as picture:
                assert picture.width == width
