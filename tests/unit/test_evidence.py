"""Hash chain, seals, hash trees and signatures, held against published vectors and other programs."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from data.traceability import evidence, merkle, redaction, signing
from data.traceability.signing import BadSignature, PublicKey, SigningKey

WHEN = dt.datetime(2026, 11, 23, 16, 40, 0, 123_000, tzinfo=dt.UTC)
KEY = bytes(range(32))

# RFC 6962's tree over these seven inputs, as Google's certificate-transparency reference tests publish it.
CT_INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# RFC 8037, appendix A.
RFC_PRIVATE = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
RFC_PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def rfc_key() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(signing.decoded(RFC_PRIVATE)))


# ---- the chain


def test_row_and_link_hashes_are_what_coreutils_computes_from_the_documented_bytes():
    seal = "ab" * 32
    for lines, ours in (
        (
            ["ocop row 1", "cd" * 32, "2026-11-23T16:40:00.123Z", seal],
            evidence.chained("cd" * 32, WHEN, seal),
        ),
        (["ocop link 1", "", "ef" * 32], evidence.link_hash("", "ef" * 32)),
    ):
        done = subprocess.run(["sha256sum"], input="\n".join(lines).encode(), capture_output=True, check=True)
        assert done.stdout.split()[0].decode() == ours


def test_the_time_of_recording_is_told_in_utc_whatever_its_zone():
    here = WHEN.astimezone(dt.timezone(dt.timedelta(hours=7)))
    assert evidence.moment_text(here) == "2026-11-23T16:40:00.123Z"


EVENT = {
    "type": "ObjectEvent",
    "eventTime": "2026-11-23T08:00:00+07:00",
    "ocop:dispatch": {"customer": "Cửa hàng Ví Dụ", "phone": "0900 000 001"},
    "ocop:test": {"results": [{"analyte": "e_coli", "value": 3.0}]},
    "quantityList": [{"epcClass": "urn:ocop:lot:1:L1", "quantity": 5}],
}


def row(event=EVENT, previous="", event_hash="ni:///x", when=WHEN, name="An", context=None, key=KEY):
    return evidence.row_hash(previous, event_hash, when, name, event, context, key)


@pytest.mark.parametrize(
    "change",
    [
        {"previous": "00" * 32},
        {"event_hash": "ni:///y"},
        {"when": WHEN + dt.timedelta(milliseconds=1)},
        {"name": "Bình"},
        {"context": [{"ocop": "urn:other:"}]},
        {"key": bytes(32)},
        {"event": {**EVENT, "eventTime": "2026-11-23T08:00:01+07:00"}},
        {"event": {**EVENT, "eventID": "urn:uuid:1"}},
        {"event": {**EVENT, "ocop:dispatch": {"customer": "Khác", "phone": "0900 000 001"}}},
        {"event": {**EVENT, "quantityList": []}},
    ],
)
def test_a_row_hash_covers_everything_that_was_recorded(change):
    assert row(**change) != row()


def test_a_row_hash_does_not_depend_on_the_order_of_keys_or_on_how_a_number_is_written():
    other = dict(reversed(EVENT.items()))
    other["quantityList"] = [{"quantity": 5.0, "epcClass": "urn:ocop:lot:1:L1"}]
    assert row(event=json.loads(json.dumps(other))) == row()


# ---- leaves


def test_a_leaf_is_the_hash_of_salt_name_and_value_on_three_lines():
    leaf = next(x for x in redaction.leaves(KEY, EVENT, None, "ni:///x", "An") if x.name == "/type")
    assert leaf.value == '"ObjectEvent"' and leaf.is_public
    assert leaf.hash == hashlib.sha256(f'{leaf.salt}\n/type\n"ObjectEvent"'.encode()).hexdigest()


def test_buyers_recorder_and_the_whole_events_hash_are_hidden():
    leaves = redaction.leaves(KEY, EVENT, [{"ocop": "urn:ocop:terms:"}], "ni:///x", "An")
    public = {leaf.name for leaf in leaves if leaf.is_public}
    assert public == {"/type", "/eventTime", "/ocop:test/results/0/analyte", "/ocop:test/results/0/value"}
    hidden = {leaf.name for leaf in leaves} - public
    assert {"/ocop:dispatch/customer", "/ocop:dispatch/phone", "/#hash", "/#recordedBy"} <= hidden


def test_every_field_of_an_event_is_a_leaf_even_an_empty_one():
    names = [leaf.name for leaf in redaction.leaves(KEY, {"a": [], "b": {}, "c/d": None}, None, "h", "An")]
    assert names == ["/a", "/b", "/c~1d", "/@context", "/#hash", "/#recordedBy"]


def test_equal_values_of_different_fields_and_events_have_different_salts():
    salts = [
        leaf.salt
        for event_hash in ("h1", "h2")
        for leaf in redaction.leaves(KEY, {"a": "x", "b": "x"}, None, event_hash, "An")
    ]
    assert len(set(salts)) == len(salts)


def test_nothing_private_is_named_public():
    private = (
        "customer",
        "phone",
        "address",
        "contact",
        "complaint",
        "dispatch",
        "household",
        "decidedBy",
        "person",
    )
    assert not [name for name in redaction.PUBLIC if any(word in name for word in private)]


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.booleans()))
def test_the_canonical_text_of_a_value_is_json_for_the_same_value(value):
    read = json.loads(redaction.canonical_value(value))
    assert (float(read) if isinstance(value, float) else read) == value


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_whole_numbers_have_one_text_as_integer_and_as_float(number):
    assert redaction.canonical_value(number) == redaction.canonical_value(float(number))


# ---- trees


def test_roots_are_those_of_the_certificate_transparency_vectors():
    tree = merkle.Tree()
    for text, root in zip(CT_INPUTS, CT_ROOTS, strict=True):
        tree.add(bytes.fromhex(text))
        assert tree.root.hex() == root
    assert merkle.Tree().root == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_every_leaf_has_a_proof_that_leads_to_the_root(size):
    data = [bytes([k]) * 32 for k in range(size)]
    tree = merkle.Tree()
    for item in data:
        tree.add(item)
    found = merkle.levels(data)
    assert found[-1] == [tree.root]
    for index, item in enumerate(data):
        path = merkle.proof(found, index)
        assert merkle.root_of(item, path) == tree.root
        assert merkle.root_of(b"other", path) != tree.root


def test_a_tree_goes_on_from_what_was_kept_of_it():
    whole, half = merkle.Tree(), merkle.Tree()
    for k in range(5):
        whole.add(bytes([k]))
        half.add(bytes([k]))
    again = merkle.Tree(half.size, half.roots)
    for k in range(5, 11):
        whole.add(bytes([k]))
        again.add(bytes([k]))
    assert again.root == whole.root


# ---- signatures


def test_key_and_thumbprint_are_those_of_rfc_8037():
    key = rfc_key()
    assert signing.encoded(key.public.raw) == RFC_PUBLIC
    assert key.public.id == RFC_THUMBPRINT
    assert PublicKey.from_jwk(key.public.jwk) == key.public


def test_openssl_accepts_what_we_sign(tmp_path):
    key = signing.kept_key(tmp_path / "evidence_key.pem")
    head, body, signature = key.signed({"day": "2026-11-23"}).split(".")
    (tmp_path / "text").write_bytes(f"{head}.{body}".encode())
    (tmp_path / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=="))
    make = [
        "openssl",
        "pkey",
        "-in",
        tmp_path / "evidence_key.pem",
        "-pubout",
        "-out",
        tmp_path / "public.pem",
    ]
    subprocess.run(make, check=True)
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "public.pem", "-rawin"]
    check += ["-in", tmp_path / "text", "-sigfile", tmp_path / "signature"]
    assert subprocess.run(check, capture_output=True).returncode == 0


def test_a_changed_payload_or_another_key_is_refused():
    signed = rfc_key().signed({"day": "2026-11-23", "events": 5})
    assert rfc_key().public.opened(signed) == {"day": "2026-11-23", "events": 5}
    head, body, signature = signed.split(".")
    other = signing.encoded(json.dumps({"day": "2026-11-23", "events": 6}).encode())
    for text in (
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        "no signature",
        "a.b.c",
    ):
        with pytest.raises(BadSignature):
            rfc_key().public.opened(text)
    with pytest.raises(BadSignature):
        SigningKey(Ed25519PrivateKey.generate()).public.opened(signed)


def test_the_key_file_is_for_its_owner_alone_and_made_once(tmp_path):
    path = tmp_path / "instance" / "evidence_key.pem"
    made = signing.kept_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signing.kept_key(path).public == made.public
    assert [file.name for file in path.parent.iterdir()] == ["evidence_key.pem"]


def test_a_file_that_is_no_key_is_told_plainly(tmp_path):
    path = tmp_path / "evidence_key.pem"
    path.write_text("không phải khóa")
    with pytest.raises(signing.SigningError, match="không phải là khóa ký"):
        signing.kept_key(path)
