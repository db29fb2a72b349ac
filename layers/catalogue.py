"""The catalogue: every published layer, declared once. Adding a layer is adding a declaration."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.accounts import Audience
from data.admin_units import Commune, District, Province
from data.craft_villages import CraftVillage, CraftVillagePoint
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import Product, SalePoint
from data.traceability.lots import Lot
from layers.fields import Field, FieldType, Label, Layer, Style

STRING, INTEGER, NUMBER = FieldType.STRING, FieldType.INTEGER, FieldType.NUMBER
BOOLEAN, DATE, DATETIME = FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME
STAFF, RESTRICTED = Audience.STAFF, Audience.RESTRICTED

TERRITORY = Label("Địa giới", "Territory")
PRODUCTION = Label("Vùng sản xuất", "Production")
VILLAGES = Label("Làng nghề", "Craft villages")
PROGRAMME = Label("Chương trình OCOP", "OCOP programme")

HECTARES, TONNES, PERCENT = Label("ha", "ha"), Label("tấn", "t"), Label("%", "%")
DONG, MILLION_DONG = Label("đồng", "VND"), Label("triệu đồng", "million VND")
MINUTES, VISITORS = Label("phút", "minutes"), Label("khách", "visitors")

#: What a lot says of itself may be typed until it is released.
LOT_OPEN = ("lot_status", "open")
#: No lot is ever in this state: its name is given once, and events speak of it by that name.
LOT_UNNAMED = ("lot_status", "unnamed")

STAR_COLORS = {"5": "#b45309", "4": "#d97706", "3": "#0f766e", "2": "#64748b", "1": "#94a3b8"}
CROP_COLORS = {
    "shrimp_tiger": "#0f766e",
    "shrimp_whiteleg": "#0891b2",
    "crab": "#b45309",
    "blood_cockle": "#9f1239",
    "oyster": "#475569",
    "clam": "#7c6f64",
    "rice": "#ca8a04",
    "banana": "#a3a300",
    "pomelo": "#65a30d",
    "orange": "#ea580c",
    "coconut": "#4d7c0f",
    "vegetable": "#16a34a",
    "sedge": "#84632b",
    "honey_forest": "#166534",
    "salt": "#7c93a8",
}


def _f(name: str, vi: str, en: str, type_: FieldType = STRING, **kw: Any) -> Field:
    return Field(name, Label(vi, en), type_, **kw)


def _percent(part: str, whole: str) -> Any:
    def share(entity: Any) -> Any:
        return getattr(entity, part) * 100.0 / sa.func.nullif(getattr(entity, whole), 0)

    return share


COMMUNE_CODE = _f("commune_code", "Mã xã", "Commune code", source="commune.code")
COMMUNE_NAME = _f("commune_name", "Xã, phường, thị trấn", "Commune", source="commune.name")
DISTRICT_CODE = _f("district_code", "Mã huyện", "District code", source="commune.district.code")
DISTRICT_NAME = _f("district_name", "Huyện, thành phố", "District", source="commune.district.name")
PLACE = (COMMUNE_CODE, COMMUNE_NAME, DISTRICT_CODE, DISTRICT_NAME)

PUBLICATION = (
    _f("source", "Nguồn dữ liệu", "Source of the data"),
    _f(
        "status", "Công bố", "Publication", audience=STAFF, writable=True, codes="publication", in_tiles=False
    ),
    _f("version", "Phiên bản", "Version", INTEGER, audience=STAFF, in_tiles=False),
    _f("updated_at", "Cập nhật lúc", "Updated at", DATETIME, in_tiles=False),
)

UNIT_FIELDS = (
    _f("code", "Mã", "Code"),
    _f("name", "Tên", "Name"),
    _f("kind", "Loại", "Type", codes="unit_kind"),
    _f("edition", "Phiên bản địa giới", "Boundary edition"),
    _f("valid_from", "Hiệu lực từ", "Valid from", DATE, in_tiles=False),
    _f("valid_to", "Hiệu lực đến", "Valid to", DATE, in_tiles=False),
    _f("area_ha", "Diện tích", "Area", NUMBER, unit=HECTARES),
)
UNIT_TAIL = (
    _f("source", "Nguồn dữ liệu", "Source of the data"),
    _f("version", "Phiên bản", "Version", INTEGER, audience=STAFF, in_tiles=False),
)

LAYERS: tuple[Layer, ...] = (
    Layer(
        id="provinces",
        title=Label("Tỉnh", "Province"),
        group=TERRITORY,
        description=Label("Ranh giới tỉnh.", "Boundary of the province."),
        model=Province,
        geometry="MULTIPOLYGON",
        fields=(*UNIT_FIELDS, *UNIT_TAIL),
        style=Style("#0b3d3a", outline="#0b3d3a", opacity=0.0),
        subtitle=("kind",),
        by_edition=True,
        temporal_field="valid_from",
        temporal_end="valid_to",
        visible_at_start=True,
    ),
    Layer(
        id="districts",
        title=Label("Huyện, thành phố", "Districts"),
        group=TERRITORY,
        description=Label("Ranh giới cấp huyện.", "Boundaries of districts and the city."),
        model=District,
        geometry="MULTIPOLYGON",
        fields=(*UNIT_FIELDS, *UNIT_TAIL),
        style=Style(
            "#115e59", outline="#115e59", opacity=0.0, label="name", label_minzoom=8, label_points=True
        ),
        subtitle=("kind",),
        is_coverage=True,
        by_edition=True,
        temporal_field="valid_from",
        temporal_end="valid_to",
        visible_at_start=True,
    ),
    Layer(
        id="communes",
        title=Label("Xã, phường, thị trấn", "Communes"),
        group=TERRITORY,
        description=Label("Ranh giới cấp xã.", "Boundaries of communes, wards and townships."),
        model=Commune,
        geometry="MULTIPOLYGON",
        fields=(
            *UNIT_FIELDS,
            _f("district_code", "Mã huyện", "District code", source="district.code"),
            _f("district_name", "Huyện, thành phố", "District", source="district.name"),
            *UNIT_TAIL,
        ),
        style=Style(
            "#e7efe6", outline="#5b7f78", opacity=0.35, label="name", label_minzoom=10, label_points=True
        ),
        subtitle=("district_name",),
        is_coverage=True,
        by_edition=True,
        temporal_field="valid_from",
        temporal_end="valid_to",
        has_page=True,
        visible_at_start=True,
    ),
    Layer(
        id="growing_areas",
        title=Label("Vùng trồng, vùng nuôi", "Growing areas"),
        group=PRODUCTION,
        description=Label(
            "Vùng trồng trọt, nuôi trồng thủy sản và rừng lấy mật.",
            "Areas of crops, aquaculture and honey forest.",
        ),
        model=GrowingArea,
        geometry="MULTIPOLYGON",
        fields=(
            _f("name", "Tên vùng", "Name", writable=True, required=True),
            _f("crop", "Cây trồng, vật nuôi", "Crop or species", writable=True, required=True, codes="crop"),
            _f("variety", "Giống", "Variety", writable=True),
            _f(
                "farming_system",
                "Hình thức canh tác",
                "Farming system",
                writable=True,
                codes="farming_system",
            ),
            *PLACE,
            _f("hamlet", "Ấp, khóm", "Hamlet", writable=True),
            _f(
                "declared_area_ha",
                "Diện tích kê khai",
                "Declared area",
                NUMBER,
                unit=HECTARES,
                writable=True,
                minimum=0,
            ),
            _f("area_ha", "Diện tích đo trên bản đồ", "Mapped area", NUMBER, unit=HECTARES),
            _f("households", "Số hộ", "Households", INTEGER, writable=True, minimum=0),
            _f(
                "expected_output_t",
                "Sản lượng dự kiến",
                "Expected output",
                NUMBER,
                unit=TONNES,
                writable=True,
                minimum=0,
            ),
            _f(
                "crops_per_year",
                "Số vụ mỗi năm",
                "Crops per year",
                INTEGER,
                writable=True,
                minimum=0,
                maximum=12,
            ),
            _f("code_summary", "Mã số vùng", "Area codes"),
            _f("coding_status", "Tình trạng mã số", "Code status", writable=True, codes="coding_status"),
            _f(
                "coding_obstacle",
                "Vướng mắc cấp mã",
                "Obstacle to a code",
                audience=STAFF,
                writable=True,
                codes="coding_obstacle",
                in_tiles=False,
            ),
            _f("certification_summary", "Chứng nhận", "Certifications"),
            _f(
                "producer_id",
                "Số chủ thể",
                "Producer id",
                INTEGER,
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            _f("producer_name", "Chủ thể", "Producer", source="producer.name"),
            _f("owner_name", "Người đăng ký", "Registrant", audience=STAFF, writable=True, in_tiles=False),
            _f("owner_phone", "Điện thoại", "Telephone", audience=STAFF, writable=True, in_tiles=False),
            _f(
                "owner_id_number",
                "Số CCCD",
                "Identity number",
                audience=RESTRICTED,
                writable=True,
                in_tiles=False,
            ),
            _f("description", "Mô tả", "Description", writable=True, multiline=True, in_tiles=False),
            *PUBLICATION,
        ),
        style=Style(
            "#3f8f6b", outline="#ffffff", by="crop", colors=CROP_COLORS, label="name", label_minzoom=14
        ),
        subtitle=("commune_name", "district_name"),
        declared_area="declared_area_ha",
        detail_zoom=10,
        overview_by="crop",
        has_page=True,
        visible_at_start=True,
        editable_in_office=True,
        depends_on=("communes", "districts", "producers"),
    ),
    Layer(
        id="craft_villages",
        title=Label("Làng nghề", "Craft villages"),
        group=VILLAGES,
        description=Label(
            "Nghề truyền thống, làng nghề, làng nghề truyền thống (Nghị định 52/2018/NĐ-CP).",
            "Traditional trades, craft villages and traditional craft villages (Decree 52/2018/NĐ-CP).",
        ),
        model=CraftVillage,
        geometry="MULTIPOLYGON",
        fields=(
            _f("name", "Tên", "Name", writable=True, required=True),
            _f("name_en", "Tên tiếng Anh", "English name", writable=True),
            _f("code", "Mã", "Code", writable=True),
            _f("kind", "Loại", "Kind", writable=True, required=True, codes="village_kind"),
            _f(
                "trade_group",
                "Nhóm ngành nghề",
                "Trade group",
                writable=True,
                required=True,
                codes="trade_group",
            ),
            _f("craft", "Nghề", "Craft", writable=True, required=True),
            *PLACE,
            _f("hamlet", "Ấp, khóm", "Hamlet", writable=True),
            _f(
                "founded_year",
                "Năm hình thành",
                "Founded",
                INTEGER,
                writable=True,
                minimum=1000,
                maximum=2100,
            ),
            _f("founder", "Tổ nghề", "Founder of the trade", writable=True),
            _f("decision_number", "Số quyết định", "Decision number", writable=True),
            _f("decision_date", "Ngày quyết định", "Decision date", DATE, writable=True),
            _f("decision_by", "Cơ quan quyết định", "Decided by", writable=True),
            _f("households", "Tổng số hộ", "Households", INTEGER, writable=True, minimum=0),
            _f("trade_households", "Số hộ làm nghề", "Trade households", INTEGER, writable=True, minimum=0),
            _f(
                "trade_share",
                "Tỷ lệ hộ làm nghề",
                "Share of trade households",
                NUMBER,
                unit=PERCENT,
                source=_percent("trade_households", "households"),
            ),
            _f("workers", "Lao động", "Workers", INTEGER, writable=True, minimum=0),
            _f(
                "income_million",
                "Thu nhập bình quân",
                "Mean income",
                NUMBER,
                unit=MILLION_DONG,
                writable=True,
            ),
            _f(
                "environment",
                "Bảo vệ môi trường",
                "Environment",
                writable=True,
                multiline=True,
                in_tiles=False,
            ),
            _f("story", "Câu chuyện", "Story", writable=True, multiline=True, in_tiles=False),
            _f(
                "story_en",
                "Câu chuyện (tiếng Anh)",
                "Story (English)",
                writable=True,
                multiline=True,
                in_tiles=False,
            ),
            _f("area_ha", "Diện tích đo trên bản đồ", "Mapped area", NUMBER, unit=HECTARES),
            _f("contact_name", "Người liên hệ", "Contact", audience=STAFF, writable=True, in_tiles=False),
            _f(
                "contact_phone",
                "Điện thoại liên hệ",
                "Contact phone",
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            *PUBLICATION,
        ),
        style=Style(
            "#c2410c", outline="#7c2d12", opacity=0.45, label="name", label_minzoom=11, label_points=True
        ),
        subtitle=("craft", "commune_name"),
        has_page=True,
        visible_at_start=True,
        editable_in_office=True,
        depends_on=("communes", "districts"),
    ),
    Layer(
        id="craft_village_points",
        title=Label("Điểm tham quan làng nghề", "Craft village visitor points"),
        group=VILLAGES,
        description=Label("Nơi làng nghề đón khách.", "Where craft villages receive visitors."),
        model=CraftVillagePoint,
        geometry="POINT",
        fields=(
            _f("name", "Tên", "Name", writable=True, required=True),
            _f("name_en", "Tên tiếng Anh", "English name", writable=True),
            _f("kind", "Loại điểm", "Kind", writable=True, required=True, codes="point_kind"),
            _f("village_id", "Số làng nghề", "Village id", INTEGER, writable=True, required=True),
            _f("village_name", "Làng nghề", "Craft village", source="village.name"),
            *PLACE,
            _f("opening_hours", "Giờ mở cửa", "Opening hours", writable=True),
            _f(
                "visit_minutes",
                "Thời lượng tham quan",
                "Visit length",
                INTEGER,
                unit=MINUTES,
                writable=True,
                minimum=0,
            ),
            _f("capacity", "Sức chứa", "Capacity", INTEGER, unit=VISITORS, writable=True, minimum=0),
            _f("price_vnd", "Giá vé", "Price", INTEGER, unit=DONG, writable=True, minimum=0),
            _f("hands_on", "Trải nghiệm làm nghề", "Hands-on", BOOLEAN, writable=True),
            _f("homestay", "Lưu trú", "Homestay", BOOLEAN, writable=True),
            _f("step_free", "Lối đi không bậc", "Step-free access", BOOLEAN, writable=True),
            _f("toilet", "Nhà vệ sinh", "Toilet", BOOLEAN, writable=True),
            _f("coach_parking", "Chỗ đậu xe khách", "Coach parking", BOOLEAN, writable=True),
            _f("languages", "Ngôn ngữ", "Languages", writable=True),
            _f("visitor_phone", "Điện thoại đón khách", "Visitor phone", writable=True, in_tiles=False),
            _f("checked_on", "Kiểm tra ngày", "Checked on", DATE, writable=True),
            _f("checked_by", "Người kiểm tra", "Checked by", writable=True, in_tiles=False),
            *PUBLICATION,
        ),
        style=Style("#c2410c", outline="#ffffff", opacity=1, radius=6, label="name", label_minzoom=12),
        subtitle=("village_name",),
        depends_on=("craft_villages", "communes", "districts"),
    ),
    Layer(
        id="producers",
        title=Label("Chủ thể OCOP", "Producers"),
        group=PROGRAMME,
        description=Label(
            "Doanh nghiệp, hợp tác xã, tổ hợp tác, hộ kinh doanh.",
            "Enterprises, cooperatives, groups, households.",
        ),
        model=Producer,
        geometry="POINT",
        fields=(
            _f("name", "Tên chủ thể", "Name", writable=True, required=True),
            _f("kind", "Loại hình", "Kind", writable=True, required=True, codes="producer_kind"),
            *PLACE,
            _f("address", "Địa chỉ", "Address", writable=True),
            _f(
                "founded_year", "Năm thành lập", "Founded", INTEGER, writable=True, minimum=1900, maximum=2100
            ),
            _f("workers", "Lao động", "Workers", INTEGER, writable=True, minimum=0),
            _f("women_led", "Do phụ nữ làm chủ", "Led by women", BOOLEAN, writable=True),
            _f("website", "Trang mạng", "Website", writable=True, in_tiles=False),
            _f("description", "Giới thiệu", "About", writable=True, multiline=True, in_tiles=False),
            _f(
                "registration_number",
                "Số đăng ký",
                "Registration",
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            _f(
                "registered_on",
                "Ngày đăng ký",
                "Registered on",
                DATE,
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            _f(
                "representative",
                "Người đại diện",
                "Representative",
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            _f("phone", "Điện thoại", "Telephone", audience=STAFF, writable=True, in_tiles=False),
            _f("email", "Thư điện tử", "E-mail", audience=STAFF, writable=True, in_tiles=False),
            _f("id_number", "Số CCCD", "Identity number", audience=RESTRICTED, writable=True, in_tiles=False),
            *PUBLICATION,
        ),
        style=Style("#1d4ed8", opacity=1, radius=4, label="name", label_minzoom=14),
        subtitle=("kind", "commune_name"),
        has_page=True,
        depends_on=("communes", "districts"),
    ),
    Layer(
        id="products",
        title=Label("Sản phẩm OCOP", "OCOP products"),
        group=PROGRAMME,
        description=Label("Sản phẩm và hạng sao đang có hiệu lực.", "Products and the star they hold now."),
        model=Product,
        geometry="POINT",
        fields=(
            _f("name", "Tên sản phẩm", "Name", writable=True, required=True),
            _f("name_en", "Tên tiếng Anh", "English name", writable=True),
            _f(
                "product_set",
                "Bộ sản phẩm",
                "Product set",
                INTEGER,
                writable=True,
                required=True,
                codes="product_set",
            ),
            _f("stars", "Hạng sao", "Stars", INTEGER, codes="stars"),
            _f(
                "producer_id",
                "Số chủ thể",
                "Producer id",
                INTEGER,
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            _f("producer_name", "Chủ thể", "Producer", source="producer.name"),
            *PLACE,
            _f("craft_village_name", "Làng nghề", "Craft village", source="craft_village.name"),
            _f("certificate_number", "Số giấy chứng nhận", "Certificate number"),
            _f("decision_number", "Số quyết định", "Decision number"),
            _f("certified_on", "Ngày công nhận", "Certified on", DATE),
            _f("expires_on", "Hết hạn", "Expires on", DATE),
            _f("certified_by", "Cơ quan công nhận", "Certified by"),
            _f("packaging", "Quy cách", "Packaging", writable=True, in_tiles=False),
            _f("price_vnd", "Giá tham khảo", "Price", INTEGER, unit=DONG, writable=True, minimum=0),
            _f("gtin", "Mã GTIN", "GTIN", writable=True, in_tiles=False),
            _f("story", "Câu chuyện sản phẩm", "Story", writable=True, multiline=True, in_tiles=False),
            _f(
                "story_en",
                "Câu chuyện (tiếng Anh)",
                "Story (English)",
                writable=True,
                multiline=True,
                in_tiles=False,
            ),
            _f("description", "Mô tả", "Description", writable=True, multiline=True, in_tiles=False),
            _f(
                "annual_revenue_million",
                "Doanh thu năm",
                "Annual revenue",
                NUMBER,
                unit=MILLION_DONG,
                audience=STAFF,
                writable=True,
                in_tiles=False,
            ),
            *PUBLICATION,
        ),
        style=Style(
            "#94a3b8", opacity=1, by="stars", colors=STAR_COLORS, radius=5, label="name", label_minzoom=13
        ),
        subtitle=("producer_name", "commune_name"),
        temporal_field="certified_on",
        has_page=True,
        visible_at_start=True,
        depends_on=("producers", "craft_villages", "communes", "districts"),
    ),
    Layer(
        id="lots",
        title=Label("Lô sản phẩm", "Product lots"),
        group=PROGRAMME,
        description=Label("Lô sản xuất có truy xuất nguồn gốc.", "Production lots with traceability."),
        model=Lot,
        geometry="POINT",
        name_field="lot_number",
        search_title="lot_number",
        fields=(
            _f("lot_number", "Số lô", "Lot number", writable=True, required=True, while_=LOT_UNNAMED),
            _f(
                "product_id",
                "Số sản phẩm",
                "Product id",
                INTEGER,
                writable=True,
                required=True,
                while_=LOT_UNNAMED,
            ),
            _f("product_name", "Sản phẩm", "Product", source="product.name"),
            _f("producer_name", "Chủ thể", "Producer", source="producer.name"),
            *PLACE,
            _f("produced_on", "Ngày sản xuất", "Produced on", DATE, writable=True, while_=LOT_OPEN),
            _f("expires_on", "Hạn sử dụng", "Best before", DATE, writable=True, while_=LOT_OPEN),
            _f("quantity", "Số lượng", "Quantity", NUMBER, writable=True, minimum=0, while_=LOT_OPEN),
            _f("unit", "Đơn vị", "Unit", writable=True, while_=LOT_OPEN),
            _f("lot_status", "Tình trạng", "Status", codes="lot_status"),
            _f("note", "Ghi chú nội bộ", "Internal note", audience=STAFF, writable=True, in_tiles=False),
            *PUBLICATION,
        ),
        style=Style(
            "#64748b",
            opacity=1,
            by="lot_status",
            colors={"open": "#64748b", "released": "#15803d", "held": "#b45309", "recalled": "#b91c1c"},
            radius=4,
        ),
        subtitle=("product_name",),
        temporal_field="produced_on",
        minzoom=8,
        has_page=True,
        depends_on=("products", "producers", "communes", "districts"),
    ),
    Layer(
        id="sale_points",
        title=Label("Điểm bán hàng OCOP", "OCOP sale points"),
        group=PROGRAMME,
        description=Label("Nơi bán sản phẩm OCOP.", "Where OCOP products are sold."),
        model=SalePoint,
        geometry="POINT",
        fields=(
            _f("name", "Tên", "Name", writable=True, required=True),
            _f("kind", "Loại điểm bán", "Kind", writable=True, required=True, codes="sale_point_kind"),
            *PLACE,
            _f("address", "Địa chỉ", "Address", writable=True),
            _f("opening_hours", "Giờ mở cửa", "Opening hours", writable=True),
            _f("shop_phone", "Điện thoại cửa hàng", "Shop telephone", writable=True, in_tiles=False),
            *PUBLICATION,
        ),
        style=Style("#7e22ce", opacity=1, radius=5, label="name", label_minzoom=13),
        subtitle=("kind", "commune_name"),
        depends_on=("communes", "districts"),
    ),
)

_BY_ID = {layer.id: layer for layer in LAYERS}


def layer(layer_id: str) -> Layer:
    """Return a layer by its id; KeyError when there is none."""
    return _BY_ID[layer_id]


def layer_of_table(table: str) -> Layer | None:
    """Return the layer that publishes a table, if one does."""
    return _BY_ID.get(table)
