"""A file into a layer without a desk: what the command line does, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.accounts import SYSTEM, Actor
from data.store import Store
from gis.errors import marked
from gis.inspect import CrsProposal, LayerReport
from layers.fields import Layer
from services.imports.choices import Choices, check_fields
from services.imports.desk import accepts, first_choices
from services.imports.examine import examine
from services.imports.folder import digest_of
from services.imports.keep import Origin, keep, refuse_barred
from services.imports.matching import by_name, suggestions
from services.imports.refusals import ImportRefused, NotReady
from services.imports.rows import Report
from services.imports.source import look_into, proposal_of, read


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do: how the file was read, which columns were used, what became of each row."""

    layer: Layer
    file: LayerReport
    proposal: CrsProposal | None
    choices: Choices
    report: Report
    batch_id: int | None = None
    rows_kept: int = 0

    @property
    def unused(self) -> list[str]:
        """The columns that fill no field."""
        used = set(self.choices.fields.values())
        return [name for name in self.file.fields if name not in used]


def import_file(
    store: Store,
    layer: Layer,
    path: Path,
    choices: Choices,
    *,
    guess: bool = False,
    actor: Actor = SYSTEM,
    dry_run: bool = False,
) -> Imported:
    """Import a file into a layer in one transaction; with `dry_run` only look at it.

    Fields are matched to columns of their own name besides those that `choices` name; with `guess` also by
    titles and the words of offices, and by what was right for the same columns before. When rows are barred
    and not to be left out, nothing is kept and the report says why. Raises NotReady, ImportRefused and the
    file reader's refusals.
    """
    if not accepts(layer):
        raise ImportRefused(
            marked("Lớp %(layer)s không nhận từng dòng; địa giới được nhập bằng ocopmap import boundaries."),
            layer=layer.id,
        )
    with store.reading() as session:
        inspection = look_into(path, session, encoding=choices.encoding)
        try:
            file = inspection.layer(choices.layer)
        except KeyError:
            known = ", ".join(one.name for one in inspection.layers)
            raise ImportRefused(
                marked("Tệp không có lớp “%(name)s”; các lớp: %(known)s."), name=choices.layer, known=known
            ) from None
        if choices.layer is None and len(inspection.layers) > 1:
            raise ImportRefused(
                marked("Tệp %(file)s có nhiều lớp; hãy chọn một bằng --layer: %(known)s."),
                file=path.name,
                known=", ".join(one.name for one in inspection.layers),
            )
        if guess:
            likely = first_choices(session, layer, inspection, file.name)
            found, codes = likely.fields, {**likely.values, **choices.values}
        else:
            found, codes = by_name(layer, file.fields), choices.values
        fixed = {name: text for name, text in choices.fixed.items()}
        fields = {**{n: c for n, c in found.items() if n not in fixed}, **choices.fields}
        choices = choices.with_({"fields": fields, "values": codes, "layer": file.name})
        _check(layer, choices, file)
        proposal = proposal_of(file, choices) if file.bounds is not None else None
        source = read(path, layer, file, choices)
        if dry_run:
            report = examine(session, actor, layer, source, choices).report
            return Imported(layer, file, proposal, choices, report)
    try:
        kept = keep(store, actor, layer, source, choices, Origin(path.name, digest_of(path)))
    except ImportRefused:
        with store.reading() as session:
            report = examine(session, actor, layer, source, choices).report
        if not report.barred or choices.skip_refused:
            raise
        return Imported(layer, file, proposal, choices, report)
    return Imported(
        layer, file, proposal, choices, kept.report, kept.batch_id, len(kept.added) + len(kept.updated)
    )


def _check(layer: Layer, choices: Choices, file: LayerReport) -> None:
    """As `check_fields`, and name the columns that probably fill what is missing."""
    try:
        check_fields(layer, choices, file.fields)
    except NotReady as error:
        likely = suggestions(layer, file.fields)
        hints = [f"--map {n}={m.column}" for n, m in likely.items() if n not in choices.fields]
        if not hints or error.field not in layer_fields(layer):
            raise
        message = error.message + " " + marked("Gợi ý: %(hints)s.")
        raise NotReady(message, step="fields", hints=", ".join(hints), **_facts(error)) from error


def _facts(error: NotReady) -> Mapping[str, str]:
    return {name: fact for name, fact in error.facts.items() if name != "step"}  # type: ignore[misc]


def layer_fields(layer: Layer) -> set[str]:
    """The names of a layer's fields."""
    return {field.name for field in layer.fields}


__all__ = ["Imported", "import_file", "refuse_barred"]
