"""The old Vietnamese codes against the converters of the system's C library and texts written in them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gis import lettercodes
from gis.letterevidence import byte_candidates, clearly_best, decoded, is_syllable, text_candidates

NAMES = [
    "Xã Nguyễn Việt Khái",
    "Huyện Đầm Dơi",
    "Thị trấn Sông Đốc",
    "Phường Tân Thành",
    "Xã Khánh Bình Tây Bắc",
    "Vùng nuôi tôm quảng canh cải tiến",
    "Cơ sở sản xuất mắm cá lóc Trần Văn Thời",
    "Hợp tác xã nuôi cua Năm Căn",
    "Ấp Kỹ Thuật, đường Hồ Chí Minh",
]
SMALL = [name.lower() for name in NAMES]

#: What such texts look like in a Western font, as officers send them.
SEEN = [
    ("tcvn3", "X· §Êt Mòi, huyÖn Ngäc HiÓn", "Xã Đất Mũi, huyện Ngọc Hiển"),
    ("tcvn3", "NguyÔn ViÖt Kh¸i", "Nguyễn Việt Khái"),
    ("vni", "Huyeän Traàn Vaên Thôøi", "Huyện Trần Văn Thời"),
    ("vni", "Thò traán Soâng Ñoác", "Thị trấn Sông Đốc"),
    ("vni", "ÑÖÔØNG NGUYEÃN TAÁT THAØNH", "ĐƯỜNG NGUYỄN TẤT THÀNH"),
    ("vni", "ngöôøi nuoâi toâm ôû Caùi Nöôùc", "người nuôi tôm ở Cái Nước"),
]

PUBLISHED_TCVN3 = (
    "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\xadõøö÷ùúýûüþ¡¢§£¤¥¦",
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ",
)


@pytest.mark.parametrize(("code", "seen", "meant"), SEEN)
def test_texts_as_they_look_in_a_western_font_are_read(code, seen, meant):
    assert seen.encode("cp1252").decode(code) == meant
    assert lettercodes.recode(seen, code) == meant


def test_the_published_table_of_tcvn3_holds_letter_by_letter():
    codes, letters = PUBLISHED_TCVN3
    assert codes.encode("latin-1").decode("tcvn3") == letters


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not installed")
@pytest.mark.parametrize(("code", "name"), [("viscii", "VISCII"), ("tcvn3", "TCVN")])
def test_the_c_library_writes_the_same_bytes(code, name):
    text = " ".join(SMALL)
    octets = subprocess.run(
        ["iconv", "-t", name], input=text.encode(), capture_output=True, check=True
    ).stdout
    assert octets.decode(code) == text
    assert text.encode(code) == octets


@pytest.mark.parametrize("code", lettercodes.FONT_CODES)
def test_small_letters_survive_the_way_there_and_back(code):
    assert [text.encode(code).decode(code) for text in SMALL] == SMALL


def test_capitals_with_a_tone_lose_their_case_in_tcvn3_only():
    text = "ĐẤT MŨI, ÂM Ư"
    assert text.encode("vni").decode("vni") == text
    assert text.encode("viscii").decode("viscii") == text
    assert text.encode("tcvn3").decode("tcvn3") == "ĐấT MũI, ÂM Ư"


def test_a_letter_without_a_byte_is_refused_or_replaced():
    with pytest.raises(UnicodeEncodeError):
        "ố → 1".encode("tcvn3")
    assert lettercodes.encode("ố → ü", "tcvn3") == "ố".encode("tcvn3") + b" ? u"


def test_real_unicode_is_never_taken_for_letters_of_a_font():
    assert lettercodes.recode("Xã Đất Mũi", "tcvn3") == "Xã Đất Mũi"
    assert lettercodes.recode("abc", "vni") == "abc"


@pytest.mark.parametrize("code", ["utf-8", *lettercodes.FONT_CODES])
def test_the_code_is_told_from_the_letters(code):
    candidates = byte_candidates([name.encode(code) for name in SMALL])
    assert candidates[0].encoding == code and clearly_best(candidates)
    assert 3 <= len(candidates[0].samples) <= 5
    assert set(candidates[0].samples) <= set(SMALL)


@pytest.mark.parametrize("code", lettercodes.FONT_CODES)
def test_texts_of_an_old_font_in_a_unicode_file_are_told(code):
    texts = [name.encode(code).decode("latin-1") for name in SMALL]
    candidates = text_candidates(texts)
    assert candidates[0].encoding == code and clearly_best(candidates)


def test_windows_1258_with_its_tones_apart_is_told():
    # In Windows-1258 a tone follows its vowel as a byte of its own.
    octets = [
        b"X\xe3 \xd0\xe2\xect M\xfb\xdei".replace(b"\xfb", b"u"),
        b"Nguy\xea\xden Vi\xea\xf2t Kha\xeci",
        b"Tr\xe2\xccn",
    ]
    candidates = byte_candidates(octets)
    assert candidates[0].encoding == "cp1258"
    assert decoded(octets[1], "cp1258") == "Nguyễn Việt Khái"
    assert decoded(octets[2], "cp1258") == "Trần"


def test_unicode_is_left_alone():
    candidates = text_candidates(NAMES)
    assert candidates[0].encoding == "utf-8" and clearly_best(candidates)
    assert byte_candidates([b"Xa Dat Mui"]) == () and text_candidates(["abc"]) == ()


def test_a_letter_that_the_field_cut_in_two_is_left_out():
    octets = "Xã Đất Mũ".encode()[:-1]
    assert decoded(octets, "utf-8") == "Xã Đất M"
    assert byte_candidates([octets, *[name.encode() for name in NAMES]])[0].encoding == "utf-8"


@pytest.mark.parametrize("word", ["nghiêng", "quýt", "khuỷu", "đắc", "ươm", "yến", "xã", "giếng", "huỳnh"])
def test_vietnamese_syllables_are_known(word):
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["xã©", "viöt", "·", "đắĐ", "bécs", "mốan", "cát̀", "phùc̃"])
def test_other_words_are_no_syllables(word):
    assert not is_syllable(word)


def test_the_demonstration_names_are_vietnamese(pytestconfig):
    table = Path(pytestconfig.rootpath) / "data/demo/communes.csv"
    candidates = text_candidates(table.read_text("utf-8").splitlines())
    assert candidates[0].encoding == "utf-8" and candidates[0].score > 0.95
