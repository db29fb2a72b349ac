"""The papers of a recall: the sheet with whom to tell and what to stop, the notice in both languages, the CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator

from data import codes
from data.traceability.described import Described
from data.traceability.measures import name_of
from data.traceability.sheet import Sheet, Shipment
from data.traceability.stock import Stock
from data.traceability.tables import RecallAct
from services.documents.forms import long_date, short_date
from services.documents.model import Block, Facts, Grid, Heading, Letterhead, Line, Paper, Signatures

TIME_ZONE = dt.timezone(dt.timedelta(hours=7))
PLACES = {
    "on_the_way": "còn trên đường",
    "at_shop": "ở điểm bán",
    "delivered": "đã giao",
    "sold": "đã bán",
}
NOTICE = {
    "vi": {
        "title": "THÔNG BÁO THU HỒI",
        "what": "%s thu hồi lô %s, sản phẩm %s",
        "made": "sản xuất ngày %s",
        "ends": "hạn dùng %s",
        "why": "Lý do: %s",
        "do": "Đề nghị ngừng bán, ngừng dùng, để riêng, và trả lại hoặc gọi cho chúng tôi",
        "decision": "Quyết định số %s ngày %s",
        "day": "Ngày %s",
    },
    "en": {
        "title": "RECALL NOTICE",
        "what": "%s recalls lot %s of %s",
        "made": "made on %s",
        "ends": "best before %s",
        "why": "Reason: %s",
        "do": "Please stop selling and using it, keep it apart, and return it or call us",
        "decision": "Decision No. %s of %s",
        "day": "Date: %s",
    },
}
#: Columns of the sortable file, named after the elements of 21 CFR 1.1340 (shipping), with ours behind them.
COLUMNS = (
    "traceability_lot_code", "quantity", "unit_of_measure", "product_description", "recipient",
    "recipient_phone", "recipient_address", "date_shipped", "reference_document", "vehicle", "where_now",
    "informed_at", "returned", "traced_lot_uri",
)  # fmt: skip


def sheet_paper(
    found: Sheet, thing: Described, act: RecallAct | None, *, province: str, place: str, demo: bool
) -> Paper:
    """The recall sheet on paper: four tables and the notice. Dates are day/month/year."""
    today = dt.datetime.now(TIME_ZONE).date()
    blocks: list[Block] = [
        Facts(_facts(thing, act)),
        Heading("I. Đã gửi tới"),
        _shipped(found.shipped),
        Heading("II. Còn chặn được"),
        _stoppable(found),
        Heading("III. Còn tại cơ sở"),
        _on_hand(found.on_hand),
        Heading("IV. Nguồn nguyên liệu"),
        _suppliers(found),
    ]
    if found.hidden:
        blocks.append(
            Line(
                f"Ngoài ra còn {found.hidden} lô của chủ thể khác; cơ quan quản lý liên hệ trực tiếp.",
                italic=True,
            )
        )
    if act is not None and act.kind == "recall":
        blocks += [Heading("V. Thông báo thu hồi"), Line(act.notice or notice_text(thing, act))]
    blocks.append(
        Signatures((("Người lập", "(ký, ghi rõ họ tên)", ""), ("Đại diện cơ sở", "(ký, ghi rõ họ tên)", "")))
    )
    return Paper(
        title="Phiếu thu hồi lô" if act is None or act.kind == "recall" else "Phiếu tạm giữ lô",
        subtitle=f"Lô {thing.name}" + (f" – {thing.product}" if thing.product else ""),
        head=Letterhead((province, "Truy xuất nguồn gốc"), "", f"{place}, {long_date(today)}"),
        blocks=blocks,
        demo=demo,
        landscape=True,
        size=11,
    )


def notice_text(thing: Described, act: RecallAct, lang: str = "vi") -> str:
    """The notice that buyers get, in Vietnamese or English, from what the record holds."""
    words = NOTICE[lang]
    dates = [
        words[key] % _day(day, lang)
        for key, day in (("made", thing.produced_on), ("ends", thing.expires_on))
        if day is not None
    ]
    decided = _day(act.decided_at.astimezone(TIME_ZONE).date(), lang)
    sentences = (
        words["what"]
        % (thing.producer or act.decided_by, thing.number or thing.name, thing.product or thing.name)
        + (f" ({', '.join(dates)})" if dates else ""),
        words["why"] % act.reason.rstrip("."),
        words["do"],
        words["decision"] % (act.document, decided) if act.document else words["day"] % decided,
    )
    return " ".join(f"{sentence}." for sentence in (words["title"], *sentences))


def _day(day: dt.date, lang: str) -> str:
    return f"{day:%d %B %Y}" if lang == "en" else short_date(day)


def sheet_csv(found: Sheet) -> str:
    """The sendings as a sortable file, one line each: ISO dates, points as decimal marks, UTF-8 with a mark."""
    things = {thing.id: thing for thing in found.things}
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in found.shipped:
        thing = things[one.item]
        writer.writerow([_safe(value) for value in _row(one, thing)])
    return out.getvalue()


def _row(one: Shipment, thing: Described) -> Iterator[object]:
    yield thing.number or thing.name
    yield one.quantity
    yield name_of(one.uom, one.unit) if one.quantity is not None else None
    yield thing.product
    yield one.customer
    yield one.phone
    yield one.address
    yield one.sent_at.astimezone(TIME_ZONE).date().isoformat()
    yield one.document
    yield one.vehicle
    yield one.place
    yield one.informed_at.astimezone(TIME_ZONE).isoformat(timespec="minutes") if one.informed_at else None
    yield one.returned
    yield thing.uri


def _safe(value: object) -> object:
    """A text that a spreadsheet would take for a formula is told to be a text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return "'" + value
    return "" if value is None else value


# ---- parts


def _facts(thing: Described, act: RecallAct | None) -> tuple[tuple[str, str], ...]:
    rows = [
        ("Sản phẩm", thing.product or ""),
        ("Chủ thể", thing.producer or ""),
        ("Lô", thing.number or thing.name),
        ("Mã truy xuất", thing.uri),
        ("Ngày sản xuất", short_date(thing.produced_on)),
        ("Hạn dùng", short_date(thing.expires_on)),
        ("Tình trạng", codes.label("trace_state", thing.state)),
    ]
    if act is not None:
        rows += [
            ("Lý do", act.reason),
            ("Văn bản", act.document or ""),
            ("Người quyết định", act.decided_by),
            ("Lúc", _moment(act.decided_at)),
        ]
    return tuple(rows)


def _shipped(shipped: tuple[Shipment, ...]) -> Block:
    if not shipped:
        return Line("Hồ sơ chưa ghi lần xuất nào.")
    rows = tuple(
        (
            str(number), one.customer or "—", one.phone or "", short_date(one.sent_at.astimezone(TIME_ZONE).date()),
            one.name, quantity(one.quantity, one.uom, one.unit), PLACES[one.place],
            _moment(one.informed_at) if one.informed_at else "", quantity(one.returned, one.uom, one.unit),
        )
        for number, one in enumerate(shipped, start=1)
    )  # fmt: skip
    header = (
        "TT",
        "Khách hàng",
        "Điện thoại",
        "Ngày",
        "Lô, kiện",
        "Số lượng",
        "Hàng ở đâu",
        "Đã báo lúc",
        "Nhận lại",
    )
    return Grid(header, rows, (1, 5, 3, 2.4, 4, 2.6, 3, 3.4, 2.4), (5, 8))


def _stoppable(found: Sheet) -> Block:
    rows = [
        (
            one.customer or "—",
            one.phone or "",
            one.name,
            quantity(one.quantity, one.uom, one.unit),
            PLACES[one.place],
        )
        for one in found.stoppable
    ]
    rows += [
        (
            "(tại cơ sở)",
            "",
            stock.name,
            quantity(stock.left, stock.uom, stock.unit),
            "lô làm từ lô này, chưa xuất hết",
        )
        for stock in found.lots
    ]
    if not rows:
        return Line("Không còn.")
    return Grid(
        ("Ai giữ", "Điện thoại", "Lô, kiện", "Số lượng", "Vì sao còn chặn được"),
        tuple(rows),
        (5, 3, 4, 2.6, 5),
        (3,),
    )


def _on_hand(stock: Stock | None) -> Block:
    if stock is None or stock.left is None:
        return Line("Hồ sơ không đủ để tính lượng còn lại; hãy kiểm kê.")
    told = quantity(max(stock.left, 0.0), stock.uom, stock.unit)
    return Line(f"Theo cân đối khối lượng còn {told}. Kiểm kê thực tế: ………………", align="left")


def _suppliers(found: Sheet) -> Block:
    if not found.suppliers:
        return Line("Hồ sơ chưa ghi nguồn nào.")
    rows = tuple(
        (
            one.material, one.name or "", one.household or "", _iso_day(one.received_on),
            quantity(one.quantity, one.uom, None), one.document or "",
        )
        for one in found.suppliers
    )  # fmt: skip
    header = ("Nguyên liệu, nơi", "Nhà cung cấp", "Hộ", "Ngày nhận", "Số lượng", "Chứng từ")
    return Grid(header, rows, (5, 4, 4, 2.4, 2.6, 3), (4,))


def quantity(value: float | None, uom: str | None, unit: str | None) -> str:
    """A quantity as people here write it: 1.234,5 kg; empty for none."""
    if value is None:
        return ""
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0")
    return f"{text.translate(str.maketrans(',.', '.,'))} {name_of(uom, unit)}"


def _iso_day(text: str | None) -> str:
    return short_date(dt.date.fromisoformat(text[:10])) if text else ""


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(TIME_ZONE):%H:%M %d/%m/%Y}"
