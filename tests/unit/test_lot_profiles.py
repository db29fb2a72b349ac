"""Profiles of lot dossiers: complete reference data, one file for form, check and list; limits and measures."""

from __future__ import annotations

import datetime as dt

import jsonschema
import pytest

from data.codes import code_list
from data.traceability import schemas
from data.traceability.limits import judge
from data.traceability.lotnumbers import LotNumberError, lot_number
from data.traceability.measures import UOMS, amount, content_of, uom_of
from data.traceability.profiles import NoLots, Profile, blocks, profile_for, profiles

DAY = dt.date(2026, 6, 1)
WITH_LOTS = [p for p in profiles().values() if p.has_lots]
WHEN = {"open", "release", "after", ""}


def test_every_product_set_of_2026_has_a_profile_and_tourism_has_no_lots() -> None:
    sets = [int(value) for value in code_list("product_set")]
    assert sorted(sets) == list(range(1, 27))
    for number in sets:
        if number == 26:
            with pytest.raises(NoLots):
                profile_for(number, "Du lịch", DAY)
        else:
            assert number in profile_for(number, "Sản phẩm bất kỳ", DAY).sets


def test_the_six_sectors_are_there() -> None:
    assert {p.sector for p in profiles().values()} == {
        "food",
        "drink",
        "herbal",
        "craft",
        "ornamental",
        "tourism",
    }


@pytest.mark.parametrize(
    ("product_set", "name", "profile"),
    [
        (8, "Tôm khô tách vỏ Minh Hoạ", "dried_shrimp"),
        (8, "TÔM KHÔ loại nhất", "dried_shrimp"),
        (8, "Khô cá đù một nắng", "dried_fish"),
        (8, "Ba khía trộn sẵn", "dried_fish"),
        (8, "Chả tôm", "food"),
        (9, "Nước mắm cá cơm", "fish_sauce"),
        (9, "Nước mắm ruốc", "fish_sauce"),
        (3, "Gạo lứt", "rice"),
        (4, "Mật ong rừng tràm", "honey"),
        (4, "Phấn hoa rừng", "food"),
        (2, "Cua gạch sống", "fresh"),
        (15, "Rượu mật ong", "drink"),
        (20, "Tinh dầu tràm", "herbal"),
        (21, "Chiếu lác bông", "craft"),
        (24, "Kiểng mai vàng", "ornamental"),
    ],
)
def test_goods_find_the_narrowest_profile(product_set: int, name: str, profile: str) -> None:
    assert profile_for(product_set, name, DAY).id == profile
    # Lots from before the first edition follow it too.
    assert profile_for(product_set, name, dt.date(2020, 1, 1)).id == profile


@pytest.mark.parametrize("profile", profiles().values(), ids=lambda p: p.id)
def test_a_profile_is_whole(profile: Profile) -> None:
    assert profile.title["vi"] and profile.title["en"] and profile.basis
    assert profile.valid_from == dt.date(2024, 6, 1)  # Circular 02/2024/TT-BKHCN is in force from that day
    assert set(profile.blocks) <= set(blocks()) and set(profile.blocks.values()) <= WHEN
    codes = [s.code for s in profile.steps]
    assert len(codes) == len(set(codes))
    for step in profile.steps:
        assert step.title["vi"] and step.title["en"]
        for asked in step.parameters:
            assert asked.type in ("number", "text") and asked.title["vi"] and asked.title["en"]
            if asked.minimum is not None and asked.maximum is not None:
                assert asked.minimum < asked.maximum
    # No limit of law is made up: each says whose it is.
    assert all(t.limit_source["vi"] == "theo công bố của cơ sở" for t in profile.tests)
    if profile.sample:
        assert profile.sample.uom in UOMS and profile.sample.margin_days > 0
    if profile.yields:
        assert 0 < profile.yields.low < profile.yields.high
    assert ("sample" in profile.blocks and profile.blocks["sample"] == "release") == (
        profile.sample is not None
    )


@pytest.mark.parametrize("profile", WITH_LOTS, ids=lambda p: p.id)
def test_a_profile_compiles_to_json_schema(profile: Profile) -> None:
    document = schemas.schema_document(profile)
    for name, schema in document["$defs"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False, name
    assert {f"step/{s.code}" for s in profile.steps} <= set(document["$defs"])


def test_the_schema_and_the_check_agree() -> None:
    profile = profiles()["dried_shrimp"]
    good = {"person": "An", "parameters": {"temperature": 98.0, "minutes": 12.0}}
    validator = jsonschema.Draft202012Validator(schemas.schema_of(profile, "step", "boiling"))
    schemas.check(profile, "step", good, "boiling")
    assert validator.is_valid(good)
    for bad, field in (
        ({**good, "parameters": {"temperature": 98.0}}, "p:minutes"),
        ({**good, "parameters": {**good["parameters"], "salinity": 31}}, "p:salinity"),  # type: ignore[dict-item]
        ({"parameters": good["parameters"]}, "person"),
        ({**good, "cleaning": "maybe"}, "cleaning"),
        ({**good, "person": "x" * 3000}, "person"),
    ):
        assert not validator.is_valid(bad)
        with pytest.raises(schemas.Faulty) as refused:
            schemas.check(profile, "step", bad, "boiling")
        assert list(refused.value.faults) == [field]


def test_a_day_that_is_none_is_told() -> None:
    values = {
        "quantity": 1,
        "uom": "EA",
        "place": "A",
        "keptOn": "2026-02-30",
        "retainUntil": "2026-03-01",
        "keptBy": "A",
    }
    with pytest.raises(schemas.Faulty, match="phải là ngày"):
        schemas.check(profiles()["food"], "sample", values)


@pytest.mark.parametrize(
    ("value", "limit", "kept"),
    [
        ("18", "≤ 20", True),
        ("18,5 %", "≤ 20 %", True),
        ("20", "< 20", False),
        ("20", "20", True),
        ("31", "không quá 20", False),
        ("25", "≥ 30", False),
        ("35", "≥ 30", True),
        ("7", "6 - 8", True),
        ("9", "6–8", False),
        ("KPH", "không phát hiện", True),
        ("Âm tính", "KPH", True),
        ("dương tính", "âm tính", False),
        ("12", "không phát hiện", False),
        ("KPH", "≤ 0,5", True),
        ("< 10", "≤ 10", True),
        ("< 10", "≤ 5", None),
        ("đặc trưng", "đặc trưng", None),
        ("18", "", None),
        ("", "≤ 20", None),
    ],
)
def test_results_are_held_against_limits_as_laboratories_write_them(
    value: str, limit: str, kept: bool | None
) -> None:
    assert judge(value, limit) is kept


@pytest.mark.parametrize(
    ("text", "amount_", "dimension"),
    [
        ("gói 200 g", 0.2, "mass"),
        ("chai 500 ml", 0.5, "volume"),
        ("túi 5 kg", 5, "mass"),
        ("can 1,5 lít", 1.5, "volume"),
        ("khay 500 g cấp đông", 0.5, "mass"),
    ],
)
def test_what_a_package_holds_is_read_from_its_description(text: str, amount_: float, dimension: str) -> None:
    found = content_of(text)
    assert found is not None and found.value == pytest.approx(amount_) and found.dimension == dimension


def test_units_are_those_of_the_standard_and_the_words_of_people() -> None:
    assert [uom_of(u) for u in ("kg", "Tấn", "lít", "ml", "g", "hộp", None)] == [
        "KGM",
        "TNE",
        "LTR",
        "MLT",
        "GRM",
        "EA",
        "EA",
    ]
    assert content_of("thùng 10 trái") is None
    told = amount(2, "TNE")
    assert told is not None and (told.value, told.dimension) == (2000, "mass")
    assert amount(1, "XXX") is None


def test_lot_numbers_fit_a_code_without_escapes() -> None:
    assert lot_number(" l260610-01 ") == "L260610-01"
    for bad in ("", "LÔ1", "A/B", "A" * 21, "A B", "A+B"):
        with pytest.raises(LotNumberError):
            lot_number(bad)
