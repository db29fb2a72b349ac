"""The tables that a run prints."""

from __future__ import annotations

import psutil


def row(*cells: object) -> None:
    """Print one line of a table."""
    print("  " + "".join(f"{c!s:<34}" if i == 0 else f"{c!s:>15}" for i, c in enumerate(cells)), flush=True)


def heading(title: str) -> None:
    """Print the title of a table with the memory that this process has at its peak."""
    peak = psutil.Process().memory_info().rss // 2**20
    print(f"\n{title}  (RSS {peak} MB)", flush=True)
