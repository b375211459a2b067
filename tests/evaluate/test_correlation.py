"""Correlation and ROC area against SciPy and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate import auc, pearson

pairs = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=30)


@given(pairs)
def test_agrees_with_scipy_and_scikit_learn(points: list[tuple[int, bool]]) -> None:
    from scipy.stats import pearsonr
    from sklearn.metrics import roc_auc_score

    scores, outcomes = np.array(points, dtype=float).T
    if scores.std() > 0 and outcomes.std() > 0:
        assert pearson(scores, outcomes) == pytest.approx(pearsonr(scores, outcomes)[0], abs=1e-12)
        assert auc(scores, outcomes) == pytest.approx(roc_auc_score(outcomes, scores))
    else:
        assert math.isnan(pearson(scores, outcomes))


def test_bad_input_is_refused() -> None:
    assert math.isnan(auc([1.0, 2.0], [1, 1]))
    for call in (pearson, auc):
        with pytest.raises(InputError):
            call([1.0], [1.0])
        with pytest.raises(InputError):
            call([1.0, 2.0], [1.0])
