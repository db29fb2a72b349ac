"""Names, telephones and numbers that nobody could take for real ones."""

from __future__ import annotations

from data.demo.dice import Dice

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng", "Bùi", "Lâm", "Trịnh", "Danh", "Thạch")
_HAMLETS = ("Tân Lập", "Thuận Hòa", "Cây Dương", "Rạch Nhum", "Bà Điều", "Kinh Mới", "Đường Cày", "Xóm Lung")

#: Prefix that GS1 keeps for demonstrations and examples.
_DEMONSTRATION_PREFIX = "952"


def person(dice: Dice, number: int) -> str:
    """Give the name of somebody who does not exist."""
    middle = dice.pick(("Văn", "Thị"))
    return f"{dice.pick(_FAMILY)} {middle} Ví Dụ {number:03d}"


def phone(number: int) -> str:
    """Give a telephone number that is plainly made up."""
    return f"0900 {number // 1000:03d} {number % 1000:03d}"


def identity_number(number: int) -> str:
    """Give twelve digits that are no citizen's number, since no province has the code 000."""
    return f"{number:012d}"


def hamlet(dice: Dice, unit_kind: str) -> str:
    """Give the name of a hamlet of a commune, or of a quarter of a ward or township."""
    word = "Ấp" if unit_kind == "xã" else "Khóm"
    return f"{word} {dice.whole(1, 12)}" if dice.chance(0.7) else f"{word} {dice.pick(_HAMLETS)}"


def address(hamlet_name: str, commune: str, district: str) -> str:
    """Give an address as it is written on an envelope."""
    return f"{hamlet_name}, {small(commune)}, {small(district)}"


def numbered(place: str, number: int) -> str:
    """Give a made-up name with its number, kept apart from the number of a ward."""
    return f"Minh Hoạ {place} số {number}" if place[-1].isdigit() else f"Minh Hoạ {place} {number}"


def small(text: str) -> str:
    """Give a name as it stands inside a sentence: kinds of units and things begin small."""
    return text[:1].lower() + text[1:]


def gtin(number: int) -> str:
    """Give a GTIN of fourteen digits from the demonstration range, check digit included."""
    body = f"0{_DEMONSTRATION_PREFIX}0960{number:05d}"
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighted % 10}"
