"""The links that strategies are built from."""

from __future__ import annotations

import numpy as np
import pytest

from similia.index import kernels

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")


def points(n: int, d: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def kept(rows: np.ndarray, away: np.ndarray, tags: list[set[int]], degree: int, alpha: float) -> list[list[int]]:
    """The robust prune with labels, as its paper writes it, but for the two rounds."""
    found = []
    for node in range(len(away)):
        order = sorted({*rows[node].tolist()} - {node}, key=lambda item: (away[node, item], item))
        links: list[int] = []
        for strict in (1.0, alpha):
            for item in order:
                if item in links or len(links) == degree:
                    continue
                if not any(
                    strict * away[item, other] <= away[node, item] and tags[node] & tags[item] <= tags[other]
                    for other in links
                ):
                    links.append(item)
        found.append(links)
    return found


def test_the_prune_is_that_of_the_paper():
    from similia.index.filtered.links import listed, thinned

    random, x = np.random.default_rng(1), points(60)
    rows = random.integers(0, 60, (60, 25)).astype(np.int32)
    rows[:, 0] = np.arange(60)
    tags = [{*np.flatnonzero(random.random(70) < 0.3).tolist()} for _ in range(60)]
    words = [[sum(1 << t for t in own if t < 64), sum(1 << (t - 64) for t in own if t >= 64)] for own in tags]
    away = ((x[:, None].astype(np.float64) - x) ** 2).sum(axis=2)
    candidates = listed(np.repeat(np.arange(60, dtype=np.int32), 25), rows.ravel())
    for given, own in ((np.array(words, np.uint64), tags), (np.empty((60, 0), np.uint64), [set()] * 60)):
        found = thinned(x, *candidates, given, 8, 1.3)
        for node, links in enumerate(kept(rows, away, own, 8, 1.3)):
            assert found[node, : len(links)].tolist() == links
            assert (found[node, len(links) :] == node).all()


def test_near_ones_are_without_themselves():
    from similia.index.filtered.links import near

    x = points(40)
    x[5] = x[6] = x[7]
    found = near(x, 6, seed=0)
    assert found.shape == (40, 6)
    assert not (found == np.arange(40)[:, None]).any()
    assert near(x[:1], 6, seed=0).shape == (1, 0)


def test_ranges_of_a_layer_halve_those_above():
    from similia.index.filtered.halves import bounds, build

    x = points(300)
    layers = build(x, 4, 16)
    assert len(layers) == 7
    for layer, links in enumerate(layers):
        first, last = bounds(300, layer)
        assert (links >= first[:, None]).all()
        assert (links < last[:, None]).all()
    assert build(x[:1], 4, 16).tolist() == [[[0, 0, 0, 0]]]
    assert build(x[:0], 4, 16).shape == (1, 0, 4)


def test_links_that_two_steps_lead_to_are_dropped():
    from similia.index.filtered.links import compressed, listed

    x = np.arange(30, dtype=np.float32)[:, None] ** 1.01
    nearest = np.argsort(np.abs(x - x.T), axis=1)[:, 1:13].astype(np.int32)
    candidates = listed(np.repeat(np.arange(30, dtype=np.int32), 12), nearest.ravel())
    links = compressed(x, *candidates, np.ascontiguousarray(nearest[:, :4]), 12)
    for node in range(30):
        own = [item for item in links[node].tolist() if item != node]
        assert own[:4] == nearest[node, :4].tolist()
        for place, item in enumerate(own[4:], start=4):
            assert not any(item in nearest[other, :4] for other in own[4:place])
        led = {*own, *(two for one in own[4:] for two in nearest[one, :4].tolist())}
        assert {*nearest[node].tolist()} <= led
