"""Disambiguated skip-gram: the formulas against finite differences, and what a learnt model promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode.skipgram import (
    Parameters,
    context_vectors,
    gradients,
    gumbel,
    occurrences,
    sense_logits,
    softmax,
)
from similia.encode.wordsenses import PRUNED, DisambiguatedSkipGram
from similia.errors import InputError

RIVER = ["river", "water", "shore", "fish", "boat", "flood", "stream", "sand"]
MONEY = ["money", "loan", "credit", "interest", "account", "cash", "debt", "teller"]


def corpus(size: int = 400, seed: int = 0) -> list[list[str]]:
    """Sentences about rivers and money in turn; each has "bank" in it."""
    random = np.random.default_rng(seed)
    made = []
    for place in range(size):
        words = random.choice((RIVER, MONEY)[place % 2], 5).tolist()
        words.insert(int(random.integers(6)), "bank")
        made.append(words)
    return made


def world(seed: int, shared: bool) -> tuple[np.ndarray, np.ndarray, Parameters]:
    random = np.random.default_rng(seed)
    v, k, d, b = 6, 3, 4, 5
    own = 1 if shared else v
    shapes = ((v, k, d), (v, d), (v,), (own, d, k), (own, k))
    contexts = random.integers(-1, v, (b, 4))
    contexts[0, 0] = 1
    return random.integers(0, v, b), contexts, Parameters(*(random.normal(size=shape) for shape in shapes))


@pytest.mark.parametrize("shared", [False, True])
@given(seed=st.integers(0, 10_000), temperature=st.sampled_from([0.5, 1.0]), entropy=st.sampled_from([0.0, 0.1]))
@settings(max_examples=settings.default.max_examples // 20)
def test_gradients_are_those_of_finite_differences(shared: bool, seed: int, temperature: float, entropy: float) -> None:
    words, contexts, parameters = world(seed, shared)
    noise = np.random.default_rng(seed).gumbel(size=(5, 3))
    fixed = parameters.output.copy()

    def loss(each: Parameters) -> float:
        """With contexts described by vectors that do not move: no gradient goes there."""
        logits = sense_logits(words, context_vectors(contexts, fixed), each)
        choice = softmax((logits + noise) / temperature)
        centre = np.einsum("bk,bkd->bd", choice, each.senses[words])
        guess = centre @ each.output.T + each.bias
        logs = guess - np.log(np.exp(guess).sum(axis=1, keepdims=True))
        row, column = np.nonzero(contexts >= 0)
        spread = -(choice * np.log(choice)).sum(axis=1)
        return float(-logs[row, contexts[row, column]].mean() - entropy * spread[row].mean())

    found = gradients(words, contexts, parameters, temperature=temperature, noise=noise, entropy=entropy)
    assert found.loss == pytest.approx(loss(parameters))
    assert found.words.tolist() == sorted({*words.tolist()})
    for name in Parameters.__dataclass_fields__:
        array, gradient = getattr(parameters, name), getattr(found, name)
        whole = np.zeros_like(array)
        whole[slice(None) if len(gradient) == len(array) else found.words] = gradient
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-5
            up = loss(parameters)
            array[place] = kept - 1e-5
            down = loss(parameters)
            array[place] = kept
            assert whole[place] == pytest.approx((up - down) / 2e-5, abs=1e-6), name


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=5), st.integers(1, 3))
def test_occurrences_by_hand(sentences: list[list[int]], window: int) -> None:
    words, contexts = occurrences(sentences, window)
    wanted = []
    for sentence in sentences:
        for place in range(len(sentence)):
            near = [place + shift for shift in range(-window, window + 1) if shift]
            wanted.append([sentence[p] if 0 <= p < len(sentence) else -1 for p in near])
    assert words.tolist() == [word for sentence in sentences for word in sentence]
    assert contexts.reshape(-1, 2 * window).tolist() == wanted


def test_a_context_is_the_mean_of_its_words() -> None:
    output = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_allclose(context_vectors(np.array([[0, 2, -1], [-1, -1, -1]]), output), [[2, 3], [0, 0]])


def test_draws_are_distributed_as_the_softmax() -> None:
    logits = np.log(np.array([0.7, 0.2, 0.1]))
    chosen = (logits + gumbel(np.random.default_rng(0), (20_000, 3))).argmax(axis=1)
    np.testing.assert_allclose(np.bincount(chosen) / 20_000, [0.7, 0.2, 0.1], atol=0.02)


@pytest.fixture(scope="module")
def model() -> DisambiguatedSkipGram:
    return DisambiguatedSkipGram(2, 12, least=10, epochs=4, rate=0.05).fit(corpus())


def test_two_senses_are_told_apart(model: DisambiguatedSkipGram) -> None:
    found = model.senses("bank")
    assert found is not None
    assert len(found) == 2
    assert found.priors.sum() == pytest.approx(1, abs=1e-4)
    senses = [[model.sense_in("bank", words) for words in corpus(40, seed=1)[half::2]] for half in (0, 1)]
    assert {*senses[0]} != {*senses[1]}
    assert max(senses[0].count(sense) for sense in (0, 1)) > 16
    assert max(senses[1].count(sense) for sense in (0, 1)) > 16
    near = model.local_similarity("bank", RIVER[:3], "bank", RIVER[3:6])
    far = model.local_similarity("bank", RIVER[:3], "bank", MONEY[:3])
    assert near == pytest.approx(1, abs=1e-5)
    assert far is not None
    assert far < 0.9


def test_words_of_one_field_are_alike(model: DisambiguatedSkipGram) -> None:
    for weighted in (False, True):
        near = model.average_similarity("water", "boat", weighted=weighted)
        far = model.average_similarity("water", "loan", weighted=weighted)
        assert near is not None
        assert far is not None
        assert near > far


def test_rare_words_have_no_senses() -> None:
    model = DisambiguatedSkipGram(2, 6, least=10, epochs=1).fit([*corpus(60), ["bank", "zebra"]])
    assert model.senses("zebra") is None
    assert model.sense_in("zebra", ["river"]) is None
    assert model.average_similarity("zebra", "bank") is None
    assert model.local_similarity("bank", ["river"], "zebra", []) is None
    assert model.sense_in("bank", []) in (0, 1)
    assert model.sense_in("bank", ["unheard"]) == model.sense_in("bank", [])


def test_rare_senses_are_pruned(model: DisambiguatedSkipGram) -> None:
    row = model.words_["river"]
    kept = model.priors_[row].copy()
    model.priors_[row] = [1.01 * (1 - PRUNED), 0.99 * PRUNED]
    found = model.senses("river")
    model.priors_[row] = kept
    assert found is not None
    assert found.numbers.tolist() == [0]
    np.testing.assert_array_equal(found.vectors, model.parameters_.senses[row, :1])


def test_priors_are_means_and_sum_to_one(model: DisambiguatedSkipGram) -> None:
    np.testing.assert_allclose(model.priors_.sum(axis=1), 1, rtol=1e-4)
    assert (model.priors_ >= 0).all()


@pytest.mark.parametrize("options", [{}, {"relaxed": False}, {"pretrain": 0}, {"entropy": 0.0}, {"senses": 1}])
def test_the_same_seed_gives_the_same_model(options: dict[str, float]) -> None:
    settings = {"senses": 2, "dimension": 6, "least": 10, "epochs": 1, "seed": 3, **options}
    one, other = (DisambiguatedSkipGram(**settings).fit(corpus(60)) for _ in range(2))  # type: ignore[arg-type]
    np.testing.assert_array_equal(one.parameters_.senses, other.parameters_.senses)
    np.testing.assert_array_equal(one.priors_, other.priors_)
    assert len(one.losses_) == 1 + one.pretrain


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="call fit"):
        DisambiguatedSkipGram().senses("a")
    with pytest.raises(InputError, match="a sentence is one string"):
        DisambiguatedSkipGram().fit(["a b c"])
    for sentences in ([], [["a", "b"]], [["a"]] * 30):
        with pytest.raises(InputError, match="no word occurs 20 times beside another"):
            DisambiguatedSkipGram().fit(sentences)
    for name in ("senses", "dimension", "window", "least", "epochs"):
        with pytest.raises(InputError, match=f"{name} is 0"):
            DisambiguatedSkipGram(**{name: 0}).fit(corpus(10))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="rate 0, entropy"):
        DisambiguatedSkipGram(rate=0).fit(corpus(10))
