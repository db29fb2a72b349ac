"""Criteria editions: what the law lets a council choose, as data with validity dates.

An edition has product sets; a set has parts A, B, C of sections of criteria; a criterion offers options with points
and, where the law marks one, the star for which that option is the least that must be met.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

import orjson

from data.text import fold
from gis.errors import Refusal, Sentence

TOTAL = 100


class CriteriaError(Refusal):
    """There is no such edition or set, or it is not whole."""


@dataclass(frozen=True)
class Option:
    """One level of a criterion; `min_star` is the star that needs at least this level."""

    points: int
    label: str
    min_star: int | None = None
    case: str | None = None

    @property
    def case_key(self) -> str | None:
        """The short name of a case that is told by the product's nature, the same in every criterion."""
        key, colon, _title = (self.case or "").partition(":")
        return key.strip() if colon else None


@dataclass(frozen=True)
class Criterion:
    """What is judged by choosing one option; one that `heads` others only groups them and is not judged itself."""

    code: str
    name: str
    max: int
    options: tuple[Option, ...] = ()
    notes: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()

    @functools.cached_property
    def minima(self) -> dict[int, int]:
        """The points that a star needs here: {star: points}."""
        return {o.min_star: o.points for o in reversed(self.options) if o.min_star is not None}

    @functools.cached_property
    def cases(self) -> tuple[str, ...]:
        """The alternative cases between which a product's nature decides, in the order of the law."""
        return tuple(dict.fromkeys(o.case for o in self.options if o.case))


@dataclass(frozen=True)
class Section:
    """A numbered section of a part."""

    code: str
    name: str
    max: int
    criteria: tuple[Criterion, ...]
    notes: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[Criterion, ...]:
        """The criteria that offer a choice."""
        return tuple(c for c in self.criteria if not c.heads)


@dataclass(frozen=True)
class Part:
    """Part A, B or C."""

    code: str
    name: str
    max: int
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Rule:
    """What else the law says of a criterion, or of the whole dossier where `criterion` is None.

    `reject` strikes the dossier out, `stop` ends the evaluation: both when a member declares it, a stop also `when`
    an option of zero points is chosen `among` some criteria. `depends` locks a criterion while the one it depends
    `on` has no points. `condition` must hold for the product to take part; `case` asks for the case first.
    """

    kind: Literal["reject", "stop", "depends", "condition", "case"]
    text: str
    criterion: str | None = None
    when: Literal["declared", "zero"] | None = None
    on: str | None = None
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProductSet:
    """The criteria of one kind of product."""

    number: int
    name: str
    classification: str
    rules: tuple[Rule, ...]
    parts: tuple[Part, ...]

    @property
    def sections(self) -> Iterator[Section]:
        """All sections, in order."""
        return (section for part in self.parts for section in part.sections)

    @functools.cached_property
    def criteria(self) -> dict[str, Criterion]:
        """Every criterion that offers a choice, by code, in the order of the law."""
        return {c.code: c for section in self.sections for c in section.judged}

    @functools.cached_property
    def cases(self) -> dict[str, tuple[str, ...]]:
        """The cases between which the product's nature decides for the whole set: {short name: titles}."""
        found: dict[str, dict[str, None]] = {}
        for criterion in self.criteria.values():
            for option in criterion.options:
                if option.case_key:
                    found.setdefault(option.case_key, {})[(option.case or "").partition(":")[2].strip()] = (
                        None
                    )
        return {key: tuple(titles) for key, titles in found.items()}

    @property
    def is_whole(self) -> bool:
        """Tell whether every part is there and all sums fit."""
        return not any(d.grave for d in defects_of_set(self))


@dataclass(frozen=True)
class Band:
    """The half-open range of averages that belongs to a star."""

    star: int
    start: int
    below: int | None


@dataclass(frozen=True)
class Transition:
    """Until when dossiers of some kinds that were pending go on under the former edition."""

    article: str
    text: str
    kinds: tuple[str, ...]
    former_until: dt.date


@dataclass(frozen=True)
class Defect:
    """What is wrong with an edition, or doubtful; one that is `grave` keeps the set from being used."""

    set: int | None
    criterion: str | None
    text: str
    grave: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """What is wrong, with its facts."""
        return Sentence(self.text, self.facts)


@dataclass(frozen=True)
class Edition:
    """One edition of the national criteria."""

    edition: str
    name: str
    decrees: tuple[Mapping[str, str], ...]
    valid_from: dt.date
    valid_to: dt.date | None
    certified_from_star: int
    bands: tuple[Band, ...]
    parts: Mapping[str, int]
    source: str
    transitions: tuple[Transition, ...]
    corrections: tuple[Defect, ...]
    doubts: tuple[Defect, ...]
    sets: tuple[ProductSet, ...]

    def set(self, wanted: int | str) -> ProductSet:
        """Find a set by number or name, accents aside. Raises CriteriaError."""
        for one in self.sets:
            if str(one.number) == str(wanted).strip() or fold(one.name) == fold(str(wanted)):
                return one
        raise CriteriaError(
            "Ấn bản %(edition)s không có bộ “%(set)s”; các bộ có số từ 1 đến %(last)s.",
            edition=self.edition,
            set=wanted,
            last=len(self.sets),
        )


def editions() -> tuple[str, ...]:
    """List the editions that are known, oldest first."""
    names = (file.name for file in _folder().iterdir() if file.name.endswith(".json"))
    return tuple(sorted(year for name in names if (year := name.removesuffix(".json")).isdigit()))


@functools.cache
def edition(name: str) -> Edition:
    """Load an edition as the law was published. Raises CriteriaError when there is none of that name."""
    if name not in editions():
        raise CriteriaError(
            "Không có ấn bản tiêu chí “%(edition)s”; các ấn bản: %(known)s.",
            edition=name,
            known=", ".join(editions()),
        )
    return read_edition(_document(name))


def set_document(name: str, number: int) -> dict[str, Any]:
    """Return a set of an edition as its reference file has it. Raises CriteriaError."""
    edition(name).set(number)
    return next(dict(s) for s in _document(name)["sets"] if s["number"] == number)


def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(_folder().joinpath(f"{name}.json").read_bytes())
    return document


def edition_at(day: dt.date, *, kind: str = "first", submitted: dt.date | None = None) -> Edition:
    """Return the edition that a dossier of a kind is judged by on a day.

    A dossier that was `submitted` under the former edition goes on under it until the transition rule's date.
    Raises CriteriaError where no edition is known for the day, or where the transition has run out.
    """
    known = [edition(name) for name in editions()]
    current = _in_force(known, day)
    if submitted is None or submitted >= current.valid_from:
        return current
    former = _in_force(known, submitted)
    for rule in current.transitions:
        if kind in rule.kinds and day > rule.former_until:
            raise CriteriaError(
                "Hồ sơ nộp theo ấn bản cũ chỉ được đánh giá đến hết %(day)s (%(article)s); "
                "cần lập lại theo ấn bản %(edition)s.",
                day=rule.former_until.strftime("%d/%m/%Y"),
                article=rule.article,
                edition=current.edition,
            )
    return former


def _in_force(known: list[Edition], day: dt.date) -> Edition:
    for one in reversed(known):
        if one.valid_from <= day and (one.valid_to is None or day <= one.valid_to):
            return one
    raise CriteriaError(
        "Không có ấn bản tiêu chí nào trong hệ thống cho ngày %(day)s.", day=day.strftime("%d/%m/%Y")
    )


def read_edition(document: Mapping[str, Any]) -> Edition:
    """Turn the reference file of an edition into an Edition."""
    return Edition(
        edition=document["edition"],
        name=document["name"],
        decrees=tuple(document["decrees"]),
        valid_from=dt.date.fromisoformat(document["valid_from"]),
        valid_to=None if document["valid_to"] is None else dt.date.fromisoformat(document["valid_to"]),
        certified_from_star=document["certified_from_star"],
        bands=tuple(Band(b["star"], b["from"], b.get("below")) for b in document["bands"]),
        parts=document["parts"],
        source=document["source"],
        transitions=tuple(
            Transition(t["article"], t["text"], tuple(t["kinds"]), dt.date.fromisoformat(t["former_until"]))
            for t in document["transitions"]
        ),
        corrections=_remarks(document["corrections"]),
        doubts=_remarks(document["doubts"]),
        sets=tuple(read_set(s) for s in document["sets"]),
    )


def read_set(document: Mapping[str, Any]) -> ProductSet:
    """Turn one set of a reference file, or of a published revision, into a ProductSet."""
    return ProductSet(
        number=document["number"],
        name=document["name"],
        classification=document["classification"],
        rules=tuple(Rule(**{**r, "among": tuple(r.get("among", ()))}) for r in document["rules"]),
        parts=tuple(
            Part(p["code"], p["name"], p["max"], tuple(_section(s) for s in p["sections"]))
            for p in document["parts"]
        ),
    )


def _section(document: Mapping[str, Any]) -> Section:
    return Section(
        document["code"],
        document["name"],
        document["max"],
        tuple(_criterion(c) for c in document["criteria"]),
        tuple(document.get("notes", ())),
    )


def _criterion(document: Mapping[str, Any]) -> Criterion:
    return Criterion(
        document["code"],
        document["name"],
        document["max"],
        tuple(Option(**o) for o in document.get("options", ())),
        tuple(document.get("notes", ())),
        tuple(document.get("heads", ())),
    )


def _remarks(documents: list[Mapping[str, Any]]) -> tuple[Defect, ...]:
    return tuple(
        Defect(d["set"], d["criterion"], "%(text)s", facts={"text": {"vi": d["text"], "en": d["en"]}})
        for d in documents
    )


def _folder() -> Any:
    return resources.files("data").joinpath("reference", "criteria")


# ---- what is wrong with an edition


def defects(of: Edition) -> list[Defect]:
    """Check the sums and numbering of every set, and list them with what is known to be doubtful."""
    found = [d for one in of.sets for d in defects_of_set(one)]
    found += [
        _grave(one.number, part.code, "Phần %(part)s của bộ %(set)s có tối đa %(max)s điểm, khác %(wanted)s.",
               part=part.code, max=part.max, wanted=of.parts[part.code])
        for one in of.sets
        for part in one.parts
        if part.max != of.parts[part.code]
    ]  # fmt: skip
    return [*found, *of.doubts]


def defects_of_set(one: ProductSet) -> list[Defect]:
    """Check that a set is whole: sums of criteria, sections and parts, unique codes, options that reach the maximum."""
    number = one.number
    if not one.parts:
        return [_grave(number, None, "Bộ %(set)s (%(name)s) không có nội dung trong nguồn.", name=one.name)]
    found: list[Defect] = []
    total = sum(part.max for part in one.parts)
    if total != TOTAL:
        found.append(
            _grave(number, None, "Bộ %(set)s cộng được %(total)s điểm, không phải 100.", total=total)
        )
    codes: list[str] = []
    for section in one.sections:
        codes += [c.code for c in section.criteria]
        reached = sum(c.max for c in section.judged)
        if reached != section.max:
            found.append(
                _grave(number, section.code,
                       "Mục %(section)s của bộ %(set)s có %(max)s điểm nhưng các tiêu chí cộng được %(sum)s.",
                       section=section.code, max=section.max, sum=reached)
            )  # fmt: skip
        for criterion in section.judged:
            found += _defects_of_criterion(number, criterion)
    for code in sorted({c for c in codes if codes.count(c) > 1}):
        found.append(
            _grave(number, code, "Bộ %(set)s có hai tiêu chí cùng mã %(criterion)s.", criterion=code)
        )
    return found


def _defects_of_criterion(number: int, criterion: Criterion) -> list[Defect]:
    points = [o.points for o in criterion.options]
    if not points or max(points) != criterion.max:
        return [
            _grave(number, criterion.code,
                   "Tiêu chí %(criterion)s của bộ %(set)s tối đa %(max)s điểm nhưng không mức nào đạt.",
                   criterion=criterion.code, max=criterion.max)
        ]  # fmt: skip
    return []


def _grave(number: int, code: str | None, text: str, /, **facts: object) -> Defect:
    return Defect(number, code, text, grave=True, facts={"set": number, **facts})
