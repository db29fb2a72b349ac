"""The Vietnamese letter codes of the years before Unicode: TCVN3 (ABC fonts, .VnTime), VNI and VISCII.

Importing this module registers the Python codecs `tcvn3`, `vni` and `viscii`. TCVN3 has no capitals with a
tone: the font .VnTimeH draws them from the bytes of the small letters, so their case is lost in both
directions ("ĐẤT MŨI" comes back as "ĐấT MũI").
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

_TCVN3_BYTES = "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\xadõøö÷ùúýûüþ¡¢§£¤¥¦"
_TCVN3_LETTERS = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ"
# RFC 1456; six capitals sit on control bytes.
_VISCII_LOW = {0x02: "Ẳ", 0x05: "Ẵ", 0x06: "Ẫ", 0x14: "Ỷ", 0x19: "Ỹ", 0x1E: "Ỵ"}
_VISCII_HIGH = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)

# VNI writes a vowel and then a second byte for its marks; tones in the order sắc, huyền, hỏi, ngã, nặng.
_TONES = ("\u0301", "\u0300", "\u0309", "\u0303", "\u0323")
_VNI_PLAIN, _VNI_HAT, _VNI_BREVE = "ùøûõï", "áàåãä", "éèúüë"
_VNI_SINGLE = {"ñ": "đ", "ö": "ư", "ô": "ơ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


def _vni_table() -> dict[str, str]:
    pairs = dict(_VNI_SINGLE)
    for vowel, letter in zip("aeouyôö", "aeouyơư", strict=True):
        for second, tone in zip(_VNI_PLAIN, _TONES, strict=True):
            pairs[vowel + second] = unicodedata.normalize("NFC", letter + tone)
    for vowel in "aeo":
        pairs[vowel + "â"] = unicodedata.normalize("NFC", vowel + "\u0302")
        for second, tone in zip(_VNI_HAT, _TONES, strict=True):
            pairs[vowel + second] = unicodedata.normalize("NFC", vowel + "\u0302" + tone)
    pairs["aê"] = "ă"
    for second, tone in zip(_VNI_BREVE, _TONES, strict=True):
        pairs["a" + second] = unicodedata.normalize("NFC", "ă" + tone)
    cased = {code.upper(): letter.upper() for code, letter in pairs.items()}
    # In words with one capital, typists leave the second byte small: "Aùo" as well as "AÙo".
    half = {c[0].upper() + c[1:]: le.upper() for c, le in pairs.items() if len(c) == 2}
    return {**half, **cased, **pairs}


_TCVN3: Mapping[int, str] = {
    ord(byte): letter for byte, letter in zip(_TCVN3_BYTES, _TCVN3_LETTERS, strict=True)
}
_VISCII: Mapping[int, str] = {**_VISCII_LOW, **dict(enumerate(_VISCII_HIGH, start=0x80))}
_VNI = _vni_table()
_VNI_CODE = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))

_TO_TCVN3 = {letter.upper(): bytes([code]) for code, letter in _TCVN3.items()} | {
    letter: bytes([code]) for code, letter in _TCVN3.items()
}
_TO_VISCII = {letter: bytes([code]) for code, letter in _VISCII.items()}
_TO_VNI = {
    letter: code.encode("latin-1") for code, letter in _VNI.items() if code in (code.lower(), code.upper())
}

FONT_CODES = ("tcvn3", "vni", "viscii")
"""The codecs that this module registers."""


def western(octets: bytes) -> str:
    """Bytes as Windows shows them in Western fonts, the few undefined ones as control characters."""
    return "".join(_WESTERN[octet] for octet in octets)


def octets_of(text: str) -> bytes | None:
    """The bytes behind a text that was decoded as Windows-1252 or ISO 8859-1, or None when it never was."""
    try:
        return bytes(_TO_WESTERN[letter] for letter in text)
    except KeyError:
        return None


_WESTERN = [bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in range(256)]
_TO_WESTERN = {chr(octet): octet for octet in range(256)} | {
    letter: octet for octet, letter in enumerate(_WESTERN)
}


def recode(text: str, encoding: str) -> str:
    """A text whose letters are the Western look of another code ("Nguyªn" for "Nguyên"), read as that code.

    Officers' workbooks and GeoJSON files carry such texts, drawn by an old font. A text with letters outside
    Windows-1252 is real Unicode and stays as it is.
    """
    octets = octets_of(text)
    if octets is None or octets.isascii():
        return text
    return unicodedata.normalize("NFC", octets.decode(encoding, "replace"))


def encode(text: str, encoding: str) -> bytes:
    """A text in one of the old codes; a letter that the code lacks is written without its marks, else as "?"."""
    pieces = []
    for letter in unicodedata.normalize("NFC", text):
        try:
            pieces.append(letter.encode(encoding))
        except UnicodeEncodeError:
            plain = unicodedata.normalize("NFD", letter)[0]
            pieces.append(plain.encode("ascii", "replace"))
    return b"".join(pieces)


def _decode_tcvn3(octets: bytes, errors: str) -> tuple[str, int]:
    return "".join(_TCVN3.get(octet) or _WESTERN[octet] for octet in octets), len(octets)


def _decode_viscii(octets: bytes, errors: str) -> tuple[str, int]:
    return "".join(_VISCII.get(octet) or chr(octet) for octet in octets), len(octets)


def _decode_vni(octets: bytes, errors: str) -> tuple[str, int]:
    return _VNI_CODE.sub(lambda found: _VNI[found[0]], western(octets)), len(octets)


def _encode_tcvn3(text: str, errors: str) -> tuple[bytes, int]:
    return _encoded("tcvn3", text, errors, _TO_TCVN3)


def _encode_viscii(text: str, errors: str) -> tuple[bytes, int]:
    return _encoded("viscii", text, errors, _TO_VISCII)


def _encode_vni(text: str, errors: str) -> tuple[bytes, int]:
    return _encoded("vni", text, errors, _TO_VNI)


def _encoded(name: str, text: str, errors: str, table: Mapping[str, bytes]) -> tuple[bytes, int]:
    composed = unicodedata.normalize("NFC", text)
    pieces = []
    for at, letter in enumerate(composed):
        if letter in table:
            pieces.append(table[letter])
        elif ord(letter) < 0x80:
            pieces.append(letter.encode("ascii"))
        else:
            problem = UnicodeEncodeError(name, composed, at, at + 1, "no byte for this letter")
            instead, _ = codecs.lookup_error(errors)(problem)
            pieces.append(instead if isinstance(instead, bytes) else instead.encode("ascii", "replace"))
    return b"".join(pieces), len(text)


def _codec(
    name: str,
    write: Callable[[str, str], tuple[bytes, int]],
    read: Callable[[bytes, str], tuple[str, int]],
    first_bytes: frozenset[int] = frozenset(),
) -> codecs.CodecInfo:
    """A codec for whole texts and for streams; `first_bytes` may begin a letter of two bytes."""

    class Encoder(codecs.IncrementalEncoder):
        def encode(self, text: str, final: bool = False) -> bytes:
            return write(text, self.errors)[0]

    class Decoder(codecs.BufferedIncrementalDecoder):
        def _buffer_decode(self, octets: Any, errors: str, final: bool) -> tuple[str, int]:
            piece = bytes(octets)
            if not final and piece and piece[-1] in first_bytes:
                piece = piece[:-1]
            return read(piece, errors)[0], len(piece)

    def encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
        return write(text, errors)

    def decode(octets: Any, errors: str = "strict") -> tuple[str, int]:
        return read(bytes(octets), errors)

    return codecs.CodecInfo(encode, decode, name=name, incrementalencoder=Encoder, incrementaldecoder=Decoder)


_CODECS = {
    "tcvn3": _codec("tcvn3", _encode_tcvn3, _decode_tcvn3),
    "viscii": _codec("viscii", _encode_viscii, _decode_viscii),
    "vni": _codec(
        "vni", _encode_vni, _decode_vni, frozenset(ord(code[0]) for code in _VNI if len(code) == 2)
    ),
}
codecs.register(_CODECS.get)
