"""Systems: the pieces by hand, and a small run of those that need no encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from similia import atlas
from similia.atlas import s046_vstash as vstash
from similia.atlas.hybrid import Views
from similia.atlas.registry import Settings
from similia.evaluate import datasets
from similia.types import Hits, MultiVector


def test_the_gate_drops_far_vector_hits_and_unbacked_text_hits() -> None:
    # Distances: 0.2, 0.22, 0.6: the last is beyond 1.15 times the best.
    cosines = 1 - np.array([[0.2, 0.22, 0.6]]) ** 2 / 2
    text = np.array([[*range(10, 10 + 2 * vstash.K), 1, 2]])
    views = Views(
        Hits([[0, 1, 2]], cosines),
        Hits(text, -np.arange(text.size, dtype=float)[None]),
        [[]],
        99,
        np.zeros(1),
        np.ones(1),
    )
    found = vstash.search(views, (0.9, 0.1))
    assert found.ids[0, :2].tolist() == [1, 0]  # 1 is in both views
    assert 2 not in found.ids
    open_gate = vstash.search(views, (0.9, 0.1), None)
    assert 2 in open_gate.ids[0, :3]


def test_pool_and_queries() -> None:
    assert [vstash.pool(n) for n in (6, 90, 240, 10_000)] == [30, 30, 80, 100]
    frequency = {"alpha": 1, "beta": 2, "gamma": 5, "delta": 3}
    assert vstash.query_of("keywords", "", "alpha beta gamma delta", frequency) == "beta delta"
    assert vstash.query_of("title", "A Title", "", {}) == "A Title"
    assert vstash.query_of("paraphrase", "Deep Learning", "", {}) == "layered training"
    assert vstash.query_of("paraphrase", "Xyz", "", {}) == ""


def test_ndcg_of_known_items() -> None:
    hits = Hits([[5, 3, 1], [5, 3, 1]], [[3, 2, 1], [3, 2, 1]])
    np.testing.assert_allclose(vstash.ndcg(hits, np.array([3, 9])), [1 / np.log2(3), 0])


def test_halves_are_labelled_from_each_other() -> None:
    from similia.atlas.s004_lbl2transformervec import KEYWORDS, across

    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 60)
    items = (np.eye(2)[truth] + 0.05 * random.normal(size=(60, 2))).astype(np.float32)
    seeds = MultiVector(np.eye(2, dtype=np.float32), np.array([0, 1, 2]))
    assert (across(items, seeds, 0) == truth).all()
    assert list(KEYWORDS) == ["World", "Sports", "Business", "Sci/Tech"]
    words = [word.strip().lower() for text in KEYWORDS.values() for word in text.split(";")]
    assert len(set(words)) == len(words)


def test_excision_score_on_a_few_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not datasets.available("humanevalpack"):
        pytest.skip("the data set humanevalpack is not on this machine")
    module = atlas.registry.system(44)
    whole = module.run

    def few(settings: Settings):  # type: ignore[no-untyped-def]
        records = datasets.records("humanevalpack")
        tasks = [task for task, _ in zip(records, range(4), strict=False)]
        monkeypatch.setattr(module.datasets, "records", lambda name: tasks)
        return whole(settings)

    monkeypatch.setattr(module, "run", few)
    result = atlas.run(44, out=tmp_path, quick=True)
    assert atlas.results(tmp_path) == {44: result}
    verdicts = {claim.number: claim.verdict for claim in result.claims}
    assert verdicts[1] == verdicts[2] == "reproduced"
    assert result.encoder == ""
    assert result.data["humanevalpack"].endswith(datasets.info("humanevalpack").sha256)
    assert all(-1 <= v <= 1 for claim in result.claims for v in [*claim.measured.values(), *claim.baseline.values()])
