"""CoTRR on text: a query is taken apart, each candidate is looked at for each part, and the list is ranked at once.

Published for images and a multimodal language model, neither of which is at hand; what is run is the claim behind it,
with judges whose errors are under control. Items are answers of MedQuAD; a query asks for a focus and one to three of
kind of question, site and length, in words. The first stage is the cosine of the bundled encoder between the query and
the first 60 words of an answer; ten candidates are judged by their metadata, each decision about a part being wrong
with probability eta. Foci are split: half to train classifiers, a sixth to fit, a third to test. A second text version
re-ranks the candidate sentences of TREC-QA by rules. The quick sample takes 60 foci.
"""

from __future__ import annotations

import hashlib
import json
import random as plain
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.atlas.answer_sentences import judged_sentences, question_parts, sentence_meets
from similia.atlas.attribute_queries import Parts, Task, answers, queries, sample
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.rank.judging import AspectJudge, Judge, robust_permutation
from similia.rank.stages import rerank_by_judge
from similia.types import Float32, Hits

INFO = SystemInfo(
    number=107,
    name="CoTRR",
    title="A judge takes the query apart, looks at each candidate for each part, and ranks the list in one call",
    paper="Wu, Zhou, Chen, Zhang and Mok, Chain-of-Thought Re-ranking for Image Retrieval Tasks (arXiv 2509.14746, "
    "2025)",
    status="partial: on text, with judges by rules and classifiers; images, composed and dialogue queries are not run",
    rooms=("encode", "index", "rank", "evaluate"),
    claims=(
        "Parts of the query, judged and compared in a list, beat yes or no for each item, and the first stage by far",
        "The gain shrinks with the judge's noise, and pure noise does no harm to verdicts tied to the first stage",
        "A judge that sees only the text, by small classifiers, beats the first stage",
        "No candidate is lost",
        "Whatever a judge writes becomes a valid order",
        "Sentences that answer a question of TREC-QA: parts of the question by rules do as well as the first stage",
    ),
    data=("medquad_pairs", "trecqa"),
)
TOP = 10
WORDS = 60
NOISES = (0.0, 0.1, 0.2, 0.3, 0.5)
Float64: TypeAlias = npt.NDArray[np.float64]


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    random = np.random.default_rng(settings.seed)
    items, splits = sample(60 if settings.quick else 1_200, random)
    model = load("minilm")
    vectors = encode(model, [" ".join(i["text"].split()[:WORDS]) for i in items], progress=settings.progress)
    train, fit, test = ([n for n, i in enumerate(items) if i["focus"] in foci] for foci in splits)
    count = 30 if settings.quick else 600
    tasks = [queries(items, vectors, own, count, random) for own in (fit, test)]
    judged = {eta: listed(tasks[1], eta, settings.seed) for eta in NOISES}
    return [
        listwise(tasks[1], judged),
        noise(tasks, judged, settings.seed),
        classifiers(tasks[1], items, vectors, train),
        nothing_lost(tasks[1], judged),
        fuzzed(settings.seed),
        sentences(settings),
    ]


# -- judges; an item is shown to them by its number


def noisy(task: Task, eta: float, seed: int) -> Callable[[str, str, str], float]:
    """Whether an item has an attribute, wrong with probability eta; the same question has the same answer."""

    def meets(item: str, name: str, asked: str) -> float:
        truth = task.items[int(item)][name] == asked
        return float(truth ^ (chance(seed, eta, item, name, asked) < eta))

    return meets


def chance(*key: object) -> float:
    """A number in 0 to 1 that depends on the key alone."""
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:7], "big") / 256**7


@dataclass(frozen=True)
class YesNo:
    """The verifier of single items: yes or no to the whole query, ties by the first stage.

    ``whole`` decides once, wrong with probability eta; otherwise it says yes where every noisy part is met.
    """

    task: Task
    eta: float
    seed: int
    whole: bool
    name: str = "yes or no"
    fingerprint: str = ""

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """1 for yes, 0 for no."""
        asked, meets = self.task.parts[query], noisy(self.task, self.eta, self.seed)
        if not self.whole:
            return np.array([min(meets(item, name, value) for name, value in asked.items()) for item in items])
        right = answers(self.task.items, asked)
        return np.array(
            [float((int(i) in right) ^ (chance(self.seed, self.eta, i, query) < self.eta)) for i in items], np.float64
        )

    def order(self, query: str, items: Sequence[str]) -> list[int]:
        """By grade."""
        return [int(place) for place in np.argsort(-self.grade(query, items), kind="stable")]


def listed(task: Task, eta: float, seed: int) -> dict[str, Hits]:
    """The hits in the order of each judge."""
    judges: dict[str, Judge] = {
        "parts, compared": AspectJudge(task.parts.__getitem__, noisy(task, eta, seed)),
        "parts, summed": AspectJudge(task.parts.__getitem__, noisy(task, eta, seed), compare=False),
        "yes or no": YesNo(task, eta, seed, whole=True),
        "yes or no, every part": YesNo(task, eta, seed, whole=False),
    }
    return {name: by(judge, task) for name, judge in judges.items()}


def by(judge: Judge, task: Task) -> Hits:
    """The hits as a judge orders their top; every query must have been judged."""
    stage = rerank_by_judge(judge, task.queries, task.hits, str, top=TOP, progress=False)
    if not stage.judged.all():
        raise RuntimeError(f"{judge.name} failed: {stage.errors}")
    return stage.hits


@dataclass(frozen=True, eq=False)
class Tied:
    """Verdicts as evidence beside the rank of the first stage, both weighed on other queries.

    An item's score is the log of how often its rank held a right item, and for each part the log-likelihood ratio of
    being found met (or not) among right items and others. A judge of pure noise has ratios of about 0.
    """

    ranks: Float64
    met: Mapping[str, tuple[float, float]]

    @classmethod
    def fit(cls, task: Task, meets: Callable[[str, str, str], float]) -> Tied:
        """Count on a task with known answers; one is added to each count."""
        ranks = np.ones(TOP)
        table: dict[str, Float64] = {}
        for query, ids, right in zip(task.queries, task.hits.ids[:, :TOP].tolist(), task.right, strict=True):
            for rank, item in enumerate(ids):
                ranks[rank] += item in right
                for name, value in task.parts[query].items():
                    counts = table.setdefault(name, np.ones((2, 2)))
                    counts[int(item in right), int(meets(str(item), name, value))] += 1
        shares = {name: counts / counts.sum(axis=1, keepdims=True) for name, counts in table.items()}
        met = {name: tuple(np.log(share[1] / share[0]).tolist()) for name, share in shares.items()}
        return cls(np.log(ranks / ranks.sum()), met)

    def rerank(self, task: Task, meets: Callable[[str, str, str], float]) -> Hits:
        """The top in order of the posterior."""
        ids = task.hits.ids.copy()
        for row, query in enumerate(task.queries):
            shown = ids[row, :TOP].copy()
            scores = self.ranks[: len(shown)].copy()
            for rank, item in enumerate(shown.tolist()):
                for name, value in task.parts[query].items():
                    scores[rank] += self.met.get(name, (0.0, 0.0))[int(meets(str(item), name, value))]
            ids[row, :TOP] = shown[np.argsort(-scores, kind="stable")]
        return Hits(ids, task.hits.scores)


# -- claims


def listwise(task: Task, judged: Mapping[float, Mapping[str, Hits]]) -> Claim:
    """Claim 1."""
    at = {name: task.recall(hits, 1) for name, hits in judged[0.1].items()}
    first = task.recall(task.hits, 1)
    rival = max(at["yes or no"], at["yes or no, every part"])
    return claim(
        1,
        INFO.claims[0],
        "R@1 at eta .1 >= the better yes-or-no judge + .05, and >= the first stage + .15",
        at["parts, compared"] >= rival + 0.05 and at["parts, compared"] >= first + 0.15,
        measured={"parts, compared": at["parts, compared"]},
        baseline={**{n: v for n, v in at.items() if n != "parts, compared"}, "first stage": first},
        note=f"{len(task.queries)} queries over {len(task.items):,} answers; a yes or no is one decision that is wrong "
        "with probability eta, or yes to every part by the same noisy decisions",
    )


def noise(tasks: Sequence[Task], judged: Mapping[float, Mapping[str, Hits]], seed: int) -> Claim:
    """Claim 2."""
    fitting, task = tasks
    first = task.recall(task.hits, 1)
    gains = {eta: task.recall(judged[eta]["parts, compared"], 1) - first for eta in NOISES}
    tied = {}
    for eta in NOISES:
        fitted = Tied.fit(fitting, noisy(fitting, eta, seed))
        tied[eta] = task.recall(fitted.rerank(task, noisy(task, eta, seed + 1)), 1) - first
    steps = [gains[eta] for eta in NOISES[:4]]
    return claim(
        2,
        INFO.claims[1],
        "gain in R@1 falls at each step of eta 0, .1, .2, .3; at .5 verdicts tied to the first stage lose at most .02",
        all(a > b for a, b in pairwise(steps)) and tied[0.5] >= -0.02,
        measured={
            **{f"gain, eta {eta}": gain for eta, gain in gains.items()},
            **{f"gain, eta {eta}, tied": gain for eta, gain in tied.items()},
        },
        baseline={"first stage": first},
        note="tied: weights of ranks and verdicts from queries of other foci; without it pure noise replaces the order",
    )


def classifiers(task: Task, items: Sequence[Parts], vectors: Float32, train: Sequence[int]) -> Claim:
    """Claim 3: least-squares classifiers of kind and site, the words of the focus, and the length as it is."""
    scores = {name: ridge(vectors, [items[i][name] for i in train], train) for name in ("kind", "site")}

    def meets(item: str, name: str, asked: str) -> float:
        own = items[int(item)]
        if name == "focus":
            wanted, text = {*re.findall(r"\w+", asked.lower())}, {*re.findall(r"\w+", own["text"].lower())}
            return len(wanted & text) / max(1, len(wanted))
        if name == "length":
            return float(own["length"] == asked)
        by_class = scores[name]
        return float(np.clip(by_class[asked][int(item)], 0, 1)) if asked in by_class else 0.0

    found = task.recall(by(AspectJudge(task.parts.__getitem__, meets), task), 1)
    first = task.recall(task.hits, 1)
    right = [
        max(scores["kind"], key=lambda name: scores["kind"][name][i]) == items[i]["kind"] for i in unseen(items, train)
    ]
    return claim(
        3,
        INFO.claims[2],
        "R@1 >= the first stage + .05",
        found >= first + 0.05,
        measured={"R@1": found, "kind told right": float(np.mean(right))},
        baseline={"first stage": first},
        note="the judge reads the text of an answer, never its metadata",
    )


def unseen(items: Sequence[Parts], train: Sequence[int]) -> list[int]:
    """The items that are not trained on."""
    return sorted({*range(len(items))} - {*train})


def ridge(vectors: Float32, labels: Sequence[str], train: Sequence[int], strength: float = 1.0) -> dict[str, Float64]:
    """For each class, a linear estimate of belonging to it, for all vectors; near 1 where they do."""
    classes = sorted({*labels})
    inputs = np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])
    known = inputs[list(train)]
    truth = np.array([[float(label == name) for name in classes] for label in labels])
    weights = np.linalg.solve(known.T @ known + strength * np.eye(known.shape[1]), known.T @ truth)
    return dict(zip(classes, (inputs @ weights).T, strict=True))


def nothing_lost(task: Task, judged: Mapping[float, Mapping[str, Hits]]) -> Claim:
    """Claim 4."""
    before = task.recall(task.hits, TOP)
    everything = [hits for orders in judged.values() for hits in orders.values()]
    same = all(
        (np.sort(hits.ids[:, :TOP]) == np.sort(task.hits.ids[:, :TOP])).all()
        and (hits.ids[:, TOP:] == task.hits.ids[:, TOP:]).all()
        for hits in everything
    )
    after = [task.recall(hits, TOP) for hits in everything]
    return claim(
        4,
        INFO.claims[3],
        "the same ten candidates after as before, the rest in their places, R@10 equal, for every judge and noise",
        same and all(value == before for value in after),
        measured={"R@10, least": min(after), "R@10, most": max(after)},
        baseline={"R@10 of the first stage": before},
    )


def fuzzed(seed: int) -> Claim:
    """Claim 5."""
    valid = kept = 0
    for number in range(1_000):
        random = plain.Random(seed * 1_000 + number)  # noqa: S311
        n = random.randrange(1, 21)
        text, usable = broken(random, n)
        order = robust_permutation(text, n)
        valid += sorted(order) == list(range(n))
        kept += usable or order == list(range(n))
    return claim(
        5,
        INFO.claims[4],
        "1,000 malformed replies: 1,000 permutations, and the items' own order where nothing is usable",
        valid == kept == 1_000,
        measured={"valid": valid, "usable or in the items' own order": kept},
    )


def broken(random: plain.Random, n: int) -> tuple[str, bool]:
    """A malformed reply, and whether it may hold something usable."""
    numbers = [random.randrange(1, n + 1) for _ in range(random.randrange(1, 2 * n + 1))]
    outside = [random.choice([0, -1, n + 1, 10**30, n + 0.5]) for _ in range(3)]
    letters = "".join(random.choices('abc {}[]",:.\n', k=random.randrange(60)))
    whole = json.dumps({"ranking": numbers})
    kinds: list[tuple[str, bool]] = [
        (letters, False),
        ("", False),
        (json.dumps({"ranking": outside}), False),
        (json.dumps({"ranking": []}), False),
        (json.dumps({"ranking": [[float(x) for x in numbers]]}), True),
        (whole[: random.randrange(len(whole))], True),
        (json.dumps({"ranking": outside + numbers + numbers}), True),
        (f"{letters}{json.dumps({'a': {'b': [{'top_indices': [str(x) for x in numbers]}]}})}{letters}", True),
        (f"As numbers: {', '.join(map(str, numbers))}", False),
        ("[" * 3_000 + whole, True),
    ]
    return random.choice(kinds)


# -- TREC-QA


def sentences(settings: Settings) -> Claim:
    """Claim 6."""
    asked, hits, texts, right = judged_sentences(settings.progress)
    judge = AspectJudge(question_parts, sentence_meets)
    stage = rerank_by_judge(judge, asked, hits, texts, top=hits.k, progress=False)
    before, after = (
        float(np.mean([1 / (1 + np.isin(ids, [*good]).argmax()) for ids, good in zip(each.ids, right, strict=True)]))
        for each in (hits, stage.hits)
    )
    return claim(
        6,
        INFO.claims[5],
        "MRR of the candidate sentences >= that of the first stage, on the test part",
        after >= before,
        measured={"parts, compared": after},
        baseline={"first stage": before},
        note=f"{len(asked)} questions with right and wrong candidates",
    )
