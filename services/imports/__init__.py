"""Files into layers: looked into, matched to fields, tried out, and kept in one transaction through the edit path."""

from services.imports.choices import Choices
from services.imports.command import Imported, import_file
from services.imports.desk import accepts, sweep
from services.imports.refusals import ImportRefused, NotReady, NoUpload

__all__ = ["Choices", "ImportRefused", "Imported", "NoUpload", "NotReady", "accepts", "import_file", "sweep"]
