"""The legacy register of products into the record: producers, products and their recognitions, all or nothing."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import audit
from data.accounts import EDITORS_OF_ALL, SYSTEM, Actor
from data.batches import Batch
from data.placenames import PlaceNames
from data.programme.calendar import add_months
from data.programme.certificates import product_facts
from data.programme.tables import Certificate
from data.register import Entry, Recognition, read_register
from data.registered import certificates_of, known_producers, known_products
from data.store import Store
from data.text import accented, fold
from gis.errors import Refusal, marked
from gis.inspection import Notice
from layers import catalogue
from layers.edit import Edits, NotAllowed, editing
from services.imports.folder import digest_of
from services.imports.refusals import ImportRefused
from services.imports.texts import code_of

VALID_MONTHS = 36
KINDS = (
    ("hop tac xa", "cooperative"),
    ("htx", "cooperative"),
    ("to hop tac", "cooperative_group"),
    ("tht", "cooperative_group"),
    ("co phan", "joint_stock"),
    ("ctcp", "joint_stock"),
    ("tnhh", "sme"),
    ("doanh nghiep", "sme"),
    ("cong ty", "sme"),
    ("dntn", "sme"),
    ("trang trai", "farm"),
    ("hoi ", "association"),
    ("hkd", "household"),
    ("ho kinh doanh", "household"),
    ("co so", "household"),
    ("ho ", "household"),
)


@dataclass
class Line:
    """What becomes of one product of the register: `added`, `completed`, `same`, or barred by `problems`."""

    row: int
    product: str
    state: str = "added"
    problems: list[str] = field(default_factory=list)
    recognitions: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass
class RegisterReport:
    """What an import of a register did, or would do."""

    lines: list[Line]
    producers_added: int = 0
    producers_known: int = 0
    batch_id: int | None = None

    @property
    def doubtful(self) -> list[Line]:
        """The lines that are kept and that somebody should look at."""
        return [line for line in self.lines if line.warnings and not line.problems]

    @property
    def barred(self) -> list[Line]:
        """The lines that cannot be kept."""
        return [line for line in self.lines if line.problems]

    def count(self, state: str) -> int:
        """How many lines ended in a state."""
        return sum(line.state == state and not line.problems for line in self.lines)


class _Forget(Exception):
    """Leaves the transaction without keeping it."""


def import_register(
    store: Store,
    path: Path,
    *,
    actor: Actor = SYSTEM,
    file_name: str | None = None,
    groups: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> RegisterReport:
    """Import a register in one transaction, as one batch; nothing is kept when any line has a problem.

    `groups` says which product set a group of the register means. Raises RegisterError for another file, and
    NotAllowed for callers who may not edit the whole province.
    """
    if actor.role not in EDITORS_OF_ALL:
        raise NotAllowed(
            "Bạn không có quyền thêm vào lớp %(layer)s.", layer=catalogue.layer("products").title
        )
    entries = read_register(path)
    if not entries:
        raise ImportRefused(marked("Sổ đăng ký không có sản phẩm nào."))
    name = file_name or path.name
    batch = Batch(
        kind="import",
        title=f"{name} → {catalogue.layer('products').title.vi}",
        table_name="products",
        account_id=actor.account_id,
        actor=actor.name or actor.role.value,
        file_name=name,
        sha256=digest_of(path),
        facts={"register": True},
    )
    report = RegisterReport(
        [Line(e.row, e.product, problems=list(e.problems), warnings=list(e.warnings)) for e in entries]
    )
    try:
        with editing(store, actor, "import", name, batch=batch) as edits:
            _Keeper(edits, report, groups or {}).keep(entries)
            report.batch_id = batch.id
            if dry_run or report.barred:
                raise _Forget
    except _Forget:
        report.batch_id = None
    return report


class _Keeper:
    """Keeps the entries of a register in one transaction, row by row."""

    def __init__(self, edits: Edits, report: RegisterReport, groups: Mapping[str, str]) -> None:
        self.edits = edits
        self.report = report
        self.groups = {fold(group): value for group, value in groups.items()}
        self.places = PlaceNames(edits.session)
        self.by_tax, self.by_name = known_producers(edits.session, _key)
        self.products = known_products(edits.session, _key)
        self.seen: dict[tuple[str, int], int] = {}
        self.counted: set[int] = set()
        self.today = dt.date.today()

    def keep(self, entries: list[Entry]) -> None:
        """Keep every entry, noting on its line why it cannot be."""
        for entry, line in zip(entries, self.report.lines, strict=True):
            if line.problems:
                continue
            try:
                with self.edits.session.begin_nested():
                    self._keep(entry, line)
            except Refusal as error:
                line.problems.append(str(error))

    def _keep(self, entry: Entry, line: Line) -> None:
        commune = self.places.commune(entry.commune, entry.address)
        recognitions = [self._dated(r) for r in entry.recognitions]
        product_set = self._product_set(entry)
        producer = self._producer(entry, commune)
        key = (_key(entry.product), producer)
        if key in self.seen:
            double = Notice(
                marked("Trùng với sản phẩm ở dòng %(row)s nên không thêm lần nữa."), {"row": self.seen[key]}
            )
            line.warnings.append(str(double))
        known = self.products.get(key)
        layer = catalogue.layer("products")
        if known is None:
            values = {
                "name": entry.product,
                "product_set": product_set,
                "producer_id": producer,
                "description": entry.note or None,
            }
            product = self.edits.insert(layer, values, None)
            self.edits.put_back(layer, product, {"commune_id": commune})
        else:
            product = known
        self.products[key] = product
        self.seen.setdefault(key, entry.row)
        line.recognitions = self._recognise(product, entry, recognitions)
        line.state = "added" if known is None else "completed" if line.recognitions else "same"

    def _product_set(self, entry: Entry) -> int:
        text = self.groups.get(fold(entry.group)) or code_of("product_set", entry.group)
        if text is None or not str(text).isdigit():
            raise ImportRefused(
                marked(
                    'Nhóm “%(group)s” không ứng với bộ sản phẩm nào; hãy chỉ ra bằng --set "%(group)s=SỐ".'
                ),
                group=entry.group or "–",
            )
        return int(text)

    def _producer(self, entry: Entry, commune: int) -> int:
        found = self.by_tax.get(entry.tax_number or "") or self.by_name.get((_key(entry.producer), commune))
        if found is not None:
            self.report.producers_known += found not in self.counted
            self.counted.add(found)
            return found
        layer = catalogue.layer("producers")
        values = {
            "name": entry.producer,
            "kind": _kind(entry),
            "address": entry.address or None,
            "registration_number": entry.tax_number,
            "representative": entry.representative or None,
            "phone": entry.phone or None,
        }
        made = self.edits.insert(layer, values, None)
        self.edits.put_back(layer, made, {"commune_id": commune})
        self.report.producers_added += 1
        self.counted.add(made)
        if entry.tax_number:
            self.by_tax[entry.tax_number] = made
        self.by_name[(_key(entry.producer), commune)] = made
        return made

    def _dated(self, told: Recognition) -> Recognition:
        if told.day is None:
            raise ImportRefused(
                marked("Lần công nhận %(stars)s sao (%(decision)s) không có ngày quyết định đọc được."),
                stars=told.stars,
                decision=told.decision or "–",
            )
        if not told.decision:
            raise ImportRefused(marked("Lần công nhận ngày %(day)s không có số quyết định."), day=told.day)
        return told

    def _recognise(self, product: int, entry: Entry, recognitions: list[Recognition]) -> int:
        """Add the recognitions that are not known, each but the last replaced by the next; return how many."""
        session = self.edits.session
        known = certificates_of(session, product)
        numbers = {fold(c.decision_number) for c in known}
        fresh = [r for r in recognitions if fold(r.decision) not in numbers]
        made = [self._certificate(product, r) for r in fresh]
        session.add_all(made)
        session.flush()
        order = sorted([*known, *made], key=lambda c: (c.issued_on, c.id))
        held = {c.id: audit.snapshot(c) for c in known}
        for earlier, later in itertools.pairwise(order):
            earlier.replaced_by_id = earlier.replaced_by_id or later.id
        stated = entry.expires_on
        if made and order[-1] in made and stated is not None and stated >= order[-1].issued_on:
            order[-1].expires_on = stated
        session.flush()
        for certificate in made:
            self._log(certificate, "insert", None, audit.snapshot(certificate))
        for certificate in known:
            before, after = audit.difference(held[certificate.id], audit.snapshot(certificate))
            if after:
                self._log(certificate, "update", before, after)
        if made:
            latest = order[-1]
            facts = product_facts(latest if latest.expires_on >= self.today else None)
            self.edits.put_back(catalogue.layer("products"), product, facts)
        return len(made)

    def _certificate(self, product: int, told: Recognition) -> Certificate:
        assert told.day is not None
        return Certificate(
            product_id=product,
            stars=told.stars,
            decision_number=told.decision,
            decision_date=told.day,
            issued_by=told.issuer or "–",
            issued_on=told.day,
            expires_on=add_months(told.day, VALID_MONTHS),
            source="sổ đăng ký",
        )

    def _log(
        self,
        certificate: Certificate,
        action: str,
        before: dict[str, Any] | None,
        after: dict[str, Any],
    ) -> None:
        batch = self.edits.batch
        audit.write(
            self.edits.session,
            self.edits.actor,
            self.edits.source,
            "certificates",
            certificate.id,
            action,
            before=before,
            after=after,
            reason=self.edits.reason,
            batch_id=batch.id if batch else None,
        )


def _key(name: str) -> str:
    """A name as it is compared: hòa and hoà, HTX and hợp tác xã are one."""
    return fold(accented(name)).replace("hop tac xa", "htx").replace("to hop tac", "tht")


def _kind(entry: Entry) -> str:
    known = code_of("producer_kind", entry.kind)
    if known is not None:
        return known
    for text in (entry.kind, entry.producer):
        said = f"{fold(text)} "
        for words, kind in KINDS:
            if words in said:
                return kind
    raise ImportRefused(marked("Loại hình chủ thể “%(kind)s” không rõ."), kind=entry.kind or "–")


__all__ = ["Line", "RegisterReport", "import_register"]
