from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode import AspectEncoder, Encoder, load
from similia.encode.sentences import MOST, sentences
from similia.errors import InputError

BASE = load("hashing:64")
ABOUT = "the colour of the thing"
TEXTS = ["The colour is red. It is made of steel. It weighs a ton.", "One sentence only", "", "!?", "A. " * 200]


def unit(vector):
    length = np.linalg.norm(vector)
    return vector / length if length else vector


def naive(text, encoder):
    """The definition, one text at a time."""
    parts = sentences(text) or [text]
    vectors = encoder.base.encode(parts).vectors.astype(np.float64)
    direction = unit(encoder.base.encode([encoder.about], side="query").vectors[0].astype(np.float64))
    weights = np.exp([unit(vector) @ direction / encoder.temperature for vector in vectors])
    chosen = sum(weight * unit(vector) for weight, vector in zip(weights / weights.sum(), vectors, strict=True))
    whole = encoder.base.encode([text]).vectors[0].astype(np.float64)
    return unit(encoder.share * unit(chosen) + (1 - encoder.share) * unit(whole))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=4), st.floats(0.02, 5), st.floats(0, 1))
def test_vectors_are_the_definition_s(texts, temperature, share):
    encoder = AspectEncoder(BASE, ABOUT, temperature, share)
    texts = [*texts, *TEXTS]
    vectors = encoder.encode(texts).vectors
    np.testing.assert_allclose(vectors, [naive(text, encoder) for text in texts], atol=2e-4)


def test_a_share_of_nothing_gives_the_base_encoder_s_vectors():
    vectors = AspectEncoder(BASE, ABOUT, share=0).encode(TEXTS).vectors
    np.testing.assert_allclose(vectors, BASE.encode(TEXTS).vectors, atol=1e-6)


def test_a_low_temperature_picks_the_sentence_that_is_nearest_the_aspect():
    vectors = AspectEncoder(BASE, ABOUT, temperature=1e-3, share=1).encode(TEXTS[:1]).vectors
    np.testing.assert_allclose(vectors, BASE.encode(["The colour is red."]).vectors, atol=1e-6)


def test_a_query_of_one_sentence_keeps_its_vector():
    query = ["red things"]
    np.testing.assert_allclose(
        AspectEncoder(BASE, ABOUT).encode(query, side="query").vectors,
        BASE.encode(query, side="query").vectors,
        atol=1e-6,
    )


def test_blocks_do_not_change_vectors(monkeypatch):
    encoder = AspectEncoder(BASE, ABOUT)
    whole = encoder.encode(TEXTS * 3).vectors
    monkeypatch.setattr("similia.encode.aspect.BLOCK", 2)
    np.testing.assert_allclose(encoder.encode(TEXTS * 3).vectors, whole, atol=1e-6)
    assert encoder.encode([]).vectors.shape == (0, 64)


def test_the_fingerprint_follows_base_and_aspect():
    encoders = [
        AspectEncoder(BASE, ABOUT),
        AspectEncoder(load("hashing:32"), ABOUT),
        AspectEncoder(BASE, "the weight"),
        AspectEncoder(BASE, ABOUT, temperature=1),
        AspectEncoder(BASE, ABOUT, share=1),
    ]
    assert len({each.fingerprint for each in encoders} | {BASE.fingerprint}) == 6
    assert AspectEncoder(BASE, ABOUT).fingerprint == encoders[0].fingerprint
    assert isinstance(encoders[0], Encoder)
    assert encoders[0].dimension == 64


@pytest.mark.parametrize(
    ("about", "options"),
    [("", {}), (" \n", {}), ("x", {"temperature": 0}), ("x", {"temperature": float("nan")}), ("x", {"share": 1.1})],
)
def test_wrong_parameters_are_refused(about, options):
    with pytest.raises(InputError):
        AspectEncoder(BASE, about, **options)


def test_only_so_many_sentences_are_looked_at():
    many = "Word. " * (MOST + 5) + "Colour."
    assert len(sentences(many)) == MOST
