"""The comparison of filtered searches: its pieces, and a small run on made-up papers."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import s022_fanns as fanns
from similia.index import kernels

AREAS = ("cs.CL", "cs.AI", "cs.IR", "cs.LG", "cs.DB")


def world(items: int = 2600, asked: int = 12) -> fanns.World:
    """Papers around five areas; who has which date and authors has nothing to do with the vectors."""
    random = np.random.default_rng(0)
    area = random.choice(5, items + 400, p=(0.5, 0.25, 0.13, 0.09, 0.03))
    centres = np.random.default_rng(1).normal(size=(5, 16))
    vectors = (centres[area] + random.normal(size=(len(area), 16))).astype(np.float32)
    papers = [
        {
            "primary": AREAS[own],
            "categories": [AREAS[own], "xyz"[random.integers(3)], f"rare {random.integers(120)}"],
            "date": f"20{random.integers(10, 26)}-{random.integers(1, 13):02d}-{random.integers(1, 28):02d}",
            "authors": f"Author {random.integers(300)}, Pat O'Neil" if random.random() < 0.3 else None,
        }
        for own in area
    ]
    order = random.permutation(len(area))
    return fanns.World(fanns.indexed(papers, vectors, order[:items], 0), vectors[order[items:]], asked, random)


def test_authors_are_told_apart() -> None:
    assert fanns.authors_of("A. B. Carl (X, Y and Z), D'Arcy Band and Eva") == ["A. B. Carl", "D'Arcy Band", "Eva"]
    assert fanns.authors_of(None) is None
    assert fanns.authors_of("") is None


@pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")
def test_a_small_run_on_made_up_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanns, "EFFORTS", (10, 40, 160, 640, 2560))
    made = world()
    made.index.measure(made.queries[:20])
    cells = list(made.cells())
    assert {cell.kind for cell in cells} == {"EM", "R", "EMIS"}
    assert len({cell.name for cell in cells}) == len(cells)
    for cell in cells:
        assert sum(len(part) for part in cell.queries) == made.asked
        cell.cost.update(fanns.costs(made.index, cell, [*made.index.ways]))
        assert np.isfinite([*cell.cost.values()]).all()
        assert {"scan", "post", "inside", "acorn-1", "acorn"} <= cell.cost.keys()
        assert ("range" in cell.cost) == (cell.kind == "R")
        if len(cell.filters) == 1:
            assert cell.cost["scan"] == len(made.index.columns.filter(cell.filters[0]).rows)
    claims = [
        fanns.exactness(made, cells),
        fanns.crossover(cells),
        fanns.ranges(made.index, cells),
        fanns.planner(made.index, cells),
        fanns.disagreement(made),
    ]
    assert [claim.number for claim in claims] == [1, 2, 3, 4, 5]
    assert claims[0].verdict == "reproduced"
    assert claims[0].measured["share of hits that pass"] == 1
    assert claims[2].measured["other filters refused"] == 1
    assert claims[3].measured["recall, mean"] > 0.85
    assert all(np.isfinite([*claim.measured.values(), *claim.baseline.values()]).all() for claim in claims)
