"""Papers of the programme, described once and written as editable Word or as PDF."""

from services.documents.model import Paper
from services.documents.pdf import to_pdf
from services.documents.word import to_docx

#: How a paper may be had: format → (media type, writer).
WRITERS = {
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", to_docx),
    "pdf": ("application/pdf", to_pdf),
}

__all__ = ["WRITERS", "Paper", "to_docx", "to_pdf"]
