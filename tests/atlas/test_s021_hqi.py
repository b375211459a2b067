"""HQI: its workloads and measurements, and all of its claims on a small made-up table without an encoder."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import questions
from similia.atlas import s021_hqi as hqi
from similia.atlas.questions import Rows, workload
from similia.index import ExactIndex
from similia.types import Hits


@pytest.fixture(scope="module")
def rows() -> Rows:
    random = np.random.default_rng(0)
    label = random.integers(0, 6, 1_500)
    vectors = (2 * random.normal(size=(6, 12))[label] + random.normal(size=(1_500, 12))).astype(np.float32)
    kinds = random.integers(0, 4, 1_500)
    return Rows(
        vectors,
        {
            "source": [f"it's {number}" for number in label],
            "kind": [f"k{number}" for number in kinds],
            "group": [None if number % 5 else "g" for number in range(1_500)],
            "initial": ["ABC"[number % 3] for number in range(1_500)],
            "words": random.integers(10, 500, 1_500).tolist(),
        },
    )


def test_a_row_passes_its_own_filter(rows):
    random = np.random.default_rng(1)
    chosen = random.permutation(1_500)[:300]
    own = workload(rows, chosen, random)
    assert len({*own.where}) > 50
    passes = [given.mask(rows.columns)[row] for given, row in zip(own.where, chosen, strict=True)]
    # All but those that ask for more, or fewer, words than the nearest round number.
    assert np.mean(passes) > 0.85
    other = workload(rows, chosen, random, shuffled=True)
    assert np.mean([g.mask(rows.columns)[row] for g, row in zip(other.where, chosen, strict=True)]) < 0.5
    frequency = [sum("kind" in str(given) for given in given_.where) for given_ in (own, other)]
    assert min(frequency) > 50


def test_recall_is_over_queries_that_have_an_answer():
    truth = Hits(np.array([[1, 2], [3, -1], [-1, -1]]), np.array([[1, 0.5], [1, -np.inf], [-np.inf, -np.inf]]))
    found = Hits(np.array([[2, 7], [3, -1], [-1, -1]]), truth.scores)
    assert hqi.recall(found, truth) == 0.75
    assert hqi.same(found, truth) == pytest.approx(2 / 3)


def test_one_search_a_filter_is_one_search_a_query(rows):
    index, random = ExactIndex(rows.vectors), np.random.default_rng(2)
    asked = workload(rows, random.permutation(1_500)[:60], random)
    found = hqi.by_filter(index, asked, lambda given: given.mask(rows.columns))
    for place, given in enumerate(asked.where):
        alone = index.search(asked.vectors[place], hqi.K, where=given.mask(rows.columns))
        np.testing.assert_array_equal(found.ids[place], alone.ids[0])


def test_claims_that_are_no_times(rows):
    claims = hqi.claims(rows, 300, 80, 0)
    assert tuple(claim.says for claim in claims) == hqi.INFO.claims
    assert [claim.number for claim in claims] == [1, 2, 3, 4, 5, 6, 7]
    assert claims[4].verdict == "reproduced"
    assert set(claims[4].measured.values()) == {1}
    assert claims[1].measured["identical"] == 1
    assert claims[0].baseline["rows tested"] == 1_500
    assert claims[0].measured["rows tested"] < 1_000
    assert all(value > 0 for claim in claims for name, value in claim.measured.items() if name.startswith("ms"))


def test_templates_are_filters_of_the_table():
    assert len(questions.TEMPLATES) == 12
    assert all(
        set(
            questions.Predicate.parse(
                text.format(kind="'k'", source="'s'", initial="'i'", words=5), questions.FIELDS
            ).fields
        )
        <= questions.FIELDS.keys()
        for text in questions.TEMPLATES
    )
