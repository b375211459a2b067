"""Evidence: offsets, words, windows, languages, and which sentence is named."""

from __future__ import annotations

import math
from collections.abc import Sequence

import apsw
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from similia.encode import Side, TokenEncoder, load
from similia.errors import InputError
from similia.measure import cosine
from similia.rank.locating import Evidence, Locator
from similia.rank.spans import sentence_spans
from similia.rank.stems import stem, telling, words
from similia.types import Dense

TEXT = "Cats sleep all day. Dogs guard houses! Do birds sing at dawn? Fish swim."


class Counting:
    """The hashing encoder, and how often it was asked."""

    def __init__(self) -> None:
        self.encoder = load("hashing:64")
        self.name, self.dimension, self.fingerprint = "counting", 64, self.encoder.fingerprint
        self.calls: list[list[str]] = []

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        self.calls.append(list(items))
        return self.encoder.encode(items, side=side)


# -- sentences


@given(st.text(max_size=300), st.integers(1, 9))
@example("Dr. A. Smith met U.S. troops. ok", 3)
@example("«…» ?! 1) x.\n\r\n   ", 1)
@example("日本語です。次の文！終わり", 2)
@example("x" * 1_000, 2)
def test_sentences_are_pieces_of_the_text_in_order(text: str, most: int) -> None:
    spans = list(sentence_spans(text, most_words=most))
    end = 0
    for start, stop in spans:
        assert end <= start < stop <= len(text)
        piece = text[start:stop]
        assert piece == piece.strip()
        assert any(letter.isalnum() or letter == "_" for letter in piece)
        assert len(piece.split()) <= most
        assert len(piece) <= 1_600
        end = stop
    # No letter is lost.
    left = [letter for start, stop in spans for letter in text[start:stop] if letter.isalnum()]
    assert left == [letter for letter in text if letter.isalnum()]


def test_sentences_by_hand() -> None:
    def cut(text: str) -> list[str]:
        return [text[start:stop] for start, stop in sentence_spans(text)]

    assert cut(TEXT) == ["Cats sleep all day.", "Dogs guard houses!", "Do birds sing at dawn?", "Fish swim."]
    assert cut('He said "stop." Then (at last) he left.') == ['He said "stop."', "Then (at last) he left."]
    assert cut("Smith et al. (2019) and J. R. Doe agree, cf. Fig. 3. It holds.") == [
        "Smith et al. (2019) and J. R. Doe agree, cf. Fig. 3.",
        "It holds.",
    ]
    assert cut("A line\nAnother one\r\n\r\n* \nlast") == ["A line", "Another one", "last"]
    assert cut("by J. R.\nNext, cf.\rLast") == ["by J. R.", "Next, cf.", "Last"]  # a line ends what it holds
    assert cut("今日は晴れ。明日は雨？「はい。」そうです") == ["今日は晴れ。", "明日は雨？", "「はい。」", "そうです"]
    assert cut("यह एक वाक्य है। यह दूसरा है।") == ["यह एक वाक्य है।", "यह दूसरा है।"]
    assert cut("") == cut(" \n... !") == []


# -- words


def test_stems_are_those_of_the_full_text_index() -> None:
    db = apsw.Connection(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize='porter unicode61 remove_diacritics 2')")
    db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'row')")
    given_words = "Relational detections naïve ÉCOLE Straße running flies happily 42nd über ΑΒΓ привет generalisation"
    for word in given_words.split():
        db.execute("DELETE FROM t")
        db.execute("INSERT INTO t VALUES (?)", (word,))
        assert [row[0] for row in db.execute("SELECT term FROM v")] == [stem(word)]


@given(st.text(max_size=200))
@example("हिन्दी में खोज กขฃ ภาษาไทย 東京tower大学 e\u0301te\u0301 a\u0300")
@example("\ud800 \0 _x_")
def test_words_lie_in_the_text(text: str) -> None:
    found = list(words(text))
    for word in found:
        assert 0 <= word.start < word.stop <= len(text)
        assert word.stem
    assert [word.start for word in found] == sorted(word.start for word in found)
    covered = {place for word in found for place in range(word.start, word.stop)}
    assert covered >= {place for place, letter in enumerate(text) if letter.isalnum() and not letter.isspace()}


def test_words_of_scripts() -> None:
    assert [text[2] for text in words("Détection of e\u0301te\u0301s")] == ["detect", "of", "et"]
    assert [word.stem for word in words("東京tower大")] == ["東京", "tower", "大"]
    (hindi,) = words("हिन्दी")
    assert (hindi.start, hindi.stop) == (0, 6)
    assert list(telling("What is the price of COPIES?")) == ["price", "copi"]
    assert list(telling("who are you")) == ["who", "ar", "you"]
    assert list(telling("?!")) == []


# -- evidence


@given(st.lists(st.text(max_size=120), max_size=4), st.text(max_size=40), st.integers(1, 5), st.booleans())
def test_offsets_are_those_of_the_field(texts: list[str], query: str, most: int, dense: bool) -> None:
    locator = Locator(load("hashing:64") if dense else None)
    items = [{"a": text, "b": None, "c": f"{text} {query}"} for text in texts]
    found = locator.locate(query, items, most=most)
    assert len(found) == len(items)
    for item, own in zip(items, found, strict=True):
        assert len(own) == min(most, sum(1 for text in item.values() for _ in sentence_spans(text or "")))
        assert [each.score for each in own] == sorted((each.score for each in own), reverse=True)
        for each in own:
            text = item[each.field]
            assert text is not None
            assert text[each.start : each.stop] == each.text
            for start, stop in each.words:
                assert each.start <= start < stop <= each.stop
            stems = {word.stem for word in words(each.text)} & set(telling(query))
            assert {word.stem for a, z in each.words for word in words(text[a:z])} >= stems


def test_words_alone_by_hand() -> None:
    idf = {"cat": 3.0, "guard": 1.0}
    (found,) = Locator(idf=idf).locate("Do cats guard?", [TEXT], most=2)
    assert [each.text for each in found] == ["Cats sleep all day.", "Dogs guard houses!"]
    assert [each.score for each in found] == [0.75, 0.25]
    assert found[0].words == ((0, 4),)
    assert [TEXT[a:z] for a, z in found[1].words] == ["guard"]
    # What is missing from a mapping counts as its rarest word.
    assert Locator(idf=idf).locate("cat zebra", ["A cat."])[0][0].score == 0.5
    by_function = Locator(idf=lambda word: {"cat": 1.0}.get(word, 3.0)).locate("cat zebra", ["A cat."])
    assert by_function[0][0].score == 0.25


def test_idf_of_the_sentences_at_hand() -> None:
    (found,) = Locator().locate("sing day day", ["A day. One day. The day. They sing."], most=4)

    def idf(n: int) -> float:
        return math.log1p((4 - n + 0.5) / (n + 0.5))

    assert found[0].text == "They sing."
    assert found[0].score == pytest.approx(idf(1) / (idf(1) + idf(3)))


def test_likeness_is_the_cosine_and_words_are_the_rest() -> None:
    encoder = load("hashing:64")
    (by_vectors,) = Locator(encoder, share=1).locate("birds sing", [TEXT], most=9)
    sentences = [TEXT[a:z] for a, z in sentence_spans(TEXT)]
    expected = cosine(encoder.encode(["birds sing"], side="query").vectors, encoder.encode(sentences).vectors)[0]
    assert {each.text: each.score for each in by_vectors} == pytest.approx(dict(zip(sentences, expected, strict=True)))
    (by_words,) = Locator().locate("birds sing", [TEXT], most=9)
    (both,) = Locator(encoder, share=0.25).locate("birds sing", [TEXT], most=9)
    overlap = {each.text: each.score for each in by_words}
    for each in both:
        cos = next(other.score for other in by_vectors if other.text == each.text)
        assert each.score == pytest.approx(0.25 * cos + 0.75 * overlap[each.text], abs=1e-6)
    vector = encoder.encode(["Fish swim."]).vectors[0]
    (given_vector,) = Locator(encoder).locate("", [TEXT], vector=vector, most=1)
    assert given_vector[0].text == "Fish swim."


def test_one_call_for_all_items() -> None:
    encoder = Counting()
    found = Locator(encoder).locate("dogs", [TEXT, {"title": "Dogs guard houses!", "body": TEXT}], most=1)
    assert [len(call) for call in encoder.calls] == [1, 4]  # the query, and each sentence once
    assert [own[0].text for own in found] == ["Dogs guard houses!"] * 2
    assert found[1][0].field == "title"  # equal scores by order
    Locator(encoder).locate("dogs", [TEXT], vector=np.ones(64))
    assert len(encoder.calls) == 3


def test_long_texts_are_read_where_words_are_shared() -> None:
    encoder = Counting()
    text = "\n".join(f"line number {place}" for place in range(500)) + "\nthe zebra line"
    (found,) = Locator(encoder, read=10).locate("zebra", [text], most=3)
    assert len(encoder.calls[1]) == 10
    assert found[0].text == "the zebra line"
    (windows,) = Locator(idf=lambda word: 1.0).locate("needle", [" ".join(["hay"] * 1_000 + ["needle"])], most=1)
    assert windows[0].text.endswith("needle")
    assert len(windows[0].text.split()) <= 80


def test_short_and_empty_texts() -> None:
    locator = Locator(load("hashing:64"))
    assert locator.locate("x", []) == []
    assert locator.locate("x", ["", " \n", "...", {"a": None}, {}]) == [[]] * 5
    for locate in (Locator(), locator):
        (one,) = locate.locate("nothing shared", ["Only this"])
        assert [(each.field, each.start, each.stop, each.text) for each in one] == [("", 0, 9, "Only this")]
    assert Locator().locate("", ["Only this. And that"])[0][0] == Evidence("", 0, 10, "Only this.", 0.0)
    (chinese,) = Locator().locate("东京大学", ["我在北京。他在东京大学。"], most=1)
    assert chinese[0].text == "他在东京大学。"
    assert len(chinese[0].words) == 3


def test_tokens_take_the_best_counterpart_of_each() -> None:
    encoder = load("minilm")
    assert isinstance(encoder, TokenEncoder)
    (found,) = Locator(encoder, share=1).locate("kittens", [TEXT], most=4)
    assert found[0].text == "Cats sleep all day."
    asked = encoder.encode_tokens(["kittens"], side="query").vectors
    for each in found:
        products = asked @ encoder.encode_tokens([each.text]).vectors.T
        assert each.score == pytest.approx(products.max(axis=1).mean(), abs=0.02)
    (by_vectors,) = Locator(encoder, by="vectors").locate("hounds protect the home", [TEXT], most=1)
    assert by_vectors[0].text == "Dogs guard houses!"
    assert by_vectors[0].words == ()
    # Without text there are no tokens of the query, but its vector.
    vector = encoder.encode(["Fish swim."]).vectors[0]
    assert Locator(encoder).locate("", [TEXT], vector=vector)[0][0].text == "Fish swim."


def test_what_cannot_be_located_is_refused() -> None:
    for arguments in (
        {"by": "vectors"},
        {"by": "tokens"},
        {"by": "tokens", "encoder": load("hashing:64")},
        {"by": "sense"},
        {"share": 1.5},
        {"share": float("nan")},
        {"read": 0},
    ):
        with pytest.raises(InputError):
            Locator(**arguments)  # type: ignore[arg-type]
    for query, items, rest in (
        ("x", "one text", {}),
        ("x", {"a": "one item"}, {}),
        ("x", [7], {}),
        ("x", [{"a": 7}], {}),
        (7, ["x"], {}),
        ("x", ["x"], {"most": 0}),
    ):
        with pytest.raises(InputError):
            Locator().locate(query, items, **rest)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        Locator(load("hashing:64")).locate("x", ["x"], vector=[1.0, 2.0])
    for idf in (lambda word: -1.0, lambda word: float("nan")):
        with pytest.raises(InputError, match="idf of"):
            Locator(idf=idf).locate("x", ["x"])
