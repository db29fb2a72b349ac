"""The stories of demonstration products, put together from sentences in both languages."""

from __future__ import annotations

from data.demo import vocabulary
from data.demo.dice import Dice
from data.demo.names import small
from data.demo.producers import Maker
from data.demo.vocabulary import Item, Phrase

_TOLD_SHARE = 0.82
_IN_ENGLISH_SHARE = 0.85
_LAST_FOOD_SET = 10
_GROWN_SETS = (1, 2, 24)


def tell(dice: Dice, item: Item, maker: Maker, name: str, name_en: str) -> tuple[str | None, str | None]:
    """Give the story of a product in Vietnamese and in English; some have none, or only the first."""
    sentences = [dice.pick(_openings(item)), Phrase(item.fact, item.fact_en)]
    sentences += dice.some(_closings(item), dice.whole(0, 2))
    told, in_english = dice.chance(_TOLD_SHARE), dice.chance(_IN_ENGLISH_SHARE)
    if not told:
        return None, None
    scenery = vocabulary.scenery()[maker.place.district_code]
    facts = {
        "name": name,
        "name_en": name_en,
        "item": small(item.name),
        "item_en": small(item.name_en),
        "producer": maker.name,
        "commune": small(maker.place.name),
        "district": small(maker.place.district_name),
        "scenery": scenery.vi,
        "scenery_en": scenery.en,
        "workers": maker.workers,
    }
    english = facts | {"commune": maker.place.short_name, "district": maker.place.district_short_name}
    story = " ".join(phrase.vi.format(**facts) for phrase in sentences)
    story_en = " ".join(phrase.en.format(**english) for phrase in sentences)
    return story, story_en if in_english else None


def _openings(item: Item) -> tuple[Phrase, ...]:
    if item.is_service:
        return vocabulary.phrases("service_opening")
    found = vocabulary.phrases("opening")
    if item.product_set <= _LAST_FOOD_SET:
        found += vocabulary.phrases("food_opening")
    return found if item.product_set in _GROWN_SETS else found + vocabulary.phrases("made_opening")


def _closings(item: Item) -> tuple[Phrase, ...]:
    return vocabulary.phrases("service_closing" if item.is_service else "closing")
