"""The story of one demonstration lot, from its material to the buyers, as events of its dossier."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.codes import label
from data.demo import names
from data.demo.dice import Dice
from data.demo.ledger import AS_OF
from data.traceability import blockevents
from data.traceability.blockevents import ZONE, Event, Writing, uri_of
from data.traceability.identifiers import area_uri
from data.traceability.lots import Lot
from data.traceability.measures import content_of, uom_of
from data.traceability.profiles import Analyte, Profile, Step

LABORATORY = "Phòng thử nghiệm Minh Hoạ"
PACKER = "Cơ sở bao bì Minh Hoạ"
_PHONES = 700_000
_COMMON_YIELD = 0.8
#: The rest is in store, in cartons, or went into the goods of others.
_SENT_SHARE = 0.65

#: Step parameter → lowest, highest, digits; a profile's own words for the same code go first.
_MEASURED: Mapping[str, tuple[float, float, int]] = {
    "boiling.temperature": (97, 100, 0),
    "drying.temperature": (48, 62, 0),
    "cold_chain.temperature": (1, 4, 1),
    "grading.temperature": (18, 22, 0),
    "reception.temperature": (2, 6, 1),
    "pasteurising.temperature": (76, 84, 0),
    "dewatering.temperature": (40, 45, 0),
    "extraction.temperature": (96, 100, 0),
    "processing.temperature": (78, 96, 0),
    "salting.hours": (6, 30, 0),
    "drying.hours": (12, 36, 0),
    "processing.hours": (2, 8, 0),
    "extraction.hours": (3, 6, 0),
    "minutes": (8, 20, 0),
    "count": (40, 110, 0),
    "salinity": (2, 5, 1),
    "salt_ratio": (8, 18, 0),
    "fish_to_salt": (3, 4, 1),
    "months": (10, 16, 0),
    "nitrogen": (22, 38, 0),
    "isolation_days": (10, 21, 0),
    "broken": (3, 6, 1),
    "ph": (3.4, 4.1, 1),
    "alcohol": (29, 38, 0),
    "hives": (18, 70, 0),
    "honey.moisture": (18, 20, 1),
    "rice.moisture": (13, 14, 1),
    "dried_shrimp.moisture": (17, 19.5, 1),
    "dried_fish.moisture": (26, 36, 0),
    "moisture": (9, 12, 1),
}
_WORDS = {
    "water": "nước giếng khoan đã kiểm nghiệm",
    "flower": "hoa tràm",
    "vat": "thùng số 3",
    "treatment": "phơi khô, hong khói chống mốc",
    "origin": "giống nhân tại cơ sở",
}
#: Analyte → value, limit.
_RESULTS: Mapping[str, tuple[str, str]] = {
    "e_coli": ("<3", "≤ 10"),
    "salmonella": ("không phát hiện", "không phát hiện"),
    "total_plate_count": ("2300", "≤ 100000"),
    "coliforms": ("<3", "≤ 100"),
    "hmf": ("12", "≤ 40"),
    "total_nitrogen": ("26", "≥ 10"),
    "histamine": ("86", "≤ 400"),
    "residues": ("không phát hiện", "không phát hiện"),
    "heavy_metals": ("0.02", "≤ 0.3"),
    "microbes": ("150", "≤ 10000"),
    "lead": ("0.03", "≤ 0.5"),
    "cadmium": ("0.01", "≤ 0.5"),
    "honey.moisture": ("19.1", "≤ 20"),
    "rice.moisture": ("13.6", "≤ 14.5"),
    "dried_shrimp.moisture": ("18.4", "≤ 20"),
    "moisture": ("10.8", "≤ 14"),
}
_FAILED = {"e_coli": "43", "moisture": "24.5"}


@dataclass(frozen=True)
class Told:
    """An event with the moment at which it happened."""

    at: dt.datetime
    event: Event


@dataclass
class Story:
    """What is told of a lot, in the order of its making."""

    lot: Lot
    profile: Profile
    dice: Dice
    told: list[Told] = field(default_factory=list)
    count: int = 0

    @property
    def day(self) -> dt.date:
        """The day on which the lot was made."""
        assert self.lot.produced_on is not None
        return self.lot.produced_on

    def writing(self, day: dt.date, hour: int, step: str | None = None, serial: str | None = None) -> Writing:
        """Begin an entry at an hour of a day."""
        self.count += 1
        minutes = self.dice.whole(0, 11) * 5
        at = dt.datetime.combine(day, dt.time(hour), ZONE) + dt.timedelta(minutes=minutes)
        number = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:ocop:demo:lot:{self.lot.id}:{self.count}")
        return Writing(self.lot, at, number, step, serial)

    def keep(self, writing: Writing, events: Sequence[Event]) -> None:
        """Add the events of an entry unless they are still to come."""
        if writing.at.date() < AS_OF:
            self.told += [Told(writing.at, event) for event in events]

    def enter(self, day: dt.date, hour: int, block: str, values: Mapping[str, Any], **more: Any) -> Writing:
        """Add an entry to a block of the dossier."""
        writing = self.writing(day, hour, **more)
        self.keep(writing, blockevents.events_of_entry(writing, block, values))
        return writing


def story_of(
    lot: Lot, profile: Profile, areas: Sequence[tuple[int, str, float | None]], shops: Sequence[Any]
) -> Story:
    """Tell a lot from its areas (id, crop, share) to some of the shops (id, name, address)."""
    story = Story(lot, profile, Dice(f"lot story {lot.id}"))
    _open(story)
    _material(story, areas)
    _steps(story)
    _keep_sample(story)
    if profile.holds("packing"):
        _pack(story)
    if any(test.required for test in profile.tests):
        test(story, story.day + dt.timedelta(days=4))
    _release(story)
    _send(story, shops)
    _sorrows(story)
    return story


def _open(story: Story) -> None:
    lot = story.lot
    facts = {
        "quantity": lot.quantity,
        "uom": uom_of(lot.unit),
        "unit": lot.unit,
        "productionDate": story.day.isoformat(),
        **({"expirationDate": lot.expires_on.isoformat()} if lot.expires_on else {}),
        "shift": story.dice.pick(("Ca sáng", "Ca chiều")),
        "packaging": lot.product.packaging,
        "facility": "Xưởng minh hoạ",
    }
    writing = story.writing(story.day, 6)
    story.keep(writing, [blockevents.opened(writing, facts, story.profile.id)])


def mass_of(lot: Lot) -> float:
    """Return about how many kilograms (or litres) a lot is."""
    content = content_of(lot.product.packaging)
    each = content.value if content is not None and uom_of(lot.unit) == "EA" else 1.0
    return (lot.quantity or 0.0) * each


def needed(story: Story) -> float:
    """Return how many kilograms of material a lot took."""
    yields = story.profile.yields
    part = _COMMON_YIELD if yields is None else (yields.low + yields.high) / 2
    return max(1.0, round(mass_of(story.lot) / part * story.dice.between(0.96, 1.04)))


def _material(story: Story, areas: Sequence[tuple[int, str, float | None]]) -> None:
    day = story.day - dt.timedelta(days=story.dice.whole(0, 2))
    whole = needed(story)
    for area, crop, share in areas:
        values = {
            "name": label("crop", crop),
            "role": "main",
            "quantity": round(whole * (share or 1 / len(areas)), 1),
            "uom": "KGM",
            "area": area_uri(area),
            "household": f"Hộ {names.person(story.dice, area % 1000)}",
            "receivedOn": day.isoformat(),
            "document": f"PN-MH-{story.lot.id:04d}",
            "check": "tươi, đạt cảm quan",
        }
        story.enter(day, 5, "input", values)
    if not areas:
        values = {"name": "nguyên liệu chính", "role": "main", "quantity": whole, "uom": "KGM"}
        seller = {
            "supplier": f"Vựa Minh Hoạ {story.lot.id % 40 + 1}",
            "document": f"HĐ-MH-{story.lot.id:04d}",
        }
        story.enter(day, 5, "input", {**values, **seller, "receivedOn": day.isoformat()})
    if story.profile.holds("packing"):
        values = {
            "name": f"bao bì {story.lot.unit}",
            "role": "packaging",
            "quantity": story.lot.quantity,
            "uom": "EA",
        }
        bought = day - dt.timedelta(days=20)
        story.enter(day, 5, "input", {**values, "supplier": PACKER, "receivedOn": bought.isoformat()})


def _steps(story: Story) -> None:
    hour = 7
    for step in story.profile.steps:
        if not step.required and story.dice.chance(0.4):
            continue
        # A few dossiers have a gap, as real ones do.
        if step.required and story.dice.chance(0.03):
            continue
        asked = {p.name: _parameter(story, step, p.name) for p in step.parameters}
        values: dict[str, Any] = {"person": names.person(story.dice, story.lot.id % 900), "cleaning": "done"}
        parameters = {name: value for name, value in asked.items() if value is not None}
        story.enter(
            story.day,
            min(hour, 20),
            "step",
            {**values, **({"parameters": parameters} if parameters else {})},
            step=step.code,
        )
        hour += 2


def _parameter(story: Story, step: Step, name: str) -> Any:
    if name == "artisan":
        return names.person(story.dice, story.lot.id % 900)
    if name == "net_weight":
        content = content_of(story.lot.product.packaging)
        return None if content is None else round(content.value * 1000)
    if name in _WORDS:
        return _WORDS[name]
    keys = (f"{step.code}.{name}", f"{story.profile.id}.{name}", name)
    low, high, digits = next((_MEASURED[key] for key in keys if key in _MEASURED), (1, 2, 0))
    value = round(story.dice.between(low, high), digits)
    return value if digits else int(value)


def test(story: Story, day: dt.date, *, failed: bool = False) -> None:
    """Add a test of what must be tested, with one result over its limit if it failed."""
    wanted = [t for t in story.profile.tests if t.required] or list(story.profile.tests[:1])
    results = [_result(story, t) for t in wanted]
    if failed:
        bad = next((r for r in results if r["analyte"] in _FAILED), results[0])
        bad |= {"value": _FAILED.get(bad["analyte"], "vượt mức"), "verdict": "non_conformant"}
    values = {
        "report": f"KN-MH-{story.lot.id:04d}-{story.count:02d}",
        "laboratory": LABORATORY,
        "accreditation": "VILAS 0000 (minh hoạ)",
        "sampledOn": (day - dt.timedelta(days=3)).isoformat(),
        "reportedOn": day.isoformat(),
        "results": results,
    }
    story.enter(day, 15, "test", values)


def _result(story: Story, analyte: Analyte) -> dict[str, Any]:
    keys = (f"{story.profile.id}.{analyte.code}", analyte.code)
    value, limit = next((_RESULTS[key] for key in keys if key in _RESULTS), ("đạt", "đạt"))
    told = {"analyte": analyte.code, "title": analyte.title["vi"], "value": value, "limit": limit}
    return {**told, **({"unit": analyte.unit} if analyte.unit else {}), "verdict": "conformant"}


def _keep_sample(story: Story) -> None:
    rule, expires = story.profile.sample, story.lot.expires_on
    if rule is None or expires is None:
        return
    until = expires + dt.timedelta(days=rule.margin_days)
    keeper = names.person(story.dice, story.lot.id % 900)
    values = {
        "quantity": rule.quantity,
        "uom": rule.uom,
        "place": f"Tủ mẫu lưu, ngăn {story.lot.id % 6 + 1}",
        "condition": "khô, kín, nhiệt độ phòng",
        "keptOn": story.day.isoformat(),
        "retainUntil": until.isoformat(),
        "keptBy": keeper,
    }
    serial = f"{blockevents.SAMPLE_SERIAL}01"
    story.enter(story.day, 19, "sample", values, serial=serial)
    if until < AS_OF - dt.timedelta(days=10) and story.dice.chance(0.6):
        gone = {"sample": uri_of(story.lot, serial), "reason": "hết hạn lưu", "by": keeper}
        story.enter(until + dt.timedelta(days=3), 9, "sample_disposal", gone)


def _pack(story: Story) -> None:
    first = story.lot.id * 1000
    last = first + int(story.lot.quantity or 0) - 1
    values = {
        "labelVersion": f"NH-{story.dice.whole(1, 3)}.{story.dice.whole(0, 4)}",
        "stampsFrom": f"MH{first:07d}",
        "stampsTo": f"MH{last:07d}",
        "spoiled": story.dice.whole(0, 4),
        "packedBy": names.person(story.dice, story.lot.id % 900),
    }
    story.enter(story.day + dt.timedelta(days=1), 10, "packing", values)


def _release(story: Story) -> None:
    writing = story.writing(story.day + dt.timedelta(days=5), 9)
    decider = names.person(story.dice, story.lot.id % 900)
    story.keep(writing, [blockevents.release_event(writing, decider, "")])


def _send(story: Story, shops: Sequence[Any]) -> None:
    left = int((story.lot.quantity or 0) * _SENT_SHARE)
    day = story.day + dt.timedelta(days=6)
    buyers = story.dice.some(shops, story.dice.whole(1, 4))
    for place, shop in enumerate(buyers):
        taken = left if place == 3 else int(left * story.dice.between(0.2, 0.5))
        if taken < 1:
            break
        left -= taken
        named: dict[str, Any] = {"customer": shop.name, "salePoint": shop.id, "address": shop.address}
        if story.dice.chance(0.4):
            number = story.dice.whole(1, 999)
            named = {
                "customer": f"Đại lý Ví Dụ {number:03d}",
                "phone": names.phone(_PHONES + number),
                "address": shop.address,
            }
        sent = {"quantity": taken, "uom": uom_of(story.lot.unit), "vehicle": "xe tải minh hoạ"}
        story.enter(
            day, 8, "dispatch", {**named, **sent, "document": f"PX-MH-{story.lot.id:04d}-{place + 1}"}
        )
        day += dt.timedelta(days=story.dice.whole(2, 12))


def _sorrows(story: Story) -> None:
    """What goes wrong now and then: something spoilt, something sent back, a complaint."""
    if story.dice.chance(0.12):
        lost = {
            "quantity": story.dice.whole(1, 3),
            "uom": uom_of(story.lot.unit),
            "reason": "bao bì bị rách khi xếp kho",
        }
        story.enter(story.day + dt.timedelta(days=2), 16, "waste", lost)
    if story.dice.chance(0.06):
        back = {
            "customer": "Cửa hàng Ví Dụ 001",
            "quantity": 1,
            "uom": uom_of(story.lot.unit),
            "reason": "móp hộp",
        }
        story.enter(story.day + dt.timedelta(days=20), 10, "return", back)
    if story.dice.chance(0.06):
        said = {
            "receivedOn": (story.day + dt.timedelta(days=25)).isoformat(),
            "text": "Khách báo nhãn mờ, khó đọc hạn dùng (minh hoạ).",
            "contact": names.phone(_PHONES + story.lot.id % 1000),
            "answer": "Đã đổi nhãn và xin lỗi khách.",
        }
        story.enter(story.day + dt.timedelta(days=25), 14, "complaint", said)
