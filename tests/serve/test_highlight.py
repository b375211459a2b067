"""Marks never change a text, and excerpts show what was asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from similia.serve.highlight import excerpt, mark, stem, terms_of

TEXTS = st.text(max_size=300)


@given(TEXTS, TEXTS)
def test_pieces_join_to_the_text(text: str, query: str) -> None:
    assert "".join(piece.text for piece in mark(text, terms_of(query))) == text


WORDS = ["copies", "copy", "detection", "detecting", "of", "the", "Détection", "image", "images"]


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_what_is_marked_is_asked_for(words: list[str]) -> None:
    terms = terms_of("copy of images")
    marked = [piece.text for piece in mark(" ".join(words), terms) if piece.marked]
    assert marked == [word for word in words if word in ("copies", "copy", "image", "images")]


@given(TEXTS, st.text(max_size=30), st.integers(20, 200))
def test_excerpts_are_parts_of_the_text(text: str, query: str, length: int) -> None:
    shown = "".join(piece.text for piece in excerpt(text, terms_of(query), length))
    plain = " ".join(text.split())
    assert shown.removeprefix("… ").removesuffix(" …").strip() in plain
    assert len(shown) <= length + 4


def test_an_excerpt_shows_the_place_with_most_terms() -> None:
    text = "rank " + "filler " * 100 + "reciprocal rank fusion " + "filler " * 100
    shown = excerpt(text, terms_of("reciprocal rank fusion"), 120)
    assert [piece.text for piece in shown if piece.marked] == ["reciprocal", "rank", "fusion"]


def test_stems_ignore_case_and_accents() -> None:
    assert stem("Détecté") == stem("DETECTING") == "detect"
    assert terms_of("the of") == {stem("the"), stem("of")}  # a query of nothing but frequent words still asks for them
