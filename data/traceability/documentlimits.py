"""Reading of EPCIS documents within limits: JSON only, not too large, deep or long."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from data.traceability.epcisschema import placed_events
from gis.errors import Refusal

MOST_BYTES = 10_000_000
MOST_EVENTS = 5_000
MOST_DEPTH = 40


class DocumentError(Refusal):
    """What was given cannot be read as an EPCIS document at all."""


class TooLarge(DocumentError):
    """A document is larger, deeper or longer than is taken in at once."""


def parsed(data: bytes | str) -> Any:
    """Read JSON within the limits, or refuse it with the reason; the old XML of EPCIS 1.2 is named as such."""
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise TooLarge(
            "Tài liệu dài %(size)s MB, quá %(most)s MB; hãy chia thành nhiều tài liệu.",
            size=round(size / 1e6, 1),
            most=MOST_BYTES // 1_000_000,
        )
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DocumentError("Tài liệu không phải văn bản UTF-8.") from error
    if text.lstrip().startswith("<"):
        raise DocumentError(
            "Tài liệu viết bằng XML (EPCIS 1.2 hoặc 2.0); hệ thống chỉ nhận EPCIS 2.0 bằng JSON, hãy chuyển đổi trước."
        )
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise DocumentError(
                "Tài liệu không phải JSON đọc được: sai ở dòng %(line)s, cột %(column)s.",
                line=error.lineno,
                column=error.colno,
            ) from error
        raise _no_number() from error
    check_limits(document)
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def check_limits(document: Any) -> None:
    """Refuse what is too deep or too long, or holds text that is no text, before anything walks through it."""
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            raise _too_deep()
        below: list[Any] = []
        for value in level:
            if isinstance(value, Mapping):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, float) and not math.isfinite(value):
                raise _no_number()
            elif isinstance(value, str) and not value.isascii() and _broken(value):
                raise DocumentError("Tài liệu có ký tự Unicode hỏng (nửa cặp thay thế) nên không lưu được.")
        level = below
    count = sum(1 for _ in placed_events(document))
    if count > MOST_EVENTS:
        raise TooLarge(
            "Tài liệu có %(count)s sự kiện, quá %(most)s; hãy chia thành nhiều tài liệu.",
            count=count,
            most=MOST_EVENTS,
        )


def _no_number() -> DocumentError:
    return DocumentError("Tài liệu có con số không thuộc JSON (NaN, Infinity hoặc quá lớn).")


def _broken(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _too_deep() -> TooLarge:
    return TooLarge("Tài liệu lồng nhau quá %(most)s tầng.", most=MOST_DEPTH)
