"""SQL functions that compare text and compute alike on both databases.

`ocop_lower(text)` and `ocop_upper(text)` know every letter, whatever the locale; `ocop_bare(text)` takes marks away
and makes đ a d; `ocop_power(x, y)` is NULL where there is no finite result; `trunc(x)` drops the fraction.
"""

from __future__ import annotations

import math
import sqlite3
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import sqlalchemy as sa

from data.text import MARKS, bare


def lower(text: str) -> str:
    """Return the text in NFC and lower case."""
    return unicodedata.normalize("NFC", text).lower()


def upper(text: str) -> str:
    """Return the text in NFC and upper case."""
    return unicodedata.normalize("NFC", text).upper()


def power(base: float | None, exponent: float | None) -> float | None:
    """Return base ** exponent, or None where that is too large, too small or no real number."""
    if base is None or exponent is None:
        return None
    try:
        result = math.pow(base, exponent)
    except (ValueError, OverflowError):
        return None
    vanished = result == 0 and base != 0
    return None if vanished or not math.isfinite(result) else result


def whole(value: float | None) -> float | None:
    """Return a number without its fraction."""
    return value if value is None or not math.isfinite(value) else float(math.trunc(value))


def _of_text(fn: Callable[[str], str]) -> Callable[[object], str | None]:
    # Short values come again and again while a table is read: communes, crops, statuses.
    remembered = lru_cache(maxsize=2048)(fn)

    def call(value: object) -> str | None:
        if value is None:
            return None
        text = str(value)
        return remembered(text) if len(text) <= 64 else fn(text)

    return call


_TEXT_FUNCTIONS = {"ocop_lower": _of_text(lower), "ocop_upper": _of_text(upper), "ocop_bare": _of_text(bare)}


def register(connection: sqlite3.Connection) -> None:
    """Give a sqlite3 connection the functions."""
    for name, fn in _TEXT_FUNCTIONS.items():
        connection.create_function(name, 1, fn, deterministic=True)
    connection.create_function("ocop_power", 2, power, deterministic=True)
    connection.create_function("trunc", 1, whole, deterministic=True)


def install(connection: sa.Connection) -> None:
    """Create the functions in a PostgreSQL database."""
    known = connection.scalar(sa.text("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'"))
    collate = ' COLLATE "und-x-icu"' if known else ""
    head = "RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS"
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION ocop_lower(text) {head} $$ SELECT lower(normalize($1, NFC){collate}) $$"
    )
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION ocop_upper(text) {head} $$ SELECT upper(normalize($1, NFC){collate}) $$"
    )
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION ocop_bare(text) {head} $$ SELECT translate(normalize("
        f"regexp_replace(normalize($1, NFD), '{MARKS}', '', 'g'), NFC), 'đĐ', 'dD') $$"
    )
    connection.exec_driver_sql(_POSTGRES_POWER)


_POSTGRES_POWER = """
CREATE OR REPLACE FUNCTION ocop_power(x double precision, y double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN power(x, y);
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$
"""
