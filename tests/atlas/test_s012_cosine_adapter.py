"""Cosine Adapter: the pieces by hand, and a small run."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import s012_cosine_adapter as adapter
from similia.atlas.registry import Settings
from similia.evaluate import datasets


def lists(focus):
    focus = np.array(focus)
    count = len(focus)
    return adapter.Lists(
        np.zeros((count, 2), np.float32), np.zeros((count, 2)), np.zeros((count, 3), np.float32), focus
    )


def test_no_focus_is_in_two_parts():
    random = np.random.default_rng(0)
    found = lists(random.choice(np.arange(5, 500, 3), 900))
    parts = adapter.split(found, 0)
    foci = [{*part.focus.tolist()} for part in parts]
    assert not foci[0] & foci[1]
    assert not foci[0] & foci[2]
    assert not foci[1] & foci[2]
    assert set.union(*foci) == {*found.focus.tolist()}
    total = len(set.union(*foci))
    assert [round(len(part) / total, 1) for part in foci] == [0.6, 0.1, 0.3]


def test_standardised_lists_have_mean_0_and_deviation_1():
    z = adapter.standardised(np.array([[3.0, 2, 1], [0.5, 0.5, 0.5]]))
    np.testing.assert_allclose(z[0], np.array([1, 0, -1]) / np.sqrt(2 / 3))
    assert (z[1] == 0).all()


def test_a_broken_order_is_seen():
    raw = np.array([[0.9, 0.5, 0.5, 0.1]])
    assert adapter.ranking_untouched({"platt": 3 * raw}, raw).verdict == "reproduced"
    for other in ([[4.0, 5, 5, 1]], [[4.0, 3, 2, 1]], [[4.0, 3, 3, 3]]):
        assert adapter.ranking_untouched({"power": np.array(other)}, raw).verdict == "not reproduced"


def test_a_small_run():
    if not all(map(datasets.available, adapter.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")
    claims = adapter.run(Settings(quick=True, progress=False))
    assert [claim.number for claim in claims] == [1, 2, 3, 4, 5]
    assert tuple(claim.says for claim in claims) == adapter.INFO.claims
    for claim in claims:
        values = [*claim.measured.values(), *claim.baseline.values()]
        assert np.isfinite(values).all()
    verdicts = {claim.number: claim.verdict for claim in claims}
    assert verdicts[3] == verdicts[5] == "reproduced"


def test_judged_sentences_stand_best_first_with_their_labels():
    if not datasets.available("trecqa"):
        pytest.skip("a data set of the system is not on this machine")
    data = datasets.retrieval("trecqa", "dev")
    scores, labels = adapter.sentences("dev", Settings(progress=False))
    counts = [len(data.qrels[name]) for name in data.query_ids]
    found = scores > -np.inf
    assert found.sum(axis=1).tolist() == counts
    assert (np.isnan(labels) == ~found).all()
    assert np.nansum(labels) == sum(grade > 0 for grades in data.qrels.values() for grade in grades.values())
    assert (np.diff(np.where(found, scores, -9), axis=1) <= 0).all()
