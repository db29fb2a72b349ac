"""Papers of the programme as Word and PDF, read back by other programs."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import sqlalchemy as sa
from docx import Document
from pypdf import PdfReader

from data.programme import ballots, criteria, dossiers
from data.programme.tables import AgendaItem, BallotPaper, Certificate, Dossier
from data.store import Store
from services.documents import WRITERS, Paper, council, forms, to_docx, to_pdf
from services.documents.model import Line
from tests.services import programme as play

A4 = (595, 842)


def word_text(content: bytes) -> str:
    """Everything that a word processor shows of a document."""
    document = Document(io.BytesIO(content))
    cells = [c.text for t in document.tables for r in t.rows for c in r.cells]
    heads = [p.text for p in document.sections[0].header.paragraphs]
    return "\n".join([p.text for p in document.paragraphs] + cells + heads)


def pdf_text(content: bytes) -> str:
    """The text of all pages, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def sizes(content: bytes) -> set[tuple[int, int]]:
    """The sizes of the pages in points."""
    pages = PdfReader(io.BytesIO(content)).pages
    return {(round(float(p.mediabox.width)), round(float(p.mediabox.height))) for p in pages}


def papers(store: Store) -> dict[str, Paper]:
    """Every paper of a story that came as far as the closed ballots."""
    people = play.cast(store)
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item_id = play.open_meeting(people, council_id, dossier_id)
    for member in members:
        play.vote(people, member, item_id, play.best_choices("2026", 8, c4_1=2))
    with store.writing() as session:
        ballots.close_item(session, people.province, item_id)
    with store.reading() as session:
        dossier = session.get_one(Dossier, dossier_id)
        item = session.get_one(AgendaItem, item_id)
        edition, product_set = criteria.edition("2026"), dossiers.product_set(session, dossier)
        ballot = session.scalars(sa.select(BallotPaper)).first()
        certificate = Certificate(
            product=dossier.product, stars=4, number="01/GCN", decision_number="200/QĐ-UBND",
            decision_date=dt.date(2026, 6, 30), issued_by="UBND tỉnh", issued_on=dt.date(2026, 6, 30),
            expires_on=dt.date(2029, 6, 30),
        )  # fmt: skip
        made = {
            "form01": forms.registration(dossier, product_set, demo=True),
            "form02": forms.self_assessment(dossier, product_set, demo=True),
            "form03": forms.commune_report(
                dossier, dossier.checks[0], province="UBND tỉnh Minh Hoạ", commune="xã Đất Mới", demo=True
            ),
            "ballot": council.ballot_paper(
                dossier, product_set, edition, ballot=ballot, member="Thành viên 1", demo=True
            ),
            "blank": council.ballot_paper(dossier, product_set, edition, demo=True),
            "minutes": council.minutes(
                item.session, province="UBND tỉnh Minh Hoạ", place="Cà Mau", demo=True
            ),
            "summary": council.summary(item.session, province="UBND tỉnh Minh Hoạ", demo=True),
            "proposal": council.proposal(
                item.session, province="UBND tỉnh Minh Hoạ", agency="Sở NN&MT", place="Cà Mau", demo=True
            ),
            "decision": council.draft_decision(
                [item], edition, province="UBND tỉnh Minh Hoạ", place="Cà Mau", demo=True
            ),
            "certificate": council.certificate(
                certificate, "HTX Minh Hoạ", "xã Đất Mới", place="Cà Mau", demo=True
            ),
        }
        session.rollback()
        return made


@pytest.fixture
def all_papers(demo_store: Store) -> dict[str, Paper]:
    return papers(demo_store)


def test_every_paper_says_the_same_as_word_and_as_pdf(all_papers: dict[str, Paper]) -> None:
    for name, paper in all_papers.items():
        word, pdf = word_text(to_docx(paper)), pdf_text(to_pdf(paper))
        assert paper.title.upper() in word, name
        assert paper.title.upper().split()[0] in pdf, name
        assert "DỮ LIỆU MINH HOẠ" in word, name


def test_papers_are_on_a4(all_papers: dict[str, Paper]) -> None:
    for name, paper in all_papers.items():
        wanted = A4[::-1] if paper.landscape else A4
        assert sizes(to_pdf(paper)) == {wanted}, name


def test_the_minutes_say_who_was_there_and_what_came_out(all_papers: dict[str, Paper]) -> None:
    text = word_text(to_docx(all_papers["minutes"]))
    assert "Thành viên 9" in text and "Chủ tịch" in text
    assert "98" in text and "4 sao" in text and "4.1" in text


def test_a_ballot_carries_every_option_and_the_chosen_ones(all_papers: dict[str, Paper]) -> None:
    product_set = criteria.edition("2026").set(8)
    blank, filled = (word_text(to_docx(all_papers[name])) for name in ("blank", "ballot"))
    options = sum(len(c.options) for c in product_set.criteria.values())
    assert blank.count("☐") == options and "☒" not in blank
    assert filled.count("☒") == len(product_set.criteria)


def test_form_02_adds_up_to_the_own_score(all_papers: dict[str, Paper]) -> None:
    text = word_text(to_docx(all_papers["form02"]))
    assert "Tổng điểm" in text and "100" in text


def test_text_is_never_read_as_code() -> None:
    paper = Paper(title="Thử", blocks=[Line("#panic() *đậm* $x$ <b> & \\ ặ ễ ữ Đ")])
    assert "#panic() *đậm* $x$ <b> & \\ ặ ễ ữ Đ" in pdf_text(to_pdf(paper))
    assert "#panic() *đậm* $x$ <b> & \\ ặ ễ ữ Đ" in word_text(to_docx(paper))


def test_every_writer_has_a_media_type() -> None:
    assert set(WRITERS) == {"docx", "pdf"}
