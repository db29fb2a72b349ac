"""A layer or a part of it as a file: what may be asked, the formats, the file itself, the job and the address."""

from services.errors import ExportError
from services.exports.formats import FORMATS, ExportFormat
from services.exports.views import blueprint
from services.exports.wish import Wish, parse
from services.exports.write import Exported, export, export_wish
from services.formats.shapefile import LONGEST_TEXT as SHAPEFILE_TEXT

__all__ = [
    "FORMATS",
    "SHAPEFILE_TEXT",
    "ExportError",
    "ExportFormat",
    "Exported",
    "Wish",
    "blueprint",
    "export",
    "export_wish",
    "parse",
]
