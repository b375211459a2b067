"""Binary codes and word senses: the pieces by hand, and a small run."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import pseudowords
from similia.atlas import s062_binary_codes as binary
from similia.atlas.itq import IterativeQuantisation
from similia.atlas.registry import Settings
from similia.evaluate import datasets
from similia.types import Bool, Codes, Float32


def test_merged_words_keep_their_source() -> None:
    random = np.random.default_rng(0)
    fields = [[f"{field}{letter}" for letter in "abcdef"] for field in ("sea", "law")]
    texts = [random.choice(fields[place % 2], 12).tolist() for place in range(80)]
    given, made = pseudowords.merged(texts, 4, 0, again=1.0)
    assert len(made) == 4
    assert all({source[:3] for source in word.sources} == {"sea", "law"} for word in made)
    names = {source: word.name for word in made for source in word.sources}
    assert given == [[names.get(word, word) for word in words] for words in texts]
    assert pseudowords.merged(texts, 4, 0, again=1.0) == (given, made)


def test_rand_index_is_that_of_pairs() -> None:
    random = np.random.default_rng(1)
    a, b = random.integers(0, 3, 40), random.integers(0, 4, 40)
    assert abs(pseudowords.rand_index(a, b)) < 0.1
    assert pseudowords.rand_index(a, 7 - a) == 1
    assert pseudowords.rand_index(a, np.zeros(40, np.int64)) == 0


def test_entropy_is_a_share() -> None:
    assert pseudowords.entropy(np.array([1, 0, 0], np.float32)) == 0
    assert pseudowords.entropy(np.full(3, 1 / 3, np.float32)) == pytest.approx(1)


def test_rotation_loses_less_than_principal_axes_alone() -> None:
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(8, 8)))[0]
    vectors = ((random.choice([-1.0, 1.0], (400, 8)) + 0.1 * random.normal(size=(400, 8))) @ turn).astype(np.float32)
    model = IterativeQuantisation(8).fit(vectors)
    short = (vectors - model.mean_) @ model.axes_
    np.testing.assert_allclose(model.axes_.T @ model.axes_, np.eye(8), atol=1e-5)
    assert np.abs(np.sign(short) - short).mean() < 0.25
    assert (np.packbits(short > 0, axis=1) == model.encode(vectors)).all()


def test_unfilled_places_count_as_wrong() -> None:
    def of(codes: list[int], vectors: list[list[float]]) -> binary.DocumentCodes:
        valid: Bool = np.ones(len(codes), bool)
        rows: Float32 = np.array(vectors, np.float32)
        return binary.DocumentCodes(Codes(np.array(codes, np.uint8)[:, None]), rows, valid)

    own = of([0b0, 0b1, 0b111], [[1, 0], [0.9, 0.1], [1, 0.05]])
    data = binary.Documents(["", "", ""], np.array([0, 1, 0]), [""], np.array([0]))
    found = binary.in_two_stages(own, of([0], [[1, 0]]), data)
    assert found["share looked at"] == pytest.approx(2 / 3)
    assert found["P@10, radius 2"] == pytest.approx(1 / 10)
    assert found["P@10, all"] == pytest.approx(2 / 10)


def test_a_small_run() -> None:
    if not all(map(datasets.available, binary.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")
    claims = binary.run(Settings(quick=True, progress=False))
    assert [claim.number for claim in claims] == list(range(1, 10))
    assert tuple(claim.says for claim in claims) == binary.INFO.claims
    for claim in claims:
        values = [*claim.measured.values(), *claim.baseline.values()]
        assert values
        assert np.isfinite(values).all()
        assert claim.verdict in ("reproduced", "not reproduced")
