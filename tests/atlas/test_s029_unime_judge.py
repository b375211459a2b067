"""UniME-V2's judge: the trained network by numerical derivatives, the pieces by hand, and a small run."""

from __future__ import annotations

import os

import numpy as np
import pytest

from similia.atlas import judged_training as training
from similia.atlas import s029_unime_judge as unime
from similia.atlas.registry import Settings
from similia.evaluate import datasets


class Plain(training.Network):
    """A step downhill that is the gradient itself, so that it can be compared."""

    def __init__(self, layers):
        super().__init__(layers, 1.0)
        self.gradients: list[np.ndarray] = []
        outer = self

        class Kept:
            def step(self, gradient):
                outer.gradients.append(gradient)

        self._steps = [Kept() for _ in layers]


@pytest.mark.parametrize("kind", ["jeffreys", "kl"])
def test_the_step_follows_the_gradient(kind):
    random = np.random.default_rng(0)
    layers = [random.normal(size=(5, 6)), random.normal(size=(6, 4))]
    queries, candidates, grades = random.normal(size=(3, 5)), random.normal(size=(3, 4, 5)), random.random((3, 4))
    network = Plain(layers)
    network.learn(queries, candidates, grades, temperature=0.3, kind=kind)

    def loss() -> float:
        return Plain(layers).learn(queries, candidates, grades, temperature=0.3, kind=kind)

    for layer, gradient in zip(layers, network.gradients, strict=True):
        for place in [(0, 0), (2, 3), (4, 1)]:
            layer[place] += 1e-6
            up = loss()
            layer[place] -= 2e-6
            down = loss()
            layer[place] += 1e-6
            assert gradient[place] == pytest.approx((up - down) / 2e-6, abs=1e-5)


def test_a_network_learns_what_the_judge_says():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    inputs = random.normal(size=(60, 6))
    inputs[:, :3] += 1.5 * np.eye(3)[labels]
    network = training.Network.random((6, 16, 4), 1e-2, random)
    before = training.map_at_r(network(inputs), labels)
    judge = (labels[:, None] == labels[None]).astype(float)
    gold = (np.arange(60) + 3) % 60
    negatives = training.as_chosen(random.integers(0, 60, (60, training.K)), judge)
    candidates = np.hstack([gold[:, None], negatives.places])
    grades = np.hstack([np.ones((60, 1)), negatives.grades])
    for batch in training.batches(60, 20, 150, random):
        training.fit(network, inputs[batch], inputs[candidates[batch]], grades[batch], "soft")
    assert training.map_at_r(network(inputs), labels) > before + 0.2


def test_map_at_r_by_hand():
    angles = np.array([0.0, 0.1, 0.25, 3.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # Of 0: its nearest is 1 (other), R = 1: 0. Of 2: nearest is 1: 0. Of 1: nearest 0: no; 3: nearest 2: no.
    assert training.map_at_r(vectors, np.array([0, 1, 0, 1])) == 0
    assert training.map_at_r(vectors, np.array([0, 0, 1, 1])) == pytest.approx((1 + 1 + 0 + 1) / 4)


def test_batches_use_each_row_before_any_again():
    rows = np.concatenate(list(training.batches(10, 4, 5, np.random.default_rng(0))))
    assert sorted(rows.tolist()) == sorted([*range(10)] * 2)


def test_the_nearest_leave_out_what_is_banned():
    items = np.eye(4)
    places, values = training.hardest(np.array([[0.9, 0.3, 0.2, 0.1]]), items, 2, lambda _: [0])
    assert places.tolist() == [[1, 2]]
    np.testing.assert_allclose(values, [[0.3, 0.2]])


def test_the_pieces_are_as_published():
    claim = unime.exact()
    assert claim.verdict == "reproduced"
    assert len(claim.measured) == 6


def test_the_judge_of_text_is_by_focus_and_kind():
    items = [{"focus": f, "kind": k} for f, k in (("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"))]
    np.testing.assert_allclose(unime.same(items, np.arange(4))[0], [1, 0.6, 0.2, 0])


def test_without_a_pair_model_the_claim_is_not_run(monkeypatch):
    monkeypatch.delenv(unime.VARIABLE, raising=False)
    claim = unime.reranked(Settings(), {})
    assert claim.verdict == "not run"
    assert unime.VARIABLE in claim.note
    assert unime.cleaned([]).verdict == unime.soft([]).verdict == "not run"


def test_a_small_run():
    pytest.importorskip("sklearn")
    if not all(map(datasets.available, unime.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")
    claims = unime.run(Settings(quick=True, progress=False))
    assert tuple(claim.says for claim in claims) == unime.INFO.claims
    verdicts = {claim.number: claim.verdict for claim in claims}
    assert verdicts[1] == "reproduced"
    assert (verdicts[7] == "not run") == (unime.VARIABLE not in os.environ)
    for claim in claims:
        assert np.isfinite([*claim.measured.values(), *claim.baseline.values()]).all()
    digits = claims[1]
    assert digits.measured["judged, one-hot"] > digits.baseline["unfiltered, one-hot"]
