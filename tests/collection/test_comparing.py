"""Comparing two items: cosine, place among random pairs, sentences, words, fields."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from similia import Collection
from similia.collection.comparing import PAIRS, random_pairs, sentences
from similia.collection.fieldwise import field_comparison
from similia.collection.vectors import Part, Vectors
from similia.errors import UnknownItem


def test_cosine_and_percentile_among_all_pairs(given: Collection) -> None:
    given.delete(where="id > 'k0099'")
    with given._space.reading() as state:
        _, vectors = state.vectors(state.sense("topic")).all()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    pairs = cosines[np.triu_indices(100, 1)]
    for a, b in [(0, 1), (5, 50), (99, 3)]:
        found = given.compare(f"k{a:04d}", f"k{b:04d}").senses["topic"]
        assert found.similarity == pytest.approx(float(cosines[a, b]), abs=1e-5)
        below = (pairs < cosines[a, b] - 1e-6).sum()
        assert found.percentile == pytest.approx(100 * below / (len(pairs) - 1), abs=0.1)
        assert found.phrases == []
        assert "no encoder" in found.note
    assert given.compare("k0001", "k0001").senses["topic"].percentile == 100


def test_a_large_collection_is_sampled_with_a_seed() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1_000, 8)).astype(np.float32)
    scores, every = random_pairs(Vectors(1, 8, (Part(np.arange(1_000), rows),)))
    again, _ = random_pairs(Vectors(1, 8, (Part(np.arange(1_000), rows),)))
    assert not every
    assert scores.size == PAIRS
    np.testing.assert_array_equal(scores, again)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = np.sort((unit @ unit.T)[np.triu_indices(1_000, 1)])
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(scores, share) == pytest.approx(np.quantile(pairs, share), abs=0.03)


def test_two_items_alone_have_no_percentile(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "c", create=True) as two:
        two.add(
            [{"id": "a", "title": "tea here"}, {"id": "b", "title": "tea there"}], text="title", encoder="hashing:32"
        )
        assert math.isnan(two.compare("a", "b").senses["topic"].percentile)
        assert two.compare("a", "b").to_dict()["senses"]["topic"]["percentile"] is None
        assert [word for word, _ in two.compare("a", "b").shared_terms] == ["tea"]


def test_why(tmp_path: Path) -> None:
    items = [
        {"id": "a", "text": "The kettle boils. Violins are played with a bow. Prices fell."},
        {"id": "b", "text": "Elections were held. A violin is played with its bow! Nobody came."},
        *({"id": f"c{place}", "text": f"the filler number{place} was here and there"} for place in range(30)),
    ]
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add(items, key="id", text="text", encoder="hashing:512")
        found = shelf.compare("a", "b")
        one, other, score = found.senses["topic"].phrases[0]
        assert one == "Violins are played with a bow."
        assert other == "A violin is played with its bow!"
        assert 0 < score <= 1
        words = [word for word, _ in found.shared_terms]
        assert {"bow", "played", "violins"} <= set(words)
        assert [weight for _, weight in found.shared_terms] == sorted((w for _, w in found.shared_terms), reverse=True)
        assert found.fields["text"].similarity is not None
        with pytest.raises(UnknownItem, match="did you mean 'c1'"):
            shelf.compare("a", "cc1")


@pytest.mark.parametrize(
    ("kind", "a", "b", "similarity", "note"),
    [
        ("category", "x", "x", 1.0, "equal"),
        ("category", "x", "y", 0.0, "different"),
        ("integer", 3, 10, None, "7 more"),
        ("integer", 10, 3, None, "7 less"),
        ("number", 1.5, float("inf"), None, "cannot be compared"),
        ("number", 1.5, 1.25, None, "0.25 less"),
        ("date", "1969-12-31", "1970-01-02", None, "2 days apart"),
        ("date", "2024-02-28", "2024-02-29", None, "1 day apart"),
        ("datetime", "2024-01-01T00:00:00", "2024-01-01T05:00:00", None, "5.0 hours apart"),
        ("list", ["a", "b"], ["b", "c"], 1 / 3, "share 1 of 3: b"),
        ("list", [], ["b"], 0.0, "share 0 of 1"),
        ("text", "one two three", "Two three four", 0.5, "50% of words in common"),
        ("boolean", True, False, 0.0, "different"),
        ("json", {"a": 1}, {"a": 1}, 1.0, "equal"),
        ("vector", [1.0, 0.0], [0.0, 2.0], 0.0, "cosine 0.000"),
        ("integer", None, 3, None, "missing in the first"),
        ("integer", None, None, None, "missing in both"),
        ("date", "not a date", "2024-01-01", 0.0, "different"),
        ("integer", "text", 3, 0.0, "different"),
    ],
)
def test_fields_by_type(kind: str, a: object, b: object, similarity: float | None, note: str) -> None:
    found = field_comparison(kind, a, b)
    assert found.note == note
    assert found.similarity == (similarity if similarity is None else pytest.approx(similarity))


def test_sentences_are_bounded_and_never_empty() -> None:
    assert sentences("") == []
    assert sentences("... !!! \n\n ?") == []
    assert len(sentences("A b. " * 10_000)) <= 48
    assert sentences("Version 2.5 of e.g. this. Next one.") == ["Version 2.5 of e.g. this.", "Next one."]
