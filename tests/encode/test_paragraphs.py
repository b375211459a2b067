"""Binary paragraph vectors: the formulas against finite differences, and what a learnt model promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode.adam import Adam
from similia.encode.paragraphs import BinaryParagraphVector, Layer, activate, gradients, inputs
from similia.encode.terms import TermCounts, Terms
from similia.errors import InputError
from similia.index import HammingIndex

LAYERS: tuple[Layer, ...] = ("straight-through", "noise", "sigmoid", "linear")
FIELDS = {
    "cats": ["cat", "purr", "fur", "paw", "whisker", "kitten", "meow", "tail"],
    "law": ["court", "judge", "tax", "appeal", "statute", "verdict", "clause", "jury"],
}


def corpus(size: int = 60, seed: int = 0) -> list[str]:
    """Texts of two fields in turn."""
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(list(FIELDS.values())[i % 2], 12)) for i in range(size)]


def counts_of(table: np.ndarray) -> TermCounts:
    rows, columns = np.nonzero(table)
    shares = table / np.where(table.sum(axis=1, keepdims=True) > 0, table.sum(axis=1, keepdims=True), 1)
    offsets = np.concatenate(([0], np.cumsum((table > 0).sum(axis=1))))
    return TermCounts(offsets, columns.astype(np.int64), shares[rows, columns])


def world(seed: int, bridge: bool):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(seed)
    n, terms, bits, width = 4, 7, 5, 3
    table = random.integers(0, 3, (n, terms))
    table[:, 0] += 1
    return (
        random.normal(size=(n, width if bridge else bits)),
        random.normal(size=(terms, bits)),
        random.normal(size=terms),
        random.normal(size=(bits, width + 1)) if bridge else None,
        counts_of(table),
    )


@pytest.mark.parametrize("bridge", [False, True])
@pytest.mark.parametrize("layer", ["noise", "sigmoid", "linear"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=settings.default.max_examples // 20)
def test_gradients_are_those_of_finite_differences(layer: Layer, bridge: bool, seed: int) -> None:
    rows, weights, bias, across, counts = world(seed, bridge)
    noise = np.random.default_rng(seed).normal(size=(4, 5)) if layer == "noise" else None

    def loss() -> float:
        return gradients(rows, weights, bias, across, counts, layer=layer, noise=noise).loss

    found = gradients(rows, weights, bias, across, counts, layer=layer, noise=noise)
    arrays = [rows, weights, bias, *([across] if across is not None else [])]
    for array, gradient in zip(arrays, (found.rows, *found.shared), strict=True):
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-5
            up = loss()
            array[place] = kept - 1e-5
            down = loss()
            array[place] = kept
            assert gradient[place] == pytest.approx((up - down) / 2e-5, abs=1e-6)


@given(seed=st.integers(0, 10_000))
def test_straight_through_is_the_gradient_at_the_bits_times_the_slope_of_the_sigmoid(seed: int) -> None:
    rows, weights, bias, _, counts = world(seed, False)
    bits = (rows > 0).astype(float)
    at_bits = gradients(bits, weights, bias, None, counts, layer="linear")
    found = gradients(rows, weights, bias, None, counts, layer="straight-through")
    soft = 1 / (1 + np.exp(-rows))
    assert found.loss == pytest.approx(at_bits.loss)
    np.testing.assert_allclose(found.rows, at_bits.rows * soft * (1 - soft))
    for own, plain in zip(found.shared, at_bits.shared, strict=True):
        np.testing.assert_allclose(own, plain)


def test_the_loss_is_the_cross_entropy_of_the_terms() -> None:
    rows, weights, bias, across, counts = world(3, True)
    logits = (inputs(rows, across) > 0) @ weights.T + bias
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    by_hand = -sum(v * logs[i, w] for i, w, v in zip(counts.owner, counts.columns, counts.values, strict=True))
    found = gradients(rows, weights, bias, across, counts, layer="straight-through", decoder=False)
    assert found.loss == pytest.approx(by_hand)
    assert found.shared == ()


def test_activations() -> None:
    values = np.array([-1e6, -0.5, 0.0, 0.5, 1e6])
    for layer in LAYERS:
        bits, slope = activate(values, layer)
        assert np.isfinite(bits).all()
        assert np.isfinite(slope).all()
    assert activate(values, "straight-through")[0].tolist() == [0, 0, 0, 1, 1]


def test_adam_steps_of_rows_are_those_of_arrays_of_their_own() -> None:
    random = np.random.default_rng(0)
    together, alone = np.ones((3, 2)), np.ones((1, 2))
    steps, single = Adam(together, 0.1), Adam(alone, 0.1)
    for step in range(5):
        gradient = random.normal(size=(1, 2))
        steps.step(gradient, np.array([1]))
        single.step(gradient)
        if step % 2:
            steps.step(np.ones((1, 2)), np.array([0]))
    np.testing.assert_allclose(together[1], alone[0])
    assert together[2].tolist() == [1, 1]


def test_terms_and_their_counts() -> None:
    few = Terms(["b a1 bb bb", "aa bb", "cc cc the", "the aa"], 3, least=1, most=0.5, pairs=False)
    assert list(few.columns) == ["bb", "aa", "cc"]
    texts = corpus()
    terms = Terms(texts, 20, least=2, most=0.6)
    counts = terms.count([*texts, "nothing known", ""])
    assert len(terms) == 20
    assert counts.filled.tolist() == [True] * len(texts) + [False, False]
    sums = np.bincount(counts.owner, counts.values, len(counts))
    np.testing.assert_allclose(sums, counts.filled, atol=1e-6)
    part = counts.rows(np.array([61, 3]))
    assert len(part) == 2
    np.testing.assert_array_equal(part.columns, counts.columns[counts.offsets[3] : counts.offsets[4]])


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("real", [None, 6])
def test_fields_are_told_apart_and_the_decoder_stays(layer: Layer, real: int | None) -> None:
    model = BinaryParagraphVector(16, real=real, layer=layer, least=2, most=0.6, epochs=40, rates=(0.1, 0.03))
    model.fit(corpus(120))
    before = [each.copy() for each in (model.weights_, model.bias_, model.bridge_) if each is not None]
    found = model.encode(corpus(20, seed=1))
    after = [each for each in (model.weights_, model.bias_, model.bridge_) if each is not None]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.losses_[-1] < model.losses_[0]
    assert found.vectors.shape == (20, real or 16)
    assert found.codes.codes.shape == (20, 2)
    hits = HammingIndex(model.documents_.codes).search(found.codes, 5)
    assert (hits.ids % 2 == np.arange(20)[:, None] % 2).mean() > 0.9


def test_the_same_seed_gives_the_same_codes() -> None:
    texts = corpus()
    one, other = (BinaryParagraphVector(12, least=2, most=0.6, seed=4).fit(texts) for _ in range(2))
    np.testing.assert_array_equal(one.documents_.vectors, other.documents_.vectors)
    np.testing.assert_array_equal(one.encode(texts[:3]).codes.codes, other.encode(texts[:3]).codes.codes)
    third = BinaryParagraphVector(12, least=2, most=0.6, seed=5).fit(texts)
    assert (one.documents_.vectors != third.documents_.vectors).any()


def test_a_code_depends_on_its_text_alone() -> None:
    model = BinaryParagraphVector(12, layer="linear", least=2, most=0.6).fit(corpus())
    texts = corpus(9, seed=2)
    together = model.encode(texts).vectors
    np.testing.assert_allclose(model.encode(texts[4:5]).vectors[0], together[4], atol=1e-4)


def test_documents_without_a_known_word_are_flagged() -> None:
    texts = [*corpus(), "", "zebra 42"]
    model = BinaryParagraphVector(12, least=2, most=0.6).fit(texts)
    assert model.documents_.valid.tolist() == [True] * 60 + [False, False]
    found = model.encode(["", "cat purr", "zebra"])
    assert found.valid.tolist() == [False, True, False]
    assert not found.codes.codes[[0, 2]].any()
    assert not found.vectors[[0, 2]].any()
    assert (found.codes.codes & 0b1111).max(axis=0)[1] == 0  # bits beyond the twelfth
    hits = HammingIndex(model.documents_.codes).search(found.codes, 60, where=model.documents_.valid)
    assert not np.isin(hits.ids, [60, 61]).any()
    assert len(model.encode([])) == 0
    assert model.encode([]).codes.codes.shape == (0, 2)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="call fit"):
        BinaryParagraphVector(8).encode(["a"])
    with pytest.raises(InputError, match="no word stands in"):
        BinaryParagraphVector(8).fit(["a b c"])
    with pytest.raises(InputError, match="expected a list of strings"):
        BinaryParagraphVector(8).fit("one text")
    wrong: list[tuple[dict[str, object], str]] = [
        ({"bits": 0}, "bits is 0"),
        ({"real": 0}, "real is 0"),
        ({"epochs": True}, "epochs is True"),
        ({"layer": "tanh"}, "layer is 'tanh'"),
        ({"most": 0}, "most is 0"),
        ({"rates": (1, 0)}, "rates are"),
        ({"rates": (1,)}, "rates are"),
    ]
    for options, words in wrong:
        with pytest.raises(InputError, match=words):
            BinaryParagraphVector(**options).fit(corpus())  # type: ignore[arg-type]
