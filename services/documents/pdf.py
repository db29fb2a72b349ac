"""Papers as PDF, set by typst."""

from __future__ import annotations

from importlib import resources

import orjson
import typst

from services.documents.model import Paper


def to_pdf(paper: Paper) -> bytes:
    """Return a paper as PDF, with its fonts inside."""
    source = resources.files("services.documents").joinpath("paper.typ").read_bytes()
    made = typst.compile(source, sys_inputs={"paper": orjson.dumps(paper.plain()).decode()})
    assert isinstance(made, bytes)
    return made
