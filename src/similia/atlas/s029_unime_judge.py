"""UniME-V2 on digits and text: a judge's grades filter hard negatives, serve as soft labels, and re-rank.

The judge of the paper is a multimodal language model of 7 billion parameters; here the pieces around it are proved with
judges that are at hand: a classifier for digits, and for medical questions whether focus and kind are the same. The
student is a perceptron on pixels, and a linear map of the bundled encoder's vectors. The listwise re-ranker runs where
the environment variable SIMILIA_TEST_PAIR_MODEL names the folder of a pair model. The quick sample takes one seed, 150
steps and 60 foci.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from similia.atlas.answer_sentences import Candidates, judged_sentences
from similia.atlas.attribute_queries import Parts, sample
from similia.atlas.judged_training import (
    MARGIN,
    POOL,
    Float64,
    K,
    Network,
    as_chosen,
    batches,
    fit,
    hardest,
    map_at_r,
    mined,
    unfiltered,
)
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.encode.pairs import load_pair
from similia.errors import InputError
from similia.evaluate import paired_bootstrap
from similia.index import ExactIndex
from similia.rank.judging import PairJudge, align_distributions, cyclic, judge_report, mine_negatives
from similia.rank.stages import rerank_by_judge
from similia.types import Int64

INFO = SystemInfo(
    number=29,
    name="UniME-V2",
    title="A judge's grades of retrieved candidates clean the hard negatives, soften the labels and re-rank",
    paper="Gu, Yang, Zhang, An, Feng, Zhang, Cai, Deng and Bing, UniME-V2: MLLM-as-a-Judge for Universal Multimodal "
    "Embedding Learning (AAAI 2026, arXiv 2510.13515)",
    status="partial: mining, losses and re-ranking on digits and text; no multimodal model is trained",
    rooms=("encode", "index", "rank", "evaluate"),
    claims=(
        "Filter, cyclic order, fill-up and fallback are as published; the loss is 0 at the judge's view, and symmetric",
        "Hard negatives that the judge cleaned teach far more than all of them, which hurt",
        "Soft labels do as well as one-hot ones where positives are unique in meaning",
        "On questions and answers, cleaned hard negatives beat random ones",
        "Where several answers share the focus, soft labels rank them better than one-hot ones",
        "A judge of no worth is recognised before training, and training with it is worse than random negatives",
        "A real pair model that re-ranks the top raises P@1",
    ),
    data=("medquad_pairs", "trecqa"),
)
VARIABLE = "SIMILIA_TEST_PAIR_MODEL"
TEMPLATE = "Query: {left}\nSentence: {right}"
WORDS = 60
RATE, BATCH, EPOCHS = 1e-3, 64, (1, 2, 4)


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    seeds = range(settings.seed, settings.seed + (1 if settings.quick else 3))
    digits = [on_digits(seed, 150 if settings.quick else 500) for seed in seeds] if sklearn() else []
    text = on_text(settings)
    return [
        exact(),
        cleaned(digits),
        soft(digits),
        text_cleaned(text),
        text_soft(text),
        worthless(digits, text),
        reranked(settings, text),
    ]


def sklearn() -> bool:
    """Whether the digits and the classifier are there."""
    try:
        import sklearn.datasets  # noqa: F401
    except ImportError:
        return False
    return True


# -- A: the pieces by hand


def exact() -> Claim:
    """Claim 1."""
    similarities = [[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]]
    grades = [[0.70, 0.66, 0.10, 0.30, 0.20, 0.05]]
    kept = mine_negatives(similarities, grades, [0.72], margin=MARGIN, step=2, k=4)
    few = mine_negatives(similarities, grades, [0.2], margin=MARGIN, k=4)
    none = mine_negatives(similarities, [[0.9] * 6], [0.72], margin=MARGIN, k=4)
    random = np.random.default_rng(0)
    own, given = random.random((5, 9)), random.random((5, 9))
    at_judge, slope = align_distributions(own, own + 0.3)
    forth, back = align_distributions(own, given)[0], align_distributions(given, own)[0]
    checks = {
        "cyclic order of 50 by 5": cyclic(50, 5)[:10].tolist() == list(range(0, 50, 5)),
        "filter and fill-up": kept.places.tolist() == [[1, 3, 5, 2]] and kept.removed.tolist() == [1],
        "few are taken again": few.places.tolist() == [[2, 5, 2, 5]],
        "none left": none.fallback.tolist() == [True] and (none.grades == 1.0).all(),
        "loss 0 up to a constant": at_judge < 1e-12 and bool(np.abs(slope).max() < 1e-9),
        "symmetric": abs(forth - back) < 1e-12,
    }
    return claim(
        1,
        INFO.claims[0],
        "each of six checks on hand-made scores holds exactly",
        all(checks.values()),
        measured={name: float(held) for name, held in checks.items()},
        note="the loss is the mean of both Kullback-Leibler divergences; the gradient is of the student only",
    )


# -- B: digits


def on_digits(seed: int, steps: int) -> dict[str, float]:
    """MAP@R on test digits of each way to choose negatives and labels, and the quality of the judges."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(seed)
    pixels, classes = load_digits(return_X_y=True)
    order = random.permutation(len(pixels))
    train, test = order[:1_000], order[1_000:]
    inputs = (pixels / 16).astype(np.float64)
    units = inputs / np.linalg.norm(inputs, axis=1, keepdims=True)
    x, y = inputs[train], classes[train].astype(np.int64)
    told = LogisticRegression(max_iter=2_000).fit(x, y).predict_proba(x)
    judge = told @ told.T
    gold = np.array(
        [random.choice(np.flatnonzero((y == label) & (np.arange(len(y)) != i))) for i, label in enumerate(y)]
    )
    places, similar = hardest(units[train], units[train], POOL, lambda i: (i, int(gold[i])))
    rows = np.arange(len(x))
    guessed = random.random(judge.shape)
    by = {
        "judged": mined(similar, places, judge, gold, seed),
        "unfiltered": unfiltered(places, judge),
        "random judge": mined(similar, places, guessed, gold, seed),
        "random": as_chosen(random.integers(0, len(x), (len(x), K)), judge),
    }
    found = {"raw": map_at_r(units[test], classes[test])}
    for name, labels, grades in (
        ("unfiltered", "one-hot", judge),
        ("random", "one-hot", judge),
        ("judged", "one-hot", judge),
        ("judged", "soft", judge),
        ("random judge", "one-hot", guessed),
        ("random judge", "soft", guessed),
    ):
        network = Network.random((64, 128, 32), RATE, np.random.default_rng(seed))
        candidates = np.hstack([gold[:, None], by[name].places])
        whole = np.hstack([grades[rows, gold][:, None], by[name].grades])
        for batch in batches(len(x), BATCH, steps, np.random.default_rng(seed)):
            fit(network, x[batch], x[candidates[batch]], whole[batch], labels)
        found[f"{name}, {labels}"] = map_at_r(network(inputs[test]), classes[test])
    for name, grades in (("judge", judge), ("random judge", guessed)):
        wrong = np.array([random.choice(np.flatnonzero(y != label), K) for label in y])
        found[f"AUC, {name}"] = judge_report(grades[rows, gold], np.take_along_axis(grades, wrong, axis=1)).auc
    found["false negatives in the pool"] = float((y[places] == y[:, None]).mean())
    return found


def mean(runs: list[dict[str, float]], *names: str) -> dict[str, float]:
    """The mean over runs of each number."""
    return {name: float(np.mean([run[name] for run in runs])) for name in names}


def cleaned(runs: list[dict[str, float]]) -> Claim:
    """Claim 2."""
    threshold = "MAP@R of judged negatives >= of unfiltered + .3 and > raw pixels + .2; one-hot labels, mean of seeds"
    if not runs:
        return claim(2, INFO.claims[1], threshold, None, note="scikit-learn is not installed")
    at = mean(runs, "judged, one-hot", "unfiltered, one-hot", "raw", "random, one-hot", "false negatives in the pool")
    return claim(
        2,
        INFO.claims[1],
        threshold,
        at["judged, one-hot"] >= at["unfiltered, one-hot"] + 0.3 and at["judged, one-hot"] > at["raw"] + 0.2,
        measured={"judged, one-hot": at.pop("judged, one-hot")},
        baseline=at,
    )


def soft(runs: list[dict[str, float]]) -> Claim:
    """Claim 3."""
    threshold = "MAP@R of soft labels within .03 of one-hot ones, both with judged negatives"
    if not runs:
        return claim(3, INFO.claims[2], threshold, None, note="scikit-learn is not installed")
    at = mean(runs, "judged, soft", "judged, one-hot")
    return claim(
        3,
        INFO.claims[2],
        threshold,
        abs(at["judged, soft"] - at["judged, one-hot"]) <= 0.03,
        measured={"soft": at["judged, soft"]},
        baseline={"one-hot": at["judged, one-hot"]},
    )


# -- C: questions and answers


def on_text(settings: Settings) -> dict[str, Any]:
    """R@1 and graded nDCG@10 on foci that were not trained on, of each way; and what the re-ranker needs."""
    random = np.random.default_rng(settings.seed)
    items, splits = sample(60 if settings.quick else 1_200, random)
    model = load("minilm")
    answers = encode(model, [" ".join(i["text"].split()[:WORDS]) for i in items], progress=settings.progress)
    asked = encode(model, [i["question"] for i in items], side="query", progress=settings.progress)
    y, x = answers.astype(np.float64), asked.astype(np.float64)
    train, validation, test = (np.array([n for n, i in enumerate(items) if i["focus"] in foci]) for foci in splits)
    judge = same(items, train)
    places, similar = hardest(x[train], y[train], min(POOL, len(train) - 2), lambda i: (i,))
    rows = np.arange(len(train))
    guessed = random.random(judge.shape)
    by = {
        "random": (as_chosen(random.integers(0, len(train), (len(train), K)), judge), judge),
        "unfiltered": (unfiltered(places, judge), judge),
        "judged": (mined(similar, places, judge, rows, settings.seed), judge),
        "random judge": (mined(similar, places, guessed, rows, settings.seed), guessed),
    }
    found: dict[str, Any] = {"raw": quality(np.eye(x.shape[1]), x, y, items, test)}
    ways = [(name, "one-hot") for name in by] + [("judged", "soft"), ("random judge", "soft")]
    for name, labels in ways:
        negatives, grades = by[name]
        candidates = np.hstack([rows[:, None], negatives.places])
        whole = np.hstack([grades[rows, rows][:, None], negatives.grades])
        network = Network([np.eye(x.shape[1])], RATE)
        best, chosen, done = -1.0, np.eye(x.shape[1]), 0
        draws = np.random.default_rng(settings.seed)
        for epochs in EPOCHS:
            steps = (epochs - done) * max(1, len(train) // BATCH)
            for batch in batches(len(train), BATCH, steps, draws):
                fit(network, x[train][batch], y[train][candidates[batch]], whole[batch], labels)
            done = epochs
            held = quality(network.layers[0], x, y, items, validation)["R@1"]
            if held > best:
                best, chosen = held, network.layers[0].copy()
        found[f"{name}, {labels}"] = quality(chosen, x, y, items, test)
    wrong = random.integers(0, len(train), (len(train), K))
    for name, grades in (("judge", judge), ("random judge", guessed)):
        found[f"AUC, {name}"] = judge_report(grades[rows, rows], np.take_along_axis(grades, wrong, axis=1)).auc
    return {**found, "items": items, "test": test, "asked": asked, "answers": answers}


def same(items: list[Parts], of: Int64) -> Float64:
    """The judge: 1 where focus and kind are the same, .6 for the focus alone, .2 for the kind alone, else 0."""
    focus, kind = (np.array([items[i][name] for i in of]) for name in ("focus", "kind"))
    about, alike = focus[:, None] == focus[None], kind[:, None] == kind[None]
    grades: Float64 = 0.6 * about + 0.2 * alike + 0.2 * (about & alike)
    return grades


def quality(weights: Float64, x: Float64, y: Float64, items: list[Parts], of: Int64) -> dict[str, float]:
    """Questions of some items against all answers: R@1, and nDCG@10 with 3 for focus and kind, 1 for the focus."""
    hits = ExactIndex((y @ weights).astype(np.float32)).search((x[of] @ weights).astype(np.float32), 10)
    focus, kind = (np.array([item[name] for item in items]) for name in ("focus", "kind"))
    discount = 1 / np.log2(np.arange(2, 12))
    right, gains = [], []
    for question, ids in zip(of.tolist(), hits.ids, strict=True):
        about = focus == focus[question]
        grades = about * (1 + 2.0 * (kind == kind[question]))
        ideal = np.sort(grades)[::-1][:10]
        gains.append(float(grades[ids] @ discount / (ideal @ discount[: len(ideal)])))
        right.append(bool(ids[0] == question))
    return {"R@1": float(np.mean(right)), "nDCG@10": float(np.mean(gains))}


def numbers(text: Mapping[str, Any], measure: str) -> dict[str, float]:
    """One measure of every way."""
    return {name: values[measure] for name, values in text.items() if isinstance(values, dict)}


def text_cleaned(text: Mapping[str, Any]) -> Claim:
    """Claim 4."""
    at = numbers(text, "R@1")
    return claim(
        4,
        INFO.claims[3],
        "R@1 of judged negatives >= of random ones + .01, one-hot labels, on unseen foci",
        at["judged, one-hot"] >= at["random, one-hot"] + 0.01,
        measured={name: at[name] for name in ("judged, one-hot", "judged, soft")},
        baseline={name: at[name] for name in ("random, one-hot", "unfiltered, one-hot", "raw")},
        note=f"{len(text['test']):,} questions against {len(text['items']):,} answers of {WORDS} words at most; the "
        "number of epochs is chosen on other foci",
    )


def text_soft(text: Mapping[str, Any]) -> Claim:
    """Claim 5."""
    at = numbers(text, "nDCG@10")
    return claim(
        5,
        INFO.claims[4],
        "graded nDCG@10 of soft labels >= of one-hot ones + .01, both with judged negatives, on unseen foci",
        at["judged, soft"] >= at["judged, one-hot"] + 0.01,
        measured={"judged, soft": at["judged, soft"]},
        baseline={name: at[name] for name in ("judged, one-hot", "random, one-hot", "unfiltered, one-hot", "raw")},
        note="grade 3 for an answer of the focus and kind, 1 for one of the focus",
    )


# -- D: a judge of low quality


def worthless(runs: list[dict[str, float]], text: Mapping[str, Any]) -> Claim:
    """Claim 6."""
    report = judge_report(np.random.default_rng(0).random(1_000), np.random.default_rng(1).random((1_000, K)))
    try:
        report.require()
        refused = False
    except InputError:
        refused = True
    areas = {f"text, {name}": text[name] for name in ("AUC, judge", "AUC, random judge")}
    results = {"text, R@1": (text["random judge, soft"]["R@1"], text["random, one-hot"]["R@1"])}
    if runs:
        at = mean(runs, "AUC, judge", "AUC, random judge", "random judge, soft", "random, one-hot")
        areas |= {f"digits, {name}": at[name] for name in ("AUC, judge", "AUC, random judge")}
        results["digits, MAP@R"] = (at["random judge, soft"], at["random, one-hot"])
    told = all((value >= 0.7) != ("random" in name) for name, value in areas.items())
    return claim(
        6,
        INFO.claims[5],
        "AUC below .7, and refused, for random grades, above for the judges; MAP@R on digits and R@1 on text after "
        "training with random grades below those of random negatives",
        refused and told and all(bad < plain for bad, plain in results.values()),
        measured={**areas, **{f"random judge, {name}": bad for name, (bad, _) in results.items()}},
        baseline={f"random negatives, {name}": plain for name, (_, plain) in results.items()},
        note="" if runs else "scikit-learn is not installed: text only",
    )


# -- the listwise re-ranker


def reranked(settings: Settings, text: Mapping[str, Any]) -> Claim:
    """Claim 7."""
    threshold = "P@1 after re-ranking the top 10 >= before + .01, for TREC-QA's candidates and for medical answers"
    folder = os.environ.get(VARIABLE)
    if not folder:
        return claim(7, INFO.claims[6], threshold, None, note=f"{VARIABLE} names no pair model")
    judge = PairJudge(load_pair(folder, template=os.environ.get(f"{VARIABLE}_TEMPLATE", TEMPLATE), progress=False))
    measured: dict[str, float] = {}
    baseline: dict[str, float] = {}
    for name, (queries, hits, texts, right) in {
        "TREC-QA": judged_sentences(settings.progress),
        "medical": candidates_of_medquad(text, 20 if settings.quick else 150),
    }.items():
        stage = rerank_by_judge(judge, queries, hits, texts, by="grade", top=10, progress=settings.progress)
        before, after = (
            np.array([float(int(ids[0]) in answers) for ids, answers in zip(order.ids, right, strict=True)])
            for order in (hits, stage.hits)
        )
        gain = paired_bootstrap(after, before)
        measured |= {f"{name}: P@1": after.mean(), f"{name}: gain, low": gain.low, f"{name}: gain, high": gain.high}
        measured[f"{name}: milliseconds a query"] = stage.tally.milliseconds / len(queries)
        baseline[f"{name}: P@1"] = before.mean()
    return claim(
        7,
        INFO.claims[6],
        threshold,
        all(measured[name] >= before + 0.01 for name, before in baseline.items()),
        measured=measured,
        baseline=baseline,
        note=f"pair model {judge.fingerprint[:16]}, which was not made for these data",
    )


def candidates_of_medquad(text: Mapping[str, Any], count: int) -> Candidates:
    """Questions of unseen foci, with the nearest answers by cosine; right are those of the focus and kind."""
    items, chosen = text["items"], text["test"][:count]
    hits = ExactIndex(text["answers"]).search(text["asked"][chosen], 10)
    right = [
        frozenset(n for n, i in enumerate(items) if (i["focus"], i["kind"]) == (items[q]["focus"], items[q]["kind"]))
        for q in chosen.tolist()
    ]
    texts = {n: " ".join(i["text"].split()[:WORDS]) for n, i in enumerate(items)}
    return [items[q]["question"] for q in chosen.tolist()], hits, texts, right
