"""The record: units, areas, villages, producers, products, lots, people and bookkeeping."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Geometry, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _spatial_index(table: str) -> None:
    """PostGIS gets a GiST index; a GeoPackage gets its R-tree when the table is created."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(f"idx_{table}_geom", table, ["geom"], postgresql_using="gist")


def upgrade() -> None:
    op.create_table(
        "audit_rows",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.Text()),
        sa.Column("account_id", sa.Integer()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Integer()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", Document()),
        sa.Column("after", Document()),
        sa.Column("reason", sa.Text()),
        sa.Column("adopted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_rows_adopted", "audit_rows", ["adopted"])
    op.create_index("ix_audit_rows_table_name_row_id", "audit_rows", ["table_name", "row_id"])
    op.create_table(
        "edit_contexts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("inside", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "editions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("decree", sa.Text()),
        sa.UniqueConstraint("code"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "layer_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_layer_changes_table_name_revision", "layer_changes", ["table_name", "revision"])
    op.create_table(
        "layer_revisions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("changed_at", Moment()),
        sa.UniqueConstraint("table_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "photos",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("alt", sa.Text()),
        sa.Column("alt_en", sa.Text()),
        sa.Column("credit", sa.Text()),
        sa.Column("licence", sa.Text()),
        sa.Column("taken_at", Moment()),
        sa.Column("longitude", sa.Double()),
        sa.Column("latitude", sa.Double()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_photos_sha256", "photos", ["sha256"])
    op.create_index("ix_photos_table_name_row_id", "photos", ["table_name", "row_id"])
    op.create_table(
        "provinces",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.Column("area_ha", sa.Double()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("MULTIPOLYGON", spatial_index=False)),
        sa.UniqueConstraint("edition", "code"),
        sqlite_autoincrement=True,
    )
    _spatial_index("provinces")
    op.create_index("ix_provinces_edition", "provinces", ["edition"])
    op.create_table(
        "record_facts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "districts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("province_id", sa.Integer(), sa.ForeignKey("provinces.id")),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.Column("area_ha", sa.Double()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("MULTIPOLYGON", spatial_index=False)),
        sa.UniqueConstraint("edition", "code"),
        sqlite_autoincrement=True,
    )
    _spatial_index("districts")
    op.create_index("ix_districts_edition", "districts", ["edition"])
    op.create_index("ix_districts_province_id", "districts", ["province_id"])
    op.create_table(
        "communes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("province_id", sa.Integer(), sa.ForeignKey("provinces.id")),
        sa.Column("district_id", sa.Integer(), sa.ForeignKey("districts.id")),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.Column("area_ha", sa.Double()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("MULTIPOLYGON", spatial_index=False)),
        sa.UniqueConstraint("edition", "code"),
        sqlite_autoincrement=True,
    )
    _spatial_index("communes")
    op.create_index("ix_communes_district_id", "communes", ["district_id"])
    op.create_index("ix_communes_edition", "communes", ["edition"])
    op.create_index("ix_communes_province_id", "communes", ["province_id"])
    op.create_table(
        "commune_successions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("old_id", sa.Integer(), sa.ForeignKey("communes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("new_id", sa.Integer(), sa.ForeignKey("communes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("area_ha", sa.Double()),
        sa.Column("share_of_old", sa.Double(), nullable=False),
        sa.Column("share_of_new", sa.Double(), nullable=False),
        sa.Column("decree", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_commune_successions_new_id", "commune_successions", ["new_id"])
    op.create_index("ix_commune_successions_old_id", "commune_successions", ["old_id"])
    op.create_table(
        "craft_villages",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("code", sa.Text()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("trade_group", sa.Text(), nullable=False),
        sa.Column("craft", sa.Text(), nullable=False),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("hamlet", sa.Text()),
        sa.Column("founded_year", sa.Integer()),
        sa.Column("founder", sa.Text()),
        sa.Column("decision_number", sa.Text()),
        sa.Column("decision_date", sa.Date()),
        sa.Column("decision_by", sa.Text()),
        sa.Column("households", sa.Integer()),
        sa.Column("trade_households", sa.Integer()),
        sa.Column("workers", sa.Integer()),
        sa.Column("income_million", sa.Double()),
        sa.Column("environment", sa.Text()),
        sa.Column("story", sa.Text()),
        sa.Column("story_en", sa.Text()),
        sa.Column("contact_name", sa.Text()),
        sa.Column("contact_phone", sa.Text()),
        sa.Column("area_ha", sa.Double()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("MULTIPOLYGON", spatial_index=False)),
        sqlite_autoincrement=True,
    )
    _spatial_index("craft_villages")
    op.create_index("ix_craft_villages_commune_id", "craft_villages", ["commune_id"])
    op.create_table(
        "producers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("address", sa.Text()),
        sa.Column("registration_number", sa.Text()),
        sa.Column("registered_on", sa.Date()),
        sa.Column("founded_year", sa.Integer()),
        sa.Column("workers", sa.Integer()),
        sa.Column("women_led", sa.Boolean()),
        sa.Column("website", sa.Text()),
        sa.Column("representative", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("id_number", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("POINT", spatial_index=False)),
        sqlite_autoincrement=True,
    )
    _spatial_index("producers")
    op.create_index("ix_producers_commune_id", "producers", ["commune_id"])
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("password_hash", sa.Text()),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("district_id", sa.Integer(), sa.ForeignKey("districts.id")),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("last_login_at", Moment()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("username"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "artisans",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "village_id", sa.Integer(), sa.ForeignKey("craft_villages.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("awarded_year", sa.Integer()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_artisans_village_id", "artisans", ["village_id"])
    op.create_table(
        "craft_village_points",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "village_id", sa.Integer(), sa.ForeignKey("craft_villages.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opening_hours", sa.Text()),
        sa.Column("visit_minutes", sa.Integer()),
        sa.Column("capacity", sa.Integer()),
        sa.Column("price_vnd", sa.Integer()),
        sa.Column("hands_on", sa.Boolean()),
        sa.Column("homestay", sa.Boolean()),
        sa.Column("step_free", sa.Boolean()),
        sa.Column("toilet", sa.Boolean()),
        sa.Column("coach_parking", sa.Boolean()),
        sa.Column("languages", sa.Text()),
        sa.Column("visitor_phone", sa.Text()),
        sa.Column("checked_on", sa.Date()),
        sa.Column("checked_by", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("POINT", spatial_index=False)),
        sqlite_autoincrement=True,
    )
    _spatial_index("craft_village_points")
    op.create_index("ix_craft_village_points_commune_id", "craft_village_points", ["commune_id"])
    op.create_index("ix_craft_village_points_village_id", "craft_village_points", ["village_id"])
    op.create_table(
        "craft_village_years",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "village_id", sa.Integer(), sa.ForeignKey("craft_villages.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer()),
        sa.Column("trade_households", sa.Integer()),
        sa.Column("workers", sa.Integer()),
        sa.Column("women", sa.Integer()),
        sa.Column("income_million", sa.Double()),
        sa.Column("revenue_million", sa.Double()),
        sa.UniqueConstraint("village_id", "year"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_craft_village_years_village_id", "craft_village_years", ["village_id"])
    op.create_table(
        "growing_areas",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("hamlet", sa.Text()),
        sa.Column("crop", sa.Text(), nullable=False),
        sa.Column("variety", sa.Text()),
        sa.Column("farming_system", sa.Text()),
        sa.Column("declared_area_ha", sa.Double()),
        sa.Column("area_ha", sa.Double()),
        sa.Column("households", sa.Integer()),
        sa.Column("expected_output_t", sa.Double()),
        sa.Column("crops_per_year", sa.Integer()),
        sa.Column("season_calendar", Document()),
        sa.Column("code_summary", sa.Text()),
        sa.Column("coding_status", sa.Text()),
        sa.Column("coding_obstacle", sa.Text()),
        sa.Column("certification_summary", sa.Text()),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("owner_name", sa.Text()),
        sa.Column("owner_phone", sa.Text()),
        sa.Column("owner_id_number", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("MULTIPOLYGON", spatial_index=False)),
        sqlite_autoincrement=True,
    )
    _spatial_index("growing_areas")
    op.create_index("ix_growing_areas_commune_id", "growing_areas", ["commune_id"])
    op.create_index("ix_growing_areas_producer_id", "growing_areas", ["producer_id"])
    op.create_table(
        "producer_upgrades",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "producer_id", sa.Integer(), sa.ForeignKey("producers.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("from_kind", sa.Text(), nullable=False),
        sa.Column("to_kind", sa.Text(), nullable=False),
        sa.Column("upgraded_on", sa.Date(), nullable=False),
        sa.Column("document", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_producer_upgrades_producer_id", "producer_upgrades", ["producer_id"])
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text()),
        sa.Column("product_set", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("craft_village_id", sa.Integer(), sa.ForeignKey("craft_villages.id")),
        sa.Column("stars", sa.Integer()),
        sa.Column("certificate_number", sa.Text()),
        sa.Column("decision_number", sa.Text()),
        sa.Column("certified_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("certified_by", sa.Text()),
        sa.Column("packaging", sa.Text()),
        sa.Column("price_vnd", sa.Integer()),
        sa.Column("gtin", sa.Text()),
        sa.Column("story", sa.Text()),
        sa.Column("story_en", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("annual_revenue_million", sa.Double()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("POINT", spatial_index=False)),
        sqlite_autoincrement=True,
    )
    _spatial_index("products")
    op.create_index("ix_products_commune_id", "products", ["commune_id"])
    op.create_index("ix_products_craft_village_id", "products", ["craft_village_id"])
    op.create_index("ix_products_producer_id", "products", ["producer_id"])
    op.create_table(
        "sale_points",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("address", sa.Text()),
        sa.Column("opening_hours", sa.Text()),
        sa.Column("shop_phone", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("POINT", spatial_index=False)),
        sqlite_autoincrement=True,
    )
    _spatial_index("sale_points")
    op.create_index("ix_sale_points_commune_id", "sale_points", ["commune_id"])
    op.create_index("ix_sale_points_producer_id", "sale_points", ["producer_id"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id"])
    op.create_index("ix_api_keys_prefix", "api_keys", ["prefix"])
    op.create_table(
        "certifications",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "area_id", sa.Integer(), sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("number", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("area_ha", sa.Double()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_certifications_area_id", "certifications", ["area_id"])
    op.create_table(
        "growing_area_codes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "area_id", sa.Integer(), sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("market", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.UniqueConstraint("scheme", "code"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_growing_area_codes_area_id", "growing_area_codes", ["area_id"])
    op.create_table(
        "growing_area_status_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "area_id", sa.Integer(), sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.Column("document", sa.Text()),
        sa.Column("reason", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_growing_area_status_changes_area_id", "growing_area_status_changes", ["area_id"])
    op.create_table(
        "lots",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id"), nullable=False),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("lot_number", sa.Text(), nullable=False),
        sa.Column("produced_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("quantity", sa.Double()),
        sa.Column("unit", sa.Text()),
        sa.Column("lot_status", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False, server_default="published"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("geom", Geometry("POINT", spatial_index=False)),
        sa.UniqueConstraint("product_id", "lot_number"),
        sqlite_autoincrement=True,
    )
    _spatial_index("lots")
    op.create_index("ix_lots_commune_id", "lots", ["commune_id"])
    op.create_index("ix_lots_producer_id", "lots", ["producer_id"])
    op.create_index("ix_lots_product_id", "lots", ["product_id"])
    op.create_table(
        "product_growing_areas",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "product_id", sa.Integer(), sa.ForeignKey("products.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "growing_area_id",
            sa.Integer(),
            sa.ForeignKey("growing_areas.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.UniqueConstraint("product_id", "growing_area_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_product_growing_areas_growing_area_id", "product_growing_areas", ["growing_area_id"])
    op.create_index("ix_product_growing_areas_product_id", "product_growing_areas", ["product_id"])
    op.create_table(
        "product_sale_points",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "product_id", sa.Integer(), sa.ForeignKey("products.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "sale_point_id", sa.Integer(), sa.ForeignKey("sale_points.id", ondelete="CASCADE"), nullable=False
        ),
        sa.UniqueConstraint("product_id", "sale_point_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_product_sale_points_product_id", "product_sale_points", ["product_id"])
    op.create_index("ix_product_sale_points_sale_point_id", "product_sale_points", ["sale_point_id"])
    op.create_table(
        "lot_growing_areas",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lots.id", ondelete="CASCADE"), nullable=False),
        sa.Column("growing_area_id", sa.Integer(), sa.ForeignKey("growing_areas.id"), nullable=False),
        sa.Column("share", sa.Double()),
        sa.UniqueConstraint("lot_id", "growing_area_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lot_growing_areas_growing_area_id", "lot_growing_areas", ["growing_area_id"])
    op.create_index("ix_lot_growing_areas_lot_id", "lot_growing_areas", ["lot_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


TABLES = [
    "audit_rows",
    "edit_contexts",
    "editions",
    "layer_changes",
    "layer_revisions",
    "photos",
    "provinces",
    "record_facts",
    "districts",
    "communes",
    "commune_successions",
    "craft_villages",
    "producers",
    "accounts",
    "artisans",
    "craft_village_points",
    "craft_village_years",
    "growing_areas",
    "producer_upgrades",
    "products",
    "sale_points",
    "api_keys",
    "certifications",
    "growing_area_codes",
    "growing_area_status_changes",
    "lots",
    "product_growing_areas",
    "product_sale_points",
    "lot_growing_areas",
]
