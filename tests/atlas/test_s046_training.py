"""vstash, training on disagreement: parts and measures by hand."""

from __future__ import annotations

import numpy as np

from similia.atlas import disagreement_training as training
from similia.atlas import s046_vstash as vstash
from similia.atlas.hybrid import Views
from similia.types import Hits


def test_no_paper_is_in_two_parts():
    parts = training.parted(1_000, 0)
    assert [part.size for part in parts] == [600, 100, 100, 200]
    assert sorted(np.concatenate(parts)) == [*range(1_000)]
    assert all((a == b).all() for a, b in zip(parts, training.parted(1_000, 0), strict=True))


def test_known_items_through_a_head():
    class Swap:
        """Maps queries to the second axis."""

        def transform(self, vectors, *, side="item"):
            return vectors[:, ::-1] if side == "query" else vectors

    items = np.array([[1, 0], [0.6, 0.8]], np.float32)
    asked, wanted = np.array([[1, 0]], np.float32), np.array([1])
    np.testing.assert_allclose(training.known_item(None, asked, items, wanted), [1 / np.log2(3)])
    np.testing.assert_allclose(training.known_item(Swap(), asked, items, wanted), [1])


def test_two_searches_lean_by_the_length_of_the_query():
    ids = np.arange(20)
    dense, text = Hits([ids] * 3, [np.linspace(1, 0.99, 20)] * 3), Hits([ids[::-1] + 100] * 3, [-ids / 10.0] * 3)
    views = Views(dense, text, [[1.0]] * 3, 999, np.zeros(3), np.ones(3))
    by_vector, by_text = vstash.two_searches(views, ["few words", "word " * 20, "word " * 60])
    assert (by_vector.ids[:, 0] == 0).all()
    assert (by_text.ids[:2, 0] == 119).all()
    # .70/.30, .85/.15 and .95/.05 on one side; .30/.70, .15/.85 and .50/.50 on the other, each over a rank from 1.
    np.testing.assert_allclose(by_vector.scores[:, 0], np.array([0.70, 0.85, 0.95]) / 61, rtol=1e-5)
    np.testing.assert_allclose(by_text.scores[:, 0], np.array([0.70, 0.85, 0.50]) / 61, rtol=1e-5)
