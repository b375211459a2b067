from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode import Encoder, TokenEncoder, load
from similia.encode.runtime import NAMES, SHORT
from similia.encode.transformer import TransformerEncoder, batches, pool
from similia.encode.windows import tokenise
from similia.errors import InputError, ModelError

# bfloat16 has 8 bits of mantissa; where the processor lacks it the agreement is much closer.
TOLERANCE = 0.02
TEXTS = ["the cat sat on the mat", "a dog ran", "", "blue", "the slow red dog ran on", "a dog ran"]


def unit(vector):
    return vector / np.linalg.norm(vector)


def by_hand(model, text, *, pooling="mean", prompt=""):
    hidden = model.hidden(prompt + text)
    return unit(hidden[0] if pooling == "cls" else hidden.mean(axis=0))


@pytest.fixture(params=NAMES)
def encoder(request, tiny):
    return TransformerEncoder(load(str(tiny.folder)).settings, runtime=request.param)


def test_vectors_are_those_computed_by_hand(encoder, tiny):
    for side, prompt in (("item", "passage : "), ("query", "query : ")):
        vectors = encoder.encode(TEXTS, side=side).vectors
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, [by_hand(tiny, text, prompt=prompt) for text in TEXTS], atol=TOLERANCE)
    assert encoder.runtime.name == encoder._runtime_name


def test_sides_differ_where_the_model_has_prompts(encoder):
    item, query = (encoder.encode(["blue cat"], side=side).vectors[0] for side in ("item", "query"))
    assert item @ query < 0.999


def test_cls_pooling_takes_the_first_token(encoder, tiny):
    other = TransformerEncoder(replace(encoder.settings, pooling="cls", prompts={}), runtime=encoder.runtime.name)
    expected = [by_hand(tiny, text, pooling="cls") for text in TEXTS]
    np.testing.assert_allclose(other.encode(TEXTS).vectors, expected, atol=TOLERANCE)


def test_vectors_keep_their_length_where_the_model_does_not_normalise(encoder, tiny):
    other = TransformerEncoder(replace(encoder.settings, normalise=False, prompts={}), runtime=encoder.runtime.name)
    expected = np.array([tiny.hidden(text).mean(axis=0) for text in TEXTS])
    np.testing.assert_allclose(other.encode(TEXTS).vectors, expected, atol=4 * TOLERANCE)
    assert np.linalg.norm(expected, axis=1).max() > 1.1


def test_the_runtimes_agree(tiny):
    settings = load(str(tiny.folder)).settings
    one, two = (TransformerEncoder(settings, runtime=name).encode(TEXTS).vectors for name in NAMES)
    assert (one * two).sum(axis=1).min() >= 0.998


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder):
    alone = np.concatenate([encoder.encode([text]).vectors for text in TEXTS])
    together = encoder.encode(TEXTS * 40 + ["the cat " * 6]).vectors[: len(TEXTS)]
    np.testing.assert_allclose(together, alone, atol=TOLERANCE)


def test_texts_beyond_the_last_window_are_not_read(encoder):
    first = "the cat sat on the mat a dog"
    assert encoder.settings.max_tokens == 12
    assert encoder.settings.windows > 1
    one = TransformerEncoder(replace(encoder.settings, windows=1), runtime=encoder.runtime.name)
    texts = [first, f"{first} ran ran ran blue"]
    for each, same in ((one, True), (encoder, False)):
        left, right = each.encode(texts).vectors
        assert (left @ right > 0.9995) == same


def test_windows_are_weighted_by_their_tokens(encoder, tiny):
    other = TransformerEncoder(replace(encoder.settings, windows=2, prompts={}), runtime=encoder.runtime.name)
    words = str.split("the cat sat on the mat a dog ran fast slow red blue")
    first, second = (tiny.hidden(" ".join(part)) for part in (words[:10], words[10:]))
    expected = unit(len(first) * first.mean(axis=0) + len(second) * second.mean(axis=0))
    np.testing.assert_allclose(other.encode([" ".join(words)]).vectors[0], expected, atol=TOLERANCE)
    assert other.fingerprint != encoder.fingerprint


def test_tokens_have_unit_vectors_and_no_special_ones(encoder, tiny):
    plain = TransformerEncoder(replace(encoder.settings, prompts={}), runtime=encoder.runtime.name)
    tokens = plain.encode_tokens(TEXTS)
    assert np.diff(tokens.offsets).tolist() == [len(text.split()) for text in TEXTS]
    for found, text in zip(tokens, TEXTS, strict=True):
        expected = tiny.hidden(text)[1:-1]
        np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1)[:, None], atol=TOLERANCE)


def test_nothing_in_nothing_out(encoder):
    assert encoder.encode([]).vectors.shape == (0, encoder.dimension)
    assert len(encoder.encode_tokens([])) == 0
    assert list(encoder.stream([])) == []


def test_a_stream_gives_what_encode_gives(encoder):
    parts = list(encoder.stream(iter(TEXTS), batch=4))
    assert [len(part) for part in parts] == [4, 2]
    np.testing.assert_allclose(
        np.concatenate([part.vectors for part in parts]), encoder.encode(TEXTS).vectors, atol=TOLERANCE
    )
    with pytest.raises(InputError, match="batch is 0"):
        next(encoder.stream(TEXTS, batch=0))


def test_a_stream_reads_no_further_than_it_must(encoder):
    def texts():
        yield from TEXTS[:2]
        raise AssertionError("the third text was read")

    assert len(next(encoder.stream(texts(), batch=2))) == 2


def test_blocks_keep_the_order(encoder, monkeypatch):
    whole = encoder.encode(TEXTS).vectors
    monkeypatch.setattr("similia.encode.transformer.BLOCK", 2)
    np.testing.assert_allclose(encoder.encode(TEXTS).vectors, whole, atol=TOLERANCE)


def test_an_error_midway_leaves_the_encoder_usable(encoder, monkeypatch):
    expected = encoder.encode(TEXTS).vectors

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("similia.encode.transformer.pool", fail)
        with pytest.raises(KeyboardInterrupt):
            encoder.encode(TEXTS)
    np.testing.assert_allclose(encoder.encode(TEXTS).vectors, expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("items", "words"),
    [("one text", "one str"), (b"bytes", "one bytes"), ([None], "item 0"), (["a", 1.5], "item 1 is of type float")],
)
def test_what_is_not_a_list_of_texts_is_refused(encoder, items, words):
    with pytest.raises(InputError, match=words):
        encoder.encode(items)


def test_a_side_that_is_none_is_refused(encoder):
    with pytest.raises(InputError, match="'item' or 'query'"):
        encoder.encode(["a"], side="document")


def test_the_declared_dimension_must_be_the_model_s(encoder):
    wrong = TransformerEncoder(replace(encoder.settings, dimension=8), runtime=encoder.runtime.name)
    with pytest.raises(ModelError, match="16 dimensions, but 8"):
        wrong.encode(["a"])


def test_protocols_are_met(encoder):
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, TokenEncoder)
    assert not isinstance(load("hashing"), TokenEncoder)
    assert load(encoder) is encoder


def test_the_fingerprint_follows_what_decides_vectors_and_nothing_else(tiny):
    settings = load(str(tiny.folder)).settings
    changes = [
        {"model_sha256": "0"},
        {"tokenizer_sha256": "0"},
        {"max_tokens": 9},
        {"windows": 1},
        {"pooling": "cls"},
        {"normalise": False},
        {"prompts": {}},
    ]
    changed = {TransformerEncoder(replace(settings, **change)).fingerprint for change in changes}
    same = {TransformerEncoder(settings, runtime=name).fingerprint for name in NAMES}
    assert len(changed) == len(changes)
    assert len(same) == 1
    assert not changed & same
    assert TransformerEncoder(replace(settings, name="moved")).fingerprint in same


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 70), min_size=1, max_size=30), st.integers(1, 200))
def test_batches_hold_every_sequence_once_within_the_budget(tiny_tokenizer, lengths, budget):
    texts = [" ".join(["cat"] * length) for length in lengths]
    tokens = tokenise(tiny_tokenizer, texts, max_tokens=30, windows=2)
    seen = []
    for batch in batches(tokens, 30, budget):
        assert batch.ids.size <= budget or len(batch.rows) == 1
        assert batch.ids.shape[1] <= 30
        assert len({length > SHORT for length in batch.mask.sum(axis=1).tolist()}) == 1
        for row, ids, mask in zip(batch.rows, batch.ids, batch.mask, strict=True):
            np.testing.assert_array_equal(ids[mask == 1], tokens.sequences[row])
            assert (ids[mask == 0] == tokens.padding).all()
        seen += batch.rows.tolist()
    assert sorted(seen) == list(range(len(tokens.sequences)))
    assert np.bincount(tokens.owner, minlength=len(texts)).min() >= 1


@pytest.fixture(scope="module")
def tiny_tokenizer(tiny):
    from similia.encode.windows import open_tokenizer

    return open_tokenizer(tiny.folder / "tokenizer.json")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.randoms())
def test_pooling_is_the_mean_over_what_is_not_masked(count, tokens, dimension, random):
    rng = np.random.default_rng(random.randrange(1000))
    hidden = rng.normal(size=(count, tokens, dimension)).astype(np.float32)
    mask = (np.arange(tokens)[None] < rng.integers(1, tokens + 1, count)[:, None]).astype(np.int64)
    expected = [each[keep == 1].mean(axis=0) for each, keep in zip(hidden, mask, strict=True)]
    np.testing.assert_allclose(pool(hidden, mask), expected, atol=1e-5)
    np.testing.assert_array_equal(pool(hidden, mask, "cls"), hidden[:, 0])
