"""Patterns of LIKE, in which % is any text, _ any character and the backslash escapes, for each database."""

from __future__ import annotations

from collections.abc import Iterator

from layers.filters.nodes import FilterError

LONGEST = 1_000


def parts(pattern: str) -> Iterator[tuple[str, bool]]:
    """Yield each character with whether it is a wildcard; FilterError when the pattern is too long."""
    if len(pattern) > LONGEST:
        raise FilterError("Mẫu so sánh dài quá %(limit)s ký tự.", limit=LONGEST)
    escaped = False
    for char in pattern:
        if char == "\\" and not escaped:
            escaped = True
            continue
        yield char, not escaped and char in "%_"
        escaped = False
    if escaped:
        yield "\\", False


def like(pattern: str) -> str:
    """Return the pattern as PostgreSQL takes it, every literal % _ and backslash escaped."""
    return "".join(c if wild or c not in "%_\\" else f"\\{c}" for c, wild in parts(pattern))


def glob(pattern: str) -> str:
    """Return the pattern for GLOB of SQLite, where * ? and [ are special."""
    wildcards = {"%": "*", "_": "?"}
    return "".join(wildcards[c] if wild else f"[{c}]" if c in "*?[" else c for c, wild in parts(pattern))


def from_wildcards(pattern: str, many: str, one: str, escape: str) -> str:
    """Return a pattern of another dialect with our wildcards."""
    found: list[str] = []
    rest = pattern
    while rest:
        if escape and rest.startswith(escape) and len(rest) > len(escape):
            rest = rest[len(escape) :]
            found.append(f"\\{rest[0]}" if rest[0] in "%_\\" else rest[0])
            rest = rest[1:]
        elif many and rest.startswith(many):
            found.append("%")
            rest = rest[len(many) :]
        elif one and rest.startswith(one):
            found.append("_")
            rest = rest[len(one) :]
        else:
            found.append(f"\\{rest[0]}" if rest[0] in "%_\\" else rest[0])
            rest = rest[1:]
    return "".join(found)
