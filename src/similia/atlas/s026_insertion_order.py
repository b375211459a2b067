"""HNSW insertion order: what the order of arrival and the intrinsic dimensionality of data do to recall.

Real data: 4,000 abstracts of cs.IR papers, 400 of them as queries, in vectors of the bundled encoder and by latent
semantic analysis in 64 dimensions; a paper's primary category is its label. Made data: a ladder of Gaussians of 4 to
128 dimensions in 1,024, and a mixture of Gaussians of 4, 8, 16 and 32 dimensions in 64, 3,600 points and 400 queries
each. The index is a plain HNSW with the parameters of the authors (degree 16, build beam 128), searched with beams of
10, 20 and 40. Levels belong to the items, and are drawn 3 times. Recall counts what is as near as the tenth neighbour.
The quick sample takes 700 points, 100 queries and 2 draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.atlas.hnsw import Hnsw, levels, squared_distances
from similia.atlas.lsa import LatentSemanticAnalysis
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets
from similia.evaluate.metrics import ndcg
from similia.measure.geometry import local_dimension, neighbour_distances
from similia.progress import bar
from similia.types import Float32, Int64

INFO = SystemInfo(
    number=26,
    name="HNSW insertion order",
    title="How the order of arrival and the intrinsic dimensionality of data move the recall of a graph",
    paper="Elliott and Clark, The Impacts of Data, Ordering, and Intrinsic Dimensionality on Recall in Hierarchical "
    "Navigable Small Worlds (ICTIR 2024, arXiv 2405.17813)",
    status="complete; the commercial data of the authors is not public",
    rooms=("encode", "measure", "evaluate"),
    claims=(
        "Recall falls, and the estimate of local dimensionality rises, with the dimensions that data really has",
        "On data of mixed dimensionality the order moves recall by more than chance does",
        "On texts, descending local dimensionality is at least as good an order as ascending",
        "Too narrow a beam changes the ranking of representations, and a beam ten times as wide changes it back",
        "With a beam as wide as the data nothing is missed",
    ),
    data=("papers_ir",),
)
PLACES = 10
BEAMS = (10, 20, 40)
DEGREE, SMALL = 16, 8
BUILD = {DEGREE: 128, SMALL: 40}
"""Degree -> build beam."""
LADDER = (4, 8, 16, 32, 64, 128)
MIXED = (4, 8, 16, 32)
NEIGHBOURS = 100
Labels: TypeAlias = npt.NDArray[np.str_]
Trial: TypeAlias = dict[str, dict[int, float]]
"""Recall by beam of each order, for one draw of levels."""


@dataclass(frozen=True, eq=False)
class Space:
    """Items and queries by their distances: among items (n, n), from queries (q, n), and to each one's tenth (q,)."""

    among: Float32
    asked: Float32
    tenth: Float32
    dimensions: npt.NDArray[np.float64]

    @classmethod
    def of(cls, items: Float32, queries: Float32) -> Space:
        """Measure all distances and the local dimensionality of each item."""
        asked = squared_distances(queries, items)
        near = neighbour_distances(items, min(NEIGHBOURS, len(items) - 1))
        tenth = np.partition(asked, PLACES - 1, axis=1)[:, PLACES - 1]
        return cls(squared_distances(items, items), asked, tenth, local_dimension(near))

    def graph(self, order: Int64, seed: int, degree: int = DEGREE) -> Hnsw:
        """A graph of the items, in an order, with the levels of a seed."""
        drawn = levels(len(self.among), degree, seed)
        return Hnsw(self.among, drawn, order.tolist(), degree=degree, beam=BUILD[degree])

    def recall(self, graph: Hnsw, beam: int) -> float:
        """The share of the ten places that hold an item as near as the tenth neighbour."""
        shares = [
            sum(row[item] <= last for item in graph.search(row, PLACES, beam)) / PLACES
            for row, last in zip(self.asked, self.tenth, strict=True)
        ]
        return float(np.mean(shares))


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    items, asked, draws = (700, 100, 2) if settings.quick else (3_600, 400, 3)
    random = np.random.default_rng(settings.seed)
    papers = list(datasets.records("papers_ir"))
    kept = random.permutation(len(papers))[: items + asked]
    encoded = encode(load("minilm"), [str(paper["abstract"]) for paper in papers], progress=settings.progress)[kept]
    texts = [str(papers[i]["abstract"]) for i in kept]
    labels = np.array([str(papers[i]["primary"]) for i in kept])
    latent = LatentSemanticAnalysis(64, seed=settings.seed).fit(texts[:items]).encode(texts)
    text = {name: Space.of(v[:items], v[items:]) for name, v in (("encoder", encoded), ("latent", latent))}
    made = mixture(random, items + asked)
    mixed = Space.of(made[:items], made[items:])
    groups = np.argsort(labels[:items], kind="stable")
    studied = {name: (space, groups, DEGREE) for name, space in text.items()}
    kinds = {**studied, "mixed": (mixed, None, DEGREE), "mixed, small": (mixed, None, SMALL)}
    trials: dict[str, list[Trial]] = {name: [] for name in kinds}
    with bar("graphs", len(kinds) * draws, unit="sets of orders", show=settings.progress) as shown:
        for name, (space, order, degree) in kinds.items():
            for seed in range(settings.seed, settings.seed + draws):
                trials[name].append(trial(space, seed, order, degree))
                shown.advance()
    return [
        ladder(items, asked, settings.seed),
        spread(trials["mixed"], trials["mixed, small"]),
        texts_claim({name: trials[name] for name in text}),
        rankings(encoded, latent, labels, items, settings.seed),
        complete({**text, "mixed": mixed}, settings.seed),
    ]


def subspace(random: np.random.Generator, count: int, d: int, ambient: int) -> Float32:
    """Gaussian points of d dimensions and length about 1, float32 (count, ambient), in a random subspace."""
    basis = np.linalg.qr(random.normal(size=(ambient, d)))[0]
    points: Float32 = (random.normal(size=(count, d)) / np.sqrt(d) @ basis.T).astype(np.float32)
    return points


def mixture(random: np.random.Generator, count: int) -> Float32:
    """Points of four subspaces in 64 dimensions, in a random order."""
    sizes = [len(part) for part in np.array_split(np.arange(count), len(MIXED))]
    parts = [subspace(random, size, d, 64) for size, d in zip(sizes, MIXED, strict=True)]
    return np.concatenate(parts)[random.permutation(count)]


def trial(space: Space, seed: int, groups: Int64 | None = None, degree: int = DEGREE) -> Trial:
    """Orders by rising and by falling local dimensionality, 5 at random, and ``groups`` if given.

    Points without a dimensionality come last in both.
    """
    dimensions, random = space.dimensions, np.random.default_rng(seed)
    orders = {"ascending": np.argsort(dimensions, kind="stable"), "descending": np.argsort(-dimensions, kind="stable")}
    orders |= {f"random {number}": random.permutation(len(dimensions)) for number in range(5)}
    if groups is not None:
        orders["by category"] = groups
    graphs = {name: space.graph(order, seed, degree) for name, order in orders.items()}
    return {name: {beam: space.recall(graph, beam) for beam in BEAMS} for name, graph in graphs.items()}


def means(rows: list[Trial], beam: int) -> dict[str, float]:
    """Recall of each order over the draws, those at random as one."""
    names = ["ascending", "descending", *(["by category"] if "by category" in rows[0] else [])]
    found = {name: float(np.mean([row[name][beam] for row in rows])) for name in names}
    return {**found, "random": float(np.mean(chance(rows, beam)))}


def chance(rows: list[Trial], beam: int) -> npt.NDArray[np.float64]:
    """Recall (draws, 5) of orders at random."""
    return np.array([[row[f"random {number}"][beam] for number in range(5)] for row in rows])


def flat(found: Mapping[int, Mapping[str, float]], name: str = "") -> dict[str, float]:
    """Numbers of a claim."""
    return {f"{name}{key}, beam {beam}": value for beam, row in found.items() for key, value in row.items()}


def ladder(items: int, asked: int, seed: int) -> Claim:
    """Claim 1."""
    random = np.random.default_rng(seed)
    recalls, estimates = {}, {}
    for d in LADDER:
        points = subspace(random, items + asked, d, 1_024)
        space = Space.of(points[:items], points[items:])
        graph = space.graph(random.permutation(items), seed)
        recalls[d], estimates[d] = space.recall(graph, BEAMS[1]), float(np.nanmean(space.dimensions))
    falls = np.corrcoef(np.arange(len(LADDER)), np.argsort(np.argsort(list(recalls.values()))))[0, 1]
    return claim(
        1,
        INFO.claims[0],
        f"Spearman of recall@10 (beam {BEAMS[1]}) with 4 to 128 dimensions <= -.9; the estimate rises at each step",
        bool(falls <= -0.9) and all(a < b for a, b in pairwise(estimates.values())),
        measured={"Spearman": falls, **{f"recall, {d} dimensions": value for d, value in recalls.items()}},
        baseline={f"estimate, {d} dimensions": value for d, value in estimates.items()},
        note="the estimate is far too low where dimensions are many and neighbours few",
    )


def spread(rows: list[Trial], small: list[Trial]) -> Claim:
    """Claim 2."""
    orders = {beam: means(rows, beam) for beam in BEAMS}
    deviation, ranges = deviations(rows), {beam: max(row.values()) - min(row.values()) for beam, row in orders.items()}
    return claim(
        2,
        INFO.claims[1],
        "max - min of recall@10 over ascending, descending and the mean of random orders > 2 standard deviations of "
        "random orders, at beams 10, 20 and 40",
        all(ranges[beam] > 2 * deviation[beam] for beam in BEAMS),
        measured={
            **{f"max - min, beam {beam}": value for beam, value in ranges.items()},
            **flat(orders),
            **flat({beam: means(small, beam) for beam in BEAMS}, f"degree {SMALL}, "),
        },
        baseline={
            **{f"deviation of random orders, beam {beam}": value for beam, value in deviation.items()},
            **{f"degree {SMALL}, deviation, beam {beam}": value for beam, value in deviations(small).items()},
        },
        note=f"means of {len(rows)} draws of levels, 5 random orders each; single random orders are not in the range, "
        f"or it would be above 2 deviations by chance. Degree {SMALL} with a build beam of {BUILD[SMALL]}, for "
        "comparison, has no part in the verdict",
    )


def deviations(rows: list[Trial]) -> dict[int, float]:
    """By beam, the standard deviation of random orders within a draw of levels, in the mean."""
    return {beam: float(chance(rows, beam).std(axis=1, ddof=1).mean()) for beam in BEAMS}


def texts_claim(trials: Mapping[str, list[Trial]]) -> Claim:
    """Claim 3."""
    found = {name: {beam: means(rows, beam) for beam in BEAMS} for name, rows in trials.items()}
    by_chance = {
        f"{name}, deviation of random orders, beam {beam}": value
        for name, rows in trials.items()
        for beam, value in deviations(rows).items()
    }
    return claim(
        3,
        INFO.claims[2],
        "recall@10 of descending >= of ascending at beams 20 and 40, for the encoder and for latent semantic analysis",
        all(row[beam]["descending"] >= row[beam]["ascending"] for row in found.values() for beam in BEAMS[1:]),
        measured={name: value for space, row in found.items() for name, value in flat(row, f"{space}, ").items()},
        baseline=by_chance,
    )


def rankings(encoded: Float32, latent: Float32, labels: Labels, items: int, seed: int) -> Claim:
    """Claim 4."""
    centred = encoded - encoded[:items].mean(axis=0)
    axes = np.linalg.eigh(centred[:items].T @ centred[:items])[1][:, ::-1]
    spaces = {"encoder": encoded, "latent": latent}
    spaces |= {f"encoder, {d} components": np.ascontiguousarray(centred @ axes[:, :d]) for d in (8, 16, 32, 64)}
    wanted = labels[items:, None] == labels[None, :items]
    asked = wanted.any(axis=1)
    found: dict[str, dict[str, float]] = {"exact": {}, "beam 10": {}, "beam 100": {}}
    for name, vectors in spaces.items():
        space = Space.of(vectors[:items], vectors[items:])
        graph = space.graph(np.random.default_rng(seed).permutation(items), seed)
        answers = {"exact": [np.argsort(row, kind="stable")[:PLACES].tolist() for row in space.asked]}
        answers |= {f"beam {beam}": [graph.search(row, PLACES, beam) for row in space.asked] for beam in (10, 100)}
        for way, rows in answers.items():
            gains = np.array([relevant[row] for relevant, row in zip(wanted, rows, strict=True)], np.float64)
            found[way][name] = float(np.mean(ndcg(gains[asked], wanted[asked].astype(np.float64), PLACES)))
    ranked = {
        way: [name for _, name in sorted((-value, name) for name, value in row.items())] for way, row in found.items()
    }
    return claim(
        4,
        INFO.claims[3],
        "the order of 6 representations by NDCG@10 of labels differs from that of exact search at beam 10, not at 100",
        ranked["beam 10"] != ranked["exact"] == ranked["beam 100"],
        measured={f"{name}, {way}": row[name] for way, row in found.items() if way != "exact" for name in row},
        baseline={f"{name}, exact": value for name, value in found["exact"].items()},
        note=f"exact: {' > '.join(ranked['exact'])}; beam 10: {' > '.join(ranked['beam 10'])}",
    )


def complete(spaces: Mapping[str, Space], seed: int) -> Claim:
    """Claim 5."""
    recalls, reached = {}, {}
    for name, space in spaces.items():
        for order, sign in (("ascending", 1), ("descending", -1)):
            graph = space.graph(np.argsort(sign * space.dimensions, kind="stable"), seed)
            some = Space(space.among, space.asked[:100], space.tenth[:100], space.dimensions)
            recalls[f"{name}, {order}"] = some.recall(graph, len(space.among))
            reached[f"{name}, {order}, items within reach"] = graph.reached()
    return claim(
        5,
        INFO.claims[4],
        "recall@10 >= .999 with a beam of all items, for each space, ascending and descending",
        all(value >= 0.999 for value in recalls.values()),
        measured=recalls,
        baseline=reached,
        note="of 100 queries; an item is out of reach where the rule for full items has dropped every link to it",
    )
