"""The adapter: its gradient against differences, what it learns, and that the seed decides."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from similia.rank.calibration import Calibrator, score_features
from similia.rank.calibration.adapter import Family, QueryCurve, loss, start
from similia.rank.calibration.inputs import sigmoid


@pytest.mark.parametrize("family", get_args(Family))
def test_the_gradient_is_that_of_the_loss(family):
    random = np.random.default_rng(0)
    parameters = start(3, 4, 0.2, random)
    for value in parameters.values():
        value += 0.3 * random.normal(size=value.shape)
    x, features = random.gamma(2.0, 0.5, (5, 6)), random.normal(size=(5, 3))
    labels = random.random((5, 6))
    labels[random.random((5, 6)) < 0.3] = np.nan
    _, gradient = loss(parameters, x, labels, features, family, 0.01)
    step = 1e-6
    for name, value in parameters.items():
        for place in np.ndindex(value.shape):
            kept = value[place]
            value[place] = kept + step
            above, _ = loss(parameters, x, labels, features, family, 0.01)
            value[place] = kept - step
            below, _ = loss(parameters, x, labels, features, family, 0.01)
            value[place] = kept
            assert gradient[name][place] == pytest.approx((above - below) / (2 * step), abs=1e-7), (name, place)


def lists(random, queries):
    """Queries whose level of scores depends on a feature: what is relevant lies .1 above it."""
    level = random.uniform(0.2, 0.7, queries)
    scores = -np.sort(-(level[:, None] + 0.1 * random.normal(size=(queries, 20))), axis=1)
    labels = (random.random(scores.shape) < sigmoid((scores - level[:, None] - 0.1) / 0.02)).astype(float)
    return scores, labels, np.column_stack([level, random.normal(size=queries)])


@pytest.mark.parametrize("family", get_args(Family))
def test_it_learns_where_each_query_is_to_be_cut(family):
    random = np.random.default_rng(2)
    scores, labels, features = lists(random, 300)
    new, truth, its = lists(random, 200)

    def misjudged(calibrator, features):
        return ((calibrator.transform(new, features) - truth) ** 2).mean()

    adapter = Calibrator("adapter", family=family, hidden=16, rate=5e-3, steps=300).fit(scores, labels, features)
    assert misjudged(adapter, its) < 0.5 * misjudged(Calibrator("platt").fit(scores, labels), None)


def test_statistics_of_the_list_are_the_features_where_none_are_given():
    random = np.random.default_rng(2)
    scores, labels, _ = lists(random, 60)
    training = {"hidden": 4, "steps": 40, "epochs": 1}
    without = Calibrator("adapter", **training).fit(scores, labels)
    given = Calibrator("adapter", **training).fit(scores, labels, score_features(scores))
    assert (without.transform(scores) == given.transform(scores, score_features(scores))).all()


def test_the_seed_decides():
    random = np.random.default_rng(2)
    scores, labels, features = lists(random, 40)

    def p(seed):
        return (
            Calibrator("adapter", hidden=4, steps=20, epochs=1, seed=seed)
            .fit(scores, labels, features)
            .transform(scores, features)
        )

    assert (p(1) == p(1)).all()
    assert (p(1) != p(2)).any()


def test_topics_are_held_out_whole():
    curve = QueryCurve(holdout=0.4)
    known = np.ones((40, 3), bool)
    known[7] = False
    topics = np.repeat(np.arange(10), 4)
    train, held = curve._split(known, topics, np.random.default_rng(0))
    assert not {*topics[train]} & {*topics[held]}
    assert len({*topics[held]}) == 4
    assert sorted([*train, *held]) == [i for i in range(40) if i != 7]


def test_scores_far_from_those_of_training_keep_their_order():
    random = np.random.default_rng(2)
    scores, labels, features = lists(random, 40)
    adapter = Calibrator("adapter", hidden=4, steps=20, epochs=1).fit(scores, labels, features)
    far = np.linspace(-1, 2, 50)[None, :]
    assert (np.diff(adapter.log_odds(far, features[:1])) > 0).all()


def test_the_epoch_is_chosen_on_queries_held_out():
    """Of features that say nothing, the last epoch has learned a lot."""
    random = np.random.default_rng(4)
    scores, labels, _ = lists(random, 60)
    new, truth, _ = lists(random, 200)
    noise, its = random.normal(size=(60, 40)), random.normal(size=(200, 40))
    misjudged = {}
    for holdout in (0.0, 0.3):
        adapter = Calibrator("adapter", hidden=16, rate=1e-2, steps=300, holdout=holdout, batch=16)
        p = adapter.fit(scores, labels, noise).transform(new, its)
        misjudged[holdout] = ((p - truth) ** 2).mean()
    assert misjudged[0.3] < 0.9 * misjudged[0.0]
