"""Accuracy, F1 and confusion against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate.metrics import accuracy, confusion, f1

labels = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n), st.lists(st.integers(0, 4), min_size=n, max_size=n)
    )
)


@given(labels)
def test_agrees_with_scikit_learn(pair: tuple[list[int], list[int]]) -> None:
    from sklearn import metrics as oracle

    truth, guess = pair
    assert accuracy(truth, guess) == pytest.approx(oracle.accuracy_score(truth, guess))
    assert f1(truth, guess) == pytest.approx(oracle.f1_score(truth, guess, average="macro", zero_division=0))
    assert f1(truth, guess, average="micro") == pytest.approx(oracle.f1_score(truth, guess, average="micro"))
    table = oracle.confusion_matrix(truth, guess, labels=range(5))
    assert confusion(truth, guess, 5).tolist() == table.tolist()


def test_bad_labels_are_refused() -> None:
    for truth, guess in (([0], [0, 1]), ([], []), ([0.5], [0.5]), ([-1], [0]), ([[0]], [[0]])):
        with pytest.raises(InputError):
            confusion(truth, guess)
    with pytest.raises(InputError):
        confusion([0, 3], [0, 0], classes=3)
    with pytest.raises(InputError, match="'macro' or 'micro'"):
        f1([0], [0], average="weighted")  # type: ignore[arg-type]


def test_a_class_that_is_never_right_counts_as_zero() -> None:
    assert f1([0, 0], [0, 1]) == pytest.approx((2 / 3 + 0) / 2)
    assert f1(np.array([2, 2]), np.array([2, 2])) == 1.0
