"""Queries about something else: what a collection answers where it holds nothing that is wanted.

Everyday matters from many fields, so that most of them are strange to any one collection, and word salads, which are in
the words of a collection but about nothing in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from similia.errors import InputError

EVERYDAY = (
    "how to bake sourdough bread at home",
    "best time to plant tomatoes",
    "who won the football final last night",
    "cheap flights to Lisbon in May",
    "how to remove a red wine stain from a carpet",
    "opening hours of the public library",
    "lyrics of a lullaby about the moon",
    "how to change a bicycle tyre",
    "rules of chess for beginners",
    "which paint to use on a wooden fence",
    "knitting pattern for a baby hat",
    "train timetable from Vienna to Prague",
    "how to train a puppy not to bite",
    "recipe for vegetable lasagne",
    "what to wear to a summer wedding",
    "second hand car with low mileage",
    "how to tune a guitar by ear",
    "apartment for rent with two bedrooms",
    "history of the Roman aqueducts",
    "who painted the ceiling of the Sistine Chapel",
    "how to file an income tax return",
    "minimum wage by country",
    "how to write a letter of resignation",
    "review of a new detective novel",
    "horoscope for Leo this week",
    "birthday present for a ten year old",
    "how to descale a coffee machine",
    "why does my washing machine leak",
    "difference between llama and alpaca",
    "migration of storks in autumn",
    "how to pitch a tent in the rain",
    "hiking trails in the Dolomites",
    "Olympic record in the high jump",
    "how is cheese made",
    "wine that goes with grilled fish",
    "opening scene of a famous western film",
    "concert tickets for Saturday evening",
    "how to learn Spanish in three months",
    "origin of the word breakfast",
    "poem about the sea in winter",
    "visa requirements for travel to Japan",
    "exchange rate of the Swiss franc",
    "how to open a savings account",
    "mortgage with a fixed interest rate",
    "election results in the capital",
    "mayor opens new bridge across the river",
    "treaty that ended the Thirty Years War",
    "kings and queens of Denmark",
    "how do volcanoes erupt",
    "distance from the earth to the moon",
    "weather forecast for the weekend",
    "how to build a snowman that lasts",
    "furniture made of recycled pallets",
    "how to hang wallpaper around a corner",
    "replacement key for a garden shed",
    "parking permit for residents",
    "complaint about a late parcel",
    "return policy for shoes bought online",
    "loyalty card points expired",
    "what time does the supermarket close on Sunday",
    "yoga poses for the morning",
    "how to run a marathon under four hours",
    "swimming lessons for adults",
    "offside rule explained",
    "tennis racket string tension",
    "sailing course on the Baltic Sea",
    "surf spots in Portugal",
    "how to photograph fireworks",
    "camera lens for portraits",
    "video game with a dragon and a lost city",
    "board games for two players",
    "card trick with four aces",
    "puppet theatre for children",
    "how to apply for kindergarten",
    "school holidays in Bavaria",
    "scholarship for studying architecture",
    "gothic cathedrals of France",
    "how to restore an oak table",
    "goldfish bowl cleaning",
    "keeping chickens in the garden",
    "which apples keep through the winter",
    "jam from wild blackberries",
    "vegan chocolate cake without sugar",
    "how long to boil an egg",
    "table manners in Korea",
    "traditional dances of Hungary",
    "songs for a school choir",
    "violin concerto in D major",
    "museum of clocks and watches",
    "stamp collection of my grandfather",
    "family tree of a farmer in Ohio",
    "patron saint of travellers",
    "meaning of a dream about falling",
    "fairy tale with a talking fish",
    "bus drivers go on strike",
    "law on noise after ten in the evening",
    "how to register a new car",
    "speed limit on country roads",
    "lost passport abroad",
    "packing list for a week at the beach",
)
"""100 queries; one line each, no two of one matter."""

WORD = re.compile(r"[^\W_][\w'’-]*")


def word_salads(texts: Sequence[str], count: int = 200, *, words: Sequence[int] = (3, 12), seed: int = 0) -> list[str]:
    """Return queries made of single words of different texts: in the words of a collection, about nothing in it.

    They stand in for a collection's own queries where none are known, and score below most of those.

    Args:
        texts: some texts of the collection.
        count: how many queries.
        words: the fewest and the most words of a query.
        seed: same seed, same queries.

    Raises:
        InputError: no text holds a word, or a range of words that is none.

    Examples:
        >>> word_salads(["tax law", "a cat"], 2, words=(2, 3), seed=1)
        ['cat a', 'a a']
    """
    least, most = words
    if count < 0 or not 1 <= least <= most:
        raise InputError(f"count is {count} and words {tuple(words)}; count is at least 0, words are (fewest, most)")
    pools = [found for text in texts if (found := WORD.findall(text))]
    if not pools:
        raise InputError("no text holds a word, so no query can be made of them")
    random = np.random.default_rng(seed)
    salads = []
    for _ in range(count):
        chosen = random.integers(len(pools), size=int(random.integers(least, most + 1)))
        salads.append(" ".join(pools[i][random.integers(len(pools[i]))] for i in chosen))
    return salads
