"""GS1 keys, Digital Links and our own names, against the syntax dictionary, published vectors and biip."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from hypothesis import given
from hypothesis import strategies as st

from data.traceability.applicationids import TABLE, application_identifiers
from data.traceability.epcurns import digital_link_of
from data.traceability.identifiers import (
    IdentifierError,
    area_uri,
    build,
    canonical,
    check_digit,
    commune_uri,
    from_public_path,
    has_check_digit,
    is_gtin,
    kind_of,
    lot_uri,
    own_parts,
    parse,
    producer_uri,
    public_path,
    sale_point_uri,
)
from data.traceability.valuechecks import CSET82, check_characters

DICTIONARY = Path("/work/shared/data/epcis/gs1-syntax-dictionary/gs1-syntax-dictionary.txt")
GTIN = "09520123456788"

# Links that the GS1 Barcode Syntax Engine accepts (test_dl_parseDLuri) and the GS1 Digital Link Standard prints,
# with the elements that it reads out of them.
GOOD = [
    ("http://a/00/006141411234567890", "(00)006141411234567890"),
    ("HTTP://a/00/006141411234567890", "(00)006141411234567890"),
    ("HTTPS://a/00/006141411234567890", "(00)006141411234567890"),
    ("https://xn--fsq.xn--0zwm56d/01/12312312312333", "(01)12312312312333"),
    ("https://a./01/12312312312333", "(01)12312312312333"),
    ("https://a:65535/01/12312312312333", "(01)12312312312333"),
    ("https://192.0.2.1/01/12312312312333", "(01)12312312312333"),
    ("https://[2001:db8::1]/01/12312312312333", "(01)12312312312333"),
    ("https://a/more/stem/00/006141411234567890", "(00)006141411234567890"),
    ("https://a/00/faux/00/006141411234567890", "(00)006141411234567890"),
    ("https://a/01/12312312312333/22/TEST/10/ABC/21/XYZ", "(01)12312312312333(22)TEST(10)ABC(21)XYZ"),
    ("https://a/01/12312312312333/235/TEST", "(01)12312312312333(235)TEST"),
    ("https://a/253/1231231231232TEST5678901234567", "(253)1231231231232TEST5678901234567"),
    ("https://a/8018/123456789012345675/8019/123", "(8018)123456789012345675(8019)123"),
    ("https://a/stem/00/006141411234567890?", "(00)006141411234567890"),
    ("https://a/stem/401/12345678?99=ABC", "(401)12345678(99)ABC"),
    ("https://a/01/12312312312333?&&&99=ABC&&&&&&98=XYZ&&&", "(01)12312312312333(99)ABC(98)XYZ"),
    ("https://a/01/12312312312333?s&u=55&99=ABC&t&98=XYZ&v", "(01)12312312312333(99)ABC(98)XYZ"),
    ("https://a/01/12312312312333/22/ABC%2d123?98=X%2f9", "(01)12312312312333(22)ABC-123(98)X/9"),
    ("https://a/01/12312312312333/22/ABC+123", "(01)12312312312333(22)ABC+123"),
    ("https://a/01/12312312312333/22/test/10/abc/21/xyz#f", "(01)12312312312333(22)test(10)abc(21)xyz"),
    ("https://a/stem/00/006141411234567890?99=ABC#fragment", "(00)006141411234567890(99)ABC"),
    ("https://id.gs1.org/01/09520123456788/10/ABC1/21/12345?17=180426", f"(01){GTIN}(10)ABC1(21)12345(17)180426"),
    ("https://a/01/09520123456788?3103=000195&3922=0299&17=201225", f"(01){GTIN}(3103)000195(3922)0299(17)201225"),
    ("https://a/00/952012345678912345?02=09520123456788&37=25&10=AB", f"(00)952012345678912345(02){GTIN}(37)25(10)AB"),
    ("https://id.gs1.org/414/9520123456788/254/32a%2Fb", "(414)9520123456788(254)32a/b"),
    ("https://example.com/8004/9520614141234567?01=9520123456788", f"(8004)9520614141234567(01){GTIN}"),
    ("https://id.gs1.org/01/09520123456788/235/XYZ?10=ABC123", f"(01){GTIN}(235)XYZ(10)ABC123"),
    ("https://id.gs1.org/01/09520123456788?15=260200", f"(01){GTIN}(15)260200"),
    ("https://id.gs1.org/01/09520123456788?7003=2602281830", f"(01){GTIN}(7003)2602281830"),
    ("https://id.gs1.org/01/09520123456788?17=280229", f"(01){GTIN}(17)280229"),
    ("https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310c2K", "(8013)1987654Ad4X4bL5ttr2310c2K"),
]  # fmt: skip

BAD = [
    *("", "ftp://", "http://", "http:///", "http://a", "http://a/", "http://a/b", "http://a/b/"),
    "HtTp://a/b/00/006141411234567890",
    "https://00/006141411234567890",
    "https://[fe80::1%25lo]/01/12312312312333",
    "https://$a/006141411234567890",
    "https://a_b/01/12312312312333",
    "https://a/gtin/12312312312333",
    *("https://a/01/2112345678900", "https://a/01/416000336108", "https://a/01/02345673"),
    "https://a/253/1231231231232TEST56789012345678",
    "https://a/stem/00/006141411234567890/",
    "https://a/01/12312312312333?99=",
    "https://a/01/12312312312333?99=ABC&999=faux",
    "https://a/01/12312312312333?99=ABC&98=XYZ+987",
    "https://example.com/01/09520123456788?10=ABC123",
    "https://id.gs1.org/01/09520123456788/10/ABC123?99=XYZ789&01=09520123456788",
    "https://id.gs1.org/01/09520123456788/235/ABC123?10=XYZ789&10=ABC123",
    "https://id.gs1.org/01/09520123456788/10/ABC123?99=XYZ789&99=XYZ789",
    "https://example.com/01/09520123456788/89/ABC123?99=XYZ",
    "https://example.com/01/09520123456788?99=XYZ&89=ABC123",
    "https://example.com/01/09520123456788/21/1/10/A",
    "https://example.com/01/09520123456788/10/A/22/B",
    "https://example.com/01/09520123456788/22/A/235/B",
    "https://example.com/01/09520123456788/10/A/10/B",
    "https://example.com/01/09520123456788/10/",
    "https://example.com/01//10/A",
    "https://example.com/01/09520123456787",
    "https://example.com/01/0952012345678A",
    "https://example.com/01/09520123456788/10/123456789012345678901",
    "https://example.com/01/09520123456788/10/l%C3%B4%201",
    "https://example.com/01/09520123456788/10/lô",
    "https://example.com/01/09520123456788/10/A%00B",
    "https://example.com/01/09520123456788/10/A%20B",
    "https://example.com/01/09520123456788/254/A",
    "https://example.com/01/09520123456788?8200=http%3A%2F%2Fexample.com",
    "https://example.com/01/09520123456788?17=261301",
    "https://example.com/01/09520123456788?17=260230",
    "https://example.com/01/09520123456788?17=26020",
    "https://example.com/01/09520123456788?7003=2602301830",
    "https://example.com/01/09520123456788?7003=2602002400",
    "https://example.com/01/09520123456788?37=5",
    "https://example.com/01/09520123456788?02=09520123456788&37=1",
    "https://example.com/414/9520123456788?10=A",
    "https://example.com/8013/1987654Ad4X4bL5ttr2310cXK",
    "https://example.com/8004/AB12",
    "https://id.gs1.org/AQnYUc1gmiCNV4JGYgYP",
]


def elements(uri: str) -> str:
    link = parse(uri)
    pairs = ((link.key, link.value), *link.qualifiers, *link.attributes)
    return "".join(f"({ai}){value}" for ai, value in pairs)


@pytest.mark.parametrize(("uri", "read"), GOOD)
def test_links_of_the_standard_are_read_as_it_reads_them(uri: str, read: str) -> None:
    assert elements(uri) == read


@pytest.mark.parametrize("uri", BAD)
def test_wrong_links_are_refused_with_one_plain_sentence(uri: str) -> None:
    with pytest.raises(IdentifierError) as refused:
        parse(uri)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "%(" not in sentence and "\n" not in sentence


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://a.vn/x/01/09520123456788/10/ABC/?linkType=gs1:pip", "/01/09520123456788/10/ABC"),
        ("https://a.vn/01/9520123456788/10/ABC", "/01/09520123456788/10/ABC"),
        ("https://a.vn/01/02345673/", "/01/00000002345673"),
        ("https://a.vn/414/9520123456788?10=A", "/414/9520123456788"),
    ],
)
def test_a_resolver_is_more_tolerant_of_what_scanners_send(uri: str, name: str) -> None:
    with pytest.raises(IdentifierError):
        parse(uri)
    assert parse(uri, strict=False).path == name


@pytest.mark.parametrize("uri", ["https://a/01/09520123456787/", "https://a/01/09520123456788?999=1"])
def test_a_tolerant_reading_still_refuses_wrong_codes(uri: str) -> None:
    with pytest.raises(IdentifierError):
        parse(uri, strict=False)


# Check digits: GS1 General Specifications 7.9, and samples computed by hand.
@pytest.mark.parametrize(
    ("digits", "check"),
    [
        *(("893850597419", "4"), ("0950600013435", "2"), ("952012345678", "8")),
        *(("629104150021", "3"), ("37610425002123456", "9"), ("9638507", "4"), ("61414112345", "2")),
    ],
)
def test_check_digits_of_gs1(digits: str, check: str) -> None:
    assert check_digit(digits) == check
    assert check_digit("000" + digits) == check
    assert has_check_digit(digits + check)
    assert not has_check_digit(digits + str((int(check) + 1) % 10))


@pytest.mark.parametrize("text", ["", "7", "12a", "٣٤٥", "123456789012x"])
def test_what_is_no_number_has_no_check_digit(text: str) -> None:
    assert not has_check_digit(text)
    assert not is_gtin(text)


@pytest.mark.parametrize(
    "gmn", ["1987654Ad4X4bL5ttr2310c2K", "12345678901234567890123NT", "99999zzzzzzzzzzzzzzzzzzT2"]
)
def test_check_characters_of_model_numbers(gmn: str) -> None:
    assert check_characters(gmn[:-2]) == gmn[-2:]


@given(st.integers(10**11, 10**13 - 1))
def test_gtins_are_judged_as_biip_judges_them(number: int) -> None:
    digits = f"{number:013d}"
    link = f"https://example.com/01/{digits}{check_digit(digits)}"
    assert parse(link).get("01") == str(GS1DigitalLinkURI.parse(link).element_strings[0].value)
    for last in range(10):
        uri = f"https://example.com/01/{digits}{last}"
        if GS1DigitalLinkURI.parse(uri).element_strings[0].gtin_error is None:
            assert parse(uri)
        else:
            with pytest.raises(IdentifierError):
                parse(uri)


@given(lot=st.text(CSET82, min_size=1, max_size=20), serial=st.text(CSET82, min_size=1, max_size=20))
def test_any_lot_and_serial_of_the_standard_survives_the_address(lot: str, serial: str) -> None:
    link = build(
        "01", "8938505974194", {"21": serial, "10": lot}, {"17": "261231", "99": "a b".replace(" ", "+")}
    )
    again = parse(link.uri)
    assert (again.get("10"), again.get("21"), again.get("17"), again.get("99")) == (
        lot,
        serial,
        "261231",
        "a+b",
    )
    assert again.canonical == link.canonical
    read = GS1DigitalLinkURI.parse(link.canonical.replace("https://id.gs1.org", "https://example.com"))
    assert [str(e.value) for e in read.element_strings] == ["08938505974194", lot, serial]
    assert re.fullmatch(r"[A-Za-z0-9\-._~%/:?=&]*", link.uri)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_but_never_fails(text: str) -> None:
    for uri in (
        text,
        f"https://a/{text}",
        f"https://a/01/09520123456788/{text}",
        f"https://a/00/{text}?{text}",
    ):
        for strict in (True, False):
            try:
                parse(uri, strict=strict)
            except IdentifierError as refused:
                assert str(refused)
        assert canonical(canonical(uri)) == canonical(uri)
        assert kind_of(uri)


@pytest.mark.skipif(not DICTIONARY.exists(), reason="the syntax dictionary is not beside the tree")
def test_the_table_says_what_the_syntax_dictionary_says() -> None:
    lines = [line for line in DICTIONARY.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {row["ai"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(lines)
    for line in lines:
        body, _, title = line.partition(" # ")
        row = rows[body.split()[0]]
        assert row["title"] == title.strip()
        assert bool(row["key"]) == ("dlpkey" in body)
        assert bool(row["attribute"]) == ("?" in body.split()[1])
        found = re.search(r"dlpkey=(\S+)", body)
        assert row["qualifiers"].replace(" ", ",") == (found[1] if found else "")
        longest = sum(
            int(n)
            for n in re.findall(
                r"[NXYZ](?:\.\.)?(\d+)", body.split(" req=")[0].split(" ex=")[0].split(" dlp")[0]
            )
        )
        first = body.split()[0].split("-")[0]
        assert sum(part.most for part in application_identifiers()[first].components) == longest


@pytest.mark.parametrize(
    ("urn", "link"),
    [
        # EPC Tag Data Standard 2.0, table of examples, and EPCIS/CBV 2.0 example documents.
        ("urn:epc:id:sgtin:0614141.112345.400", "/01/10614141123459/21/400"),
        ("urn:epc:id:sgtin:4012345.011122.25", "/01/04012345111224/21/25"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "/01/04012345123456/10/998877"),
        ("urn:epc:idpat:sgtin:4012345.098765.*", "/01/04012345987652"),
        ("urn:epc:id:sscc:0614141.1234567890", "/00/106141412345678908"),
        ("urn:epc:id:sgln:0614141.12345.400", "/414/0614141123452/254/400"),
        ("urn:epc:id:sgln:0614141.12345.0", "/414/0614141123452"),
        ("urn:epc:id:pgln:0614141.12345", "/417/0614141123452"),
        ("urn:epc:id:grai:0614141.12345.400", "/8003/00614141123452400"),
        ("urn:epc:id:giai:0614141.12345400", "/8004/061414112345400"),
        ("urn:epc:id:gsrn:0614141.1234567890", "/8018/061414112345678902"),
        ("urn:epc:id:gsrnp:0614141.1234567890", "/8017/061414112345678902"),
        ("urn:epc:id:gdti:0614141.12345.400", "/253/0614141123452400"),
        ("urn:epc:id:sgcn:4012345.67890.04711", "/255/401234567890104711"),
        ("urn:epc:id:cpi:0614141.123ABC.123456789", "/8010/0614141123ABC/8011/123456789"),
        ("urn:epc:id:cpi:0614141.5PQ7%2FZ43.12345", "/8010/06141415PQ7%2FZ43/8011/12345"),
        ("urn:epc:id:ginc:0614141.xyz47%2F11", "/401/0614141xyz47%2F11"),
        ("urn:epc:id:gsin:0614141.123456789", "/402/06141411234567890"),
        ("urn:epc:id:itip:4012345.012345.01.02.987", "/8006/040123451234560102/21/987"),
        ("urn:epc:id:upui:1234567.089456.51qIgY)%3C%26Jp3", "/01/01234567894560/235/51qIgY%29%3C%26Jp3"),
        ("urn:epc:idpat:grai:0614141.12345.*", "/8003/00614141123452"),
        ("urn:epc:idpat:itip:4012345.012345.04.04.*", "/8006/040123451234560404"),
    ],
)  # fmt: skip
def test_epc_urns_and_their_links_name_the_same_thing(urn: str, link: str) -> None:
    assert canonical(urn) == "https://id.gs1.org" + link
    assert canonical("https://example.com/stem" + link + "?linkType=gs1:pip") == canonical(urn)


@pytest.mark.parametrize("name", [
    "urn:epc:id:gid:95100000.12345.400", "urn:epc:id:bic:CSQU3054383", "urn:uuid:0b1b6c9e-4f0e-4f6c-8f0a-2f8d4cb1a111",
    "https://example.com/places/7", "urn:epc:id:sgtin:1.2.3", "urn:epc:id:sgtin:abc", "urn:epc:idpat:sgtin:0614141.*.*",
    "",
])  # fmt: skip
def test_names_without_a_link_stay_as_they_are(name: str) -> None:
    assert canonical(name) == name
    assert digital_link_of(name) is None


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("https://a.vn/01/09520123456788", "class"),
        ("https://a.vn/01/09520123456788/22/2A", "class"),
        ("https://a.vn/01/09520123456788/10/A", "lot"),
        ("https://a.vn/01/09520123456788/10/A/21/1", "instance"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "lot"),
        ("urn:epc:id:sscc:0614141.1234567890", "sscc"),
        ("urn:epc:id:gid:95100000.12345.400", "instance"),
        ("https://id.gs1.org/414/9520123456788/254/X", "place"),
        ("https://id.gs1.org/417/9520123456788", "party"),
        ("https://id.gs1.org/8003/00614141123452", "class"),
        ("https://id.gs1.org/8003/00614141123452400", "instance"),
        (lot_uri(None, 4, "L01"), "lot"),
        (lot_uri(None, 4, "L01", "MAU-01"), "instance"),
        (area_uri(4), "place"),
        (sale_point_uri(4), "place"),
        (commune_uri("31834"), "place"),
        (producer_uri(4), "party"),
        ("urn:uuid:0b1b6c9e-4f0e-4f6c-8f0a-2f8d4cb1a111", "other"),
        ("https://example.com/", "other"),
    ],
)
def test_every_name_says_what_kind_of_thing_it_names(uri: str, kind: str) -> None:
    assert kind_of(uri) == kind


@pytest.mark.parametrize(
    ("gtin", "number", "serial", "path"),
    [
        ("8938505974194", "L261123-01", None, "/01/08938505974194/10/L261123-01"),
        ("8938505974194", "L1", "MAU-01", "/01/08938505974194/10/L1/21/MAU-01"),
        ("8938505974194", "A/B", None, "/01/08938505974194/10/A%2FB"),
        ("8938505974195", "L1", None, "/lo/12/L1"),
        (None, "L1", "7", "/lo/12/L1/7"),
        (None, "lô 1:2/3", None, "/lo/12/l%C3%B4%201%3A2%2F3"),
        ("8938505974194", "lô một", None, "/lo/12/l%C3%B4%20m%E1%BB%99t"),
        ("8938505974194", "L" * 21, None, "/lo/12/" + "L" * 21),
    ],
)
def test_a_lot_has_one_name_and_one_path_and_never_a_made_up_gtin(
    gtin: str | None, number: str, serial: str | None, path: str
) -> None:
    name = lot_uri(gtin, 12, number, serial)
    assert public_path(name) == path
    assert from_public_path(path) == name
    assert canonical(name) == name
    if path.startswith("/lo/"):
        assert own_parts(name) == ("lot", "12", number, *([serial] if serial else []))


@given(number=st.text(min_size=1, max_size=30), serial=st.none() | st.text(min_size=1, max_size=30))
def test_any_lot_number_of_a_small_producer_comes_back_from_its_path(number: str, serial: str | None) -> None:
    try:
        name = lot_uri(None, 3, number, serial)
    except UnicodeEncodeError:
        return
    assert from_public_path(public_path(name)) == name
    assert own_parts(name) == ("lot", "3", number, *([serial] if serial else []))


def test_what_has_no_public_address_is_refused() -> None:
    for name in (area_uri(3), "urn:uuid:0b1b6c9e-4f0e-4f6c-8f0a-2f8d4cb1a111", "https://example.com/"):
        with pytest.raises(IdentifierError):
            public_path(name)
    for path in ("/lo/x/L1", "/lo/3", "/01/1/10/A", "/nothing"):
        with pytest.raises(IdentifierError):
            from_public_path(path)
    with pytest.raises(IdentifierError):
        lot_uri(None, 3, "")


def test_a_link_shows_every_level_above_it() -> None:
    link = parse("https://a.vn/01/09520123456788/22/2A/10/L1/21/S?17=261231")
    assert [level.path for level in link.levels] == [
        "/01/09520123456788/22/2A/10/L1/21/S",
        "/01/09520123456788/22/2A/10/L1",
        "/01/09520123456788/22/2A",
        "/01/09520123456788",
    ]
    with pytest.raises(IdentifierError):
        build("01", "09520123456788", {"254": "A"})
    with pytest.raises(IdentifierError):
        build("10", "A")
