"""DBNorm: hubs of a cross-modal search are put in their place by a bank of queries and a bank of items.

6,767 cs.IR papers: titles ask for their abstracts. 3,000 papers are the banks, 1,767 choose the betas, 2,000 are asked;
the gallery is all abstracts, and what belongs to a title of the bank is not held against it. Views: both sides in
vectors of the bundled encoder (A); titles in those and abstracts in 256 dimensions of latent semantic analysis, joined
by ridge regression over the papers of the banks (B); and the latter for both sides, in which the numbers of the pilot
were measured. The quick sample takes 1,200 papers, 500 of them in the banks, and a smaller grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.atlas.lsa import LatentSemanticAnalysis
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets
from similia.index.topk import top_k
from similia.measure.hubness import hub_statistics
from similia.measure.vectors import normalise
from similia.rank.hubness import Choice, HubnessCorrector, Kind, choose_corrector, correctors_of
from similia.types import Float32, Int64

INFO = SystemInfo(
    number=106,
    name="DBNorm",
    title="Hubs put in their place by normalising similarities with a bank of queries and a bank of items",
    paper="Wang, Jian and Xue, Balance Act: Mitigating Hubness in Cross-Modal Retrieval with Query and Gallery Banks "
    "(EMNLP 2023, arXiv 2310.11612)",
    status="complete on texts; images with captions are not at hand",
    rooms=("encode", "measure", "rank", "evaluate"),
    claims=(
        "Inverted softmax and its dual find at least 5 points more right items first and halve the skewness",
        "The bank of items does not hurt, in one modality and across two",
        "With banks of another domain the dynamic forms stay within half a point of raw scores",
        "An additive bias an item is the published ratio, as a search by inner product too",
    ),
    data=("papers_ir", "papers", "medquad"),
)
Float64: TypeAlias = npt.NDArray[np.float64]
KINDS: tuple[Kind, ...] = ("is", "dis", "dualis", "dualdis", "csls", "nnn", "sinkhorn")
PENALTIES = (0.01, 0.1, 1.0, 10.0)
STRENGTHS = (0.125, 0.25, 0.5, 1.0)
PLACES = 10


@dataclass(frozen=True, eq=False)
class View:
    """Queries and items of the same papers in one space, and which paper plays which part."""

    queries: Float32
    items: Float32
    bank: Int64
    validation: Int64
    test: Int64

    @property
    def scores(self) -> Float32:
        """Of the test queries with all items."""
        return normalise(self.queries[self.test]) @ normalise(self.items).T

    def reversed(self) -> View:
        """Items ask for queries."""
        return View(self.items, self.queries, self.bank, self.validation, self.test).apart()

    def apart(self) -> View:
        """Without validation and test queries whose vector, as those of near-equal titles, is also in the bank."""
        known = HubnessCorrector().fit(self.queries[self.bank], self.items[:1])
        validation, test = (part[~known.overlap(self.queries[part])] for part in (self.validation, self.test))
        return View(self.queries, self.items, self.bank, validation, test)

    def chosen(self, kind: Kind, betas: Sequence[float], strengths: Sequence[float] = (1.0,)) -> Choice:
        """The corrector of one kind with the settings that are best on the validation queries."""
        dual = kind in ("dualis", "dualdis")
        return choose_corrector(
            correctors_of(kind, betas=betas, gallery_betas=betas, strengths=strengths),
            self.queries[self.validation],
            self.validation,
            self.queries[self.bank],
            self.items,
            self.items[self.bank] if dual else None,
            query_pairs=self.bank,
            gallery_pairs=self.bank if dual else None,
        )


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    views, others = prepared(settings)
    betas = (3.0, 10.0, 30.0) if settings.quick else (1.0, 1.8, 3.2, 5.6, 10.0, 18.0, 32.0, 56.0, 100.0)
    choices = {
        "A": {kind: views["A"].chosen(kind, betas) for kind in KINDS},
        "B": {kind: views["B"].chosen(kind, betas) for kind in KINDS},
        "LSA": {kind: views["LSA"].chosen(kind, betas) for kind in ("is", "dis", "dualis", "dualdis")},
    }
    fitted = {name: {kind: choice.corrector for kind, choice in row.items()} for name, row in choices.items()}
    found = {name: {"raw": judged(view, None)} for name, view in views.items()}
    for name, correctors in fitted.items():
        found[name].update({kind: judged(views[name], corrector) for kind, corrector in correctors.items()})
    weaker = views["A"].chosen("is", betas, STRENGTHS).corrector
    found["A"][f"is, strength {weaker.strength:g} chosen too"] = judged(views["A"], weaker)
    back = views["A"].reversed()
    found["A, abstracts ask"] = {"raw": judged(back, None)}
    for kind in ("is", "dualis"):
        found["A, abstracts ask"][kind] = judged(back, back.chosen(kind, betas).corrector)
    return [
        hubs(views, fitted, found, [kind for kind in KINDS if choices["A"][kind].helps]),
        both_banks(fitted, found),
        strangers(views["A"], fitted["A"], found["A"], others),
        additive(views["A"], fitted["A"]),
    ]


def prepared(settings: Settings) -> tuple[dict[str, View], dict[str, tuple[Float32, Float32]]]:
    """The views, and banks (queries, items) of other domains."""
    random = np.random.default_rng(settings.seed)
    papers = list(datasets.records("papers_ir"))
    abstracts, titles = ([str(paper[field]) for paper in papers] for field in ("abstract", "title"))
    model = load("minilm")
    items = encode(model, abstracts, progress=settings.progress)
    asked = encode(model, titles, side="query", progress=settings.progress)
    kept = random.permutation(len(papers))
    banked, tested = 3_000, 2_000
    if settings.quick:
        kept, banked, tested = kept[:1_200], 500, 350
    items, asked = items[kept], asked[kept]
    parts = np.split(np.arange(len(kept)), (banked, len(kept) - tested))
    latent = LatentSemanticAnalysis(256, seed=settings.seed).fit([abstracts[i] for i in kept])
    topics = latent.encode([abstracts[i] for i in kept])
    views = {
        "A": View(asked, items, *parts),
        "B": View(mapped(asked, topics, parts[0], parts[1]), topics, *parts),
        "LSA": View(latent.encode([titles[i] for i in kept]), topics, *parts),
    }
    return {name: view.apart() for name, view in views.items()}, strange_banks(settings, random, banked)


def mapped(queries: Float32, items: Float32, train: Int64, validation: Int64) -> Float32:
    """The queries in the space of the items, by the ridge regression that does best on the validation queries."""
    left, right = queries[train].astype(np.float64), items[train].astype(np.float64)
    best: tuple[float, Float32] | None = None
    for penalty in PENALTIES:
        weights = np.linalg.solve(left.T @ left + penalty * np.eye(left.shape[1]), left.T @ right)
        found = normalise(queries @ weights)
        first = float(np.mean((found[validation] @ items.T).argmax(axis=1) == validation))
        if best is None or first > best[0]:
            best = first, found
    assert best is not None
    return best[1]


def strange_banks(settings: Settings, random: np.random.Generator, count: int) -> dict[str, tuple[Float32, Float32]]:
    """Titles and abstracts of papers of other fields, questions and answers of patients: what no one here asks for."""
    model = load("minilm")
    papers = list(datasets.records("papers"))
    titles = encode(model, [str(paper["title"]) for paper in papers], progress=settings.progress)
    fields = np.flatnonzero([paper["primary"] != "cs.IR" for paper in papers])
    rows = random.choice(fields, (2, count), replace=False)
    read = rows[1][: 200 if settings.quick else 1_000]
    abstracts = encode(model, [str(papers[i]["abstract"]) for i in read], progress=settings.progress)
    medical = datasets.retrieval("medquad")
    questions = encode(model, medical.queries, side="query", progress=settings.progress)
    answers = encode(model, medical.documents, progress=settings.progress)
    return {
        "other fields": (titles[rows[0]], abstracts),
        "medicine": (
            questions[random.choice(len(questions), count, replace=False)],
            answers[random.choice(len(answers), count, replace=False)],
        ),
    }


# -- what is measured


def judged(view: View, corrector: HubnessCorrector | None) -> dict[str, float]:
    """Quality on the test queries, and how uneven their ten best are."""
    scores = view.scores
    return quality(scores if corrector is None else corrector.transform(scores), view.test)


def quality(scores: Float32, right: Int64) -> dict[str, float]:
    """R@1, 5 and 10, median and mean rank, and the hubness of the ten best."""
    own = np.take_along_axis(scores, right[:, None], axis=1)
    before = (scores == own) & (np.arange(scores.shape[1]) < right[:, None])
    ranks = 1 + ((scores > own) | before).sum(axis=1)
    hubness = hub_statistics(top_k(scores, PLACES)[0], scores.shape[1])
    return {
        **{f"R@{k}": float(np.mean(ranks <= k)) for k in (1, 5, 10)},
        "median rank": float(np.median(ranks)),
        "mean rank": float(np.mean(ranks)),
        "skewness": hubness.skewness,
        "largest": float(hubness.largest),
        "never found": hubness.never,
    }


def better(found: Mapping[str, Mapping[str, float]], kind: str) -> bool:
    """Whether a correction finds 5 points more first and halves the skewness."""
    ours, raw = found[kind], found["raw"]
    return ours["R@1"] >= raw["R@1"] + 0.05 and ours["skewness"] <= 0.5 * raw["skewness"]


def listed(names: Iterable[str]) -> str:
    """Names in a row, or "none"."""
    return ", ".join(names) or "none"


def shown(name: str, values: Mapping[str, float], *wanted: str) -> dict[str, float]:
    """Some of the numbers, or all, under one name."""
    return {f"{name}: {key}": values[key] for key in wanted or values}


def settings_of(correctors: Mapping[Kind, HubnessCorrector], prefix: str) -> str:
    """What was chosen on the validation queries, in words."""
    words = []
    for kind, corrector in correctors.items():
        if kind in ("csls", "nnn"):
            words.append(f"{kind} {corrector.neighbours} neighbours")
        elif kind in ("dualis", "dualdis"):
            words.append(f"{kind} {corrector.beta:g} and {corrector.gallery_beta:g}")
        else:
            words.append(f"{kind} {corrector.beta:g}")
    return f"{prefix}, betas chosen on validation queries: {'; '.join(words)}"


# -- claims


def hubs(
    views: Mapping[str, View],
    fitted: Mapping[str, Mapping[Kind, HubnessCorrector]],
    found: Mapping[str, Mapping[str, Mapping[str, float]]],
    helpful: Sequence[str],
) -> Claim:
    """Claim 1; ``helpful`` are the kinds that are above raw scores on the validation queries of A."""
    view, correctors, own = views["A"], fitted["A"], found["A"]
    measured = {key: value for kind in own if kind != "raw" for key, value in shown(kind, own[kind]).items()}
    # As in the pilot: items are marked down for being right for a query of the bank, which none that is right here is.
    for name in ("A", "LSA"):
        held = HubnessCorrector("is", beta=fitted[name]["is"].beta)
        held.fit(views[name].queries[view.bank], views[name].items)
        measured |= shown(f"{name}, is, with the pairs of the bank", judged(views[name], held), "R@1", "skewness")
    # As in the paper: no item of the bank is in the gallery.
    rest = np.concatenate((view.validation, view.test))
    apart = HubnessCorrector("is", beta=correctors["is"].beta).fit(view.queries[view.bank], view.items[rest])
    scores, right = view.scores[:, rest], np.arange(len(view.validation), len(rest))
    measured |= shown("is, no item of the bank in the gallery", quality(apart.transform(scores), right), "R@1")
    baseline = shown("raw", own["raw"]) | shown(
        "raw, no item of the bank in the gallery", quality(scores, right), "R@1"
    )
    for name in ("LSA", "A, abstracts ask"):
        for kind, values in found[name].items():
            side = baseline if kind == "raw" else measured
            side |= shown(f"{name}, {kind}", values, "R@1", "R@10", "mean rank", "skewness")
    met = {name: all(better(found[name], kind) for kind in ("is", "dualis")) for name in found}
    return claim(
        1,
        INFO.claims[0],
        "R@1 of is and dualis >= raw + .05, and skewness of the 10-occurrence at most half of raw, on A",
        met["A"],
        measured=measured,
        baseline=baseline,
        note=f"{len(view.test):,} queries, {len(view.items):,} items; it holds on {listed(n for n in met if met[n])}; "
        f"above raw on the validation queries of A: {listed(helpful)}; {settings_of(correctors, 'A')}; "
        f"{settings_of(fitted['LSA'], 'LSA')}",
    )


def both_banks(
    fitted: Mapping[str, Mapping[Kind, HubnessCorrector]], found: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> Claim:
    """Claim 2."""
    measured = {key: value for kind in KINDS for key, value in shown(f"B, {kind}", found["B"][kind]).items()}
    return claim(
        2,
        INFO.claims[1],
        "R@1 of dualis >= is - .005 on A and on B",
        all(found[name]["dualis"]["R@1"] >= found[name]["is"]["R@1"] - 0.005 for name in ("A", "B")),
        measured={**shown("A, dualis", found["A"]["dualis"], "R@1"), **measured},
        baseline={**shown("A, is", found["A"]["is"], "R@1"), **shown("B, raw", found["B"]["raw"])},
        note="B is a regression from sentence vectors of titles to latent semantic vectors of abstracts, in place of "
        f"one to images; {settings_of(fitted['B'], 'B')}",
    )


def strangers(
    view: View,
    correctors: Mapping[Kind, HubnessCorrector],
    own: Mapping[str, Mapping[str, float]],
    others: Mapping[str, tuple[Float32, Float32]],
) -> Claim:
    """Claim 3: the settings are those that were chosen with banks of the own domain."""
    measured: dict[str, float] = {}
    held = []
    for name, (queries, items) in others.items():
        for kind in ("is", "dis", "dualis", "dualdis"):
            corrector = HubnessCorrector.from_dict(correctors[kind].to_dict())
            corrector.fit(queries, view.items, items if kind.startswith("dual") else None)
            values = judged(view, corrector)
            measured |= shown(f"{name}, {kind}", values, "R@1", "skewness")
            if kind in ("dis", "dualdis"):
                held.append(values["R@1"] >= own["raw"]["R@1"] - 0.005)
    return claim(
        3,
        INFO.claims[2],
        "R@1 of dis and dualdis >= raw - .005 with banks of other fields of computing, and of medicine",
        all(held),
        measured=measured,
        baseline=shown("raw", own["raw"], "R@1", "skewness"),
        note="settings as chosen with banks of the own domain",
    )


def additive(view: View, correctors: Mapping[Kind, HubnessCorrector]) -> Claim:
    """Claim 4: the ratios of the paper in double precision against the bias, and against longer vectors."""
    asked, items = normalise(view.queries[view.test][:200]), normalise(view.items)
    scores, bank = asked @ items.T, view.bank[:500]
    exact = asked.astype(np.float64) @ items.T.astype(np.float64)
    largest = {}
    for kind in ("is", "dualis", "dis", "dualdis"):
        corrector = HubnessCorrector.from_dict(correctors[kind].to_dict())
        banks = [
            (items[bank] if side else normalise(view.queries[bank])) for side in range(1 + kind.startswith("dual"))
        ]
        corrector.fit(banks[0], items, *banks[1:])
        betas = (corrector.beta, corrector.gallery_beta)[: len(banks)]
        wanted = ratios(exact, [bank.astype(np.float64) @ items.T for bank in banks], betas, dynamic="dis" in kind)
        nearest = scores.argmax(axis=1)
        longer = corrector.augment_queries(asked, nearest) @ corrector.augment_items(items).T
        for form, values in (("bias", corrector.transform(scores)), ("inner product", longer)):
            gaps = values - wanted
            # A factor a query is one number to add to the logarithms of its row.
            largest[f"{kind}, {form}"] = float(np.abs(gaps - np.median(gaps, axis=1, keepdims=True)).max())
    return claim(
        4,
        INFO.claims[3],
        "largest difference of corrected scores from the logarithm of the published ratio / (sum of betas) <= 1e-6",
        max(largest.values()) <= 1e-6,
        measured={name: 1e6 * value for name, value in largest.items()},
        note="in millionths; 200 queries, 500 vectors a bank",
    )


def ratios(scores: Float64, banks: Sequence[Float64], betas: Sequence[float], *, dynamic: bool) -> Float64:
    """Logarithm of the product of ``exp(beta S) / sum over the bank of exp(beta P)``, over the sum of betas.

    Where it is dynamic, the factor of a bank is ``exp(beta S)`` for queries that lead to no active item.
    """
    total = np.zeros(scores.shape)
    for bank, beta in zip(banks, betas, strict=True):
        factor = np.exp(beta * scores) / np.exp(beta * bank).sum(axis=0)
        if dynamic:
            active = np.isin(scores.argmax(axis=1), bank.argmax(axis=1))
            factor[~active] = np.exp(beta * scores[~active])
        total += np.log(factor)
    found: Float64 = total / sum(betas)
    return found
