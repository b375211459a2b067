"""How often the sentence that a search shows as its reason is the one that a person marked, or a query was made of.

python -m benchmarks.evidence
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.common import command, cost, write
from similia.encode import Side, TokenEncoder, load
from similia.evaluate import bootstrap_interval, datasets, paired_bootstrap
from similia.rank.locating import SHARES, By, Locator
from similia.rank.spans import sentence_spans
from similia.rank.stems import words
from similia.types import Dense, MultiVector, ragged

TRIED = (0.2, 0.4, 0.6, 0.8, 1.0)
ANSWERS = 100
"""Answers of MedQuAD, to choose on and again to measure on."""
SENTENCES = (6, 30)
"""At least and at most, of such an answer."""
BASELINE = "term overlap"
Float64 = npt.NDArray[np.float64]


class Case(NamedTuple):
    """A query, a text, and where the right sentences stand in it, beside all others."""

    query: str
    text: str
    right: list[tuple[int, int]]
    spans: list[tuple[int, int]]


class Remembering:
    """An encoder that makes each vector once, for the methods to be compared take the same sentences."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self.encoder = encoder
        self.name, self.dimension, self.fingerprint = encoder.name, encoder.dimension, encoder.fingerprint
        self._vectors: dict[tuple[str, Side], npt.NDArray[np.float32]] = {}
        self._tokens: dict[tuple[str, Side], npt.NDArray[np.float32]] = {}

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        new = [text for text in dict.fromkeys(items) if (text, side) not in self._vectors]
        for text, row in zip(new, self.encoder.encode(new, side=side).vectors, strict=True):
            self._vectors[text, side] = row
        return Dense(np.stack([self._vectors[text, side] for text in items]))

    def encode_tokens(self, items: Sequence[str], *, side: Side = "item") -> MultiVector:
        new = [text for text in dict.fromkeys(items) if (text, side) not in self._tokens]
        for text, rows in zip(new, self.encoder.encode_tokens(new, side=side), strict=True):
            self._tokens[text, side] = rows
        return ragged([self._tokens[text, side] for text in items], self.dimension)


def questions(split: str, seed: int = 0) -> list[Case]:
    """TREC-QA: the candidate sentences of a question, in random order, as the lines of one text."""
    data = datasets.load("trecqa", split=split)
    assert isinstance(data, datasets.RetrievalDataset)
    text_of = dict(zip(data.document_ids, data.documents, strict=True))
    random = np.random.default_rng(seed)
    cases = []
    for key, query in zip(data.query_ids, data.queries, strict=True):
        names = data.candidates(key)
        order = [names[place] for place in random.permutation(len(names))]
        lines = [" ".join(text_of[name].split()) for name in order]
        ends = np.cumsum([len(line) + 1 for line in lines])
        spans = [(int(end) - len(line) - 1, int(end) - 1) for end, line in zip(ends, lines, strict=True)]
        right = [span for span, name in zip(spans, order, strict=True) if data.qrels[key][name] > 0]
        if 0 < len(right) < len(spans):
            cases.append(Case(query, "\n".join(lines), right, spans))
    return cases


def answers(seed: int = 0) -> tuple[list[Case], list[Case], list[str]]:
    """MedQuAD: half of the words of a sentence as the query for it, to choose on and to measure on; and other answers.

    No page gives to both.
    """
    data = datasets.retrieval("medquad")
    random = np.random.default_rng(seed)
    cases: dict[str, Case] = {}
    rest = []
    for place in random.permutation(len(data.documents)).tolist():
        page, text = data.document_ids[place].partition("#")[0], data.documents[place]
        spans = list(sentence_spans(text))
        long = [span for span in spans if len(text[slice(*span)].split()) >= 8]
        if page in cases or len(cases) == 2 * ANSWERS or not SENTENCES[0] <= len(spans) <= SENTENCES[1] or not long:
            rest.append(text)
            continue
        span = long[int(random.integers(len(long)))]
        said = text[slice(*span)].split()
        kept = np.sort(random.choice(len(said), len(said) // 2, replace=False))
        cases[page] = Case(" ".join(said[word] for word in kept), text, [span], spans)
    made = list(cases.values())
    return made[:ANSWERS], made[ANSWERS:], rest[:3_000]


def idf_of(sentences: Iterable[str]) -> Mapping[str, float]:
    """ln(N / n) of each stem over sentences that are not measured on."""
    counts: Counter[str] = Counter()
    total = 0
    for sentence in sentences:
        total += 1
        counts.update({word.stem for word in words(sentence)})
    return {stem: math.log(total / n) for stem, n in counts.items()}


def named(cases: Sequence[Case], locator: Locator) -> Float64:
    """For each case, whether the best sentence is, or lies in, a right one."""
    right = np.zeros(len(cases))
    for place, case in enumerate(cases):
        best = locator.locate(case.query, [case.text], most=1)[0][0]
        right[place] = any(best.start < stop and best.stop > start for start, stop in case.right)
    return right


def chance(cases: Sequence[Case]) -> Float64:
    """The share of right sentences: what taking any of them finds on average."""
    return np.array([len(case.right) / len(case.spans) for case in cases])


def first(cases: Sequence[Case]) -> Float64:
    """Whether the first sentence is a right one."""
    return np.array([float(case.spans[0] in case.right) for case in cases])


def main() -> None:
    """Measure and write."""
    model = load("minilm")
    assert isinstance(model, TokenEncoder)
    encoder = Remembering(model)
    train, dev, test = (questions(split) for split in ("train", "dev", "test"))
    choose, measure, rest = answers()
    idf = {
        "TREC-QA": idf_of(case.text[slice(*span)] for case in train for span in case.spans),
        "MedQuAD": idf_of(text[slice(*span)] for text in rest for span in sentence_spans(text)),
    }
    chosen_on = {"TREC-QA": [*train, *dev], "MedQuAD": choose}
    measured_on = {"TREC-QA": test, "MedQuAD": measure}
    ways: tuple[By, ...] = ("vectors", "tokens")
    tried = {
        (by, share): [
            named(cases, Locator(encoder, idf[where], by, share)).mean() for where, cases in chosen_on.items()
        ]
        for by in ways
        for share in TRIED
    }
    methods: dict[str, Callable[[str], Locator]] = {
        BASELINE: lambda where: Locator(idf=lambda stem: 1.0),
        "idf overlap": lambda where: Locator(idf=idf[where]),
        "idf overlap, idf of the text itself": lambda where: Locator(),
        "sentence cosine": lambda where: Locator(encoder, by="vectors", share=1),
        "MaxSim of tokens": lambda where: Locator(encoder, by="tokens", share=1),
        "sentence cosine and idf overlap": lambda where: Locator(encoder, idf[where], by="vectors"),
        "MaxSim and idf overlap (default)": lambda where: Locator(encoder, idf[where]),
        "MaxSim and idf overlap, idf of the text itself": lambda where: Locator(encoder),
    }
    found = {"any sentence": {where: chance(cases) for where, cases in measured_on.items()},
             "the first sentence": {where: first(cases) for where, cases in measured_on.items()}}  # fmt: skip
    for name, make in methods.items():
        found[name] = {where: named(cases, make(where)) for where, cases in measured_on.items()}
    rows = []
    for name, values in found.items():
        row = {"method": name}
        for where, own in values.items():
            interval = bootstrap_interval(own)
            row[f"{where}, accuracy@1"] = f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
            gain = paired_bootstrap(own, found[BASELINE][where])
            against = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
            row[f"{where}, against term overlap"] = "" if name == BASELINE else against
        rows.append(row)
    listed = "; ".join(
        f"{by} {share:g}: {' and '.join(f'{value:.3f}' for value in values)}" for (by, share), values in tried.items()
    )
    shares = " and ".join(f"{SHARES[by]:g} by {by}" for by in ways)
    write(
        "evidence",
        "Evidence: is the sentence that is shown the one that was marked?",
        command("evidence"),
        rows,
        f"Accuracy of the best sentence, with 95 % bootstrap intervals over queries. TREC-QA: {len(test)} questions of"
        " the test part that have right and wrong candidate sentences, which in random order are one text; judges"
        f" marked the right ones. MedQuAD: {len(measure)} answers of {SENTENCES[0]} to {SENTENCES[1]} sentences; the"
        " query is half of the words of one of them, so that words in common are all but the definition."
        f" The share of likeness beside the words ({shares}) was chosen on {len(train) + len(dev)} questions of the"
        f" other parts and {len(choose)} other answers; accuracy there by share, TREC-QA and MedQuAD: {listed}."
        f" {speed(model, idf['MedQuAD'])}",
    )


def speed(encoder: TokenEncoder, idf: Mapping[str, float]) -> str:
    """What ten hits cost: abstracts of about eight sentences."""
    texts = [str(paper["abstract"]) for paper, _ in zip(datasets.records("papers_ir"), range(60), strict=False)]
    query = "recommendation of music to new listeners"
    Locator(encoder, idf).locate(query, texts[:10])  # opens the runtime
    spent = {}
    ways = {
        "by tokens": Locator(encoder, idf),
        "by vectors": Locator(encoder, idf, "vectors"),
        "by words": Locator(idf=idf),
    }
    for name, locator in ways.items():
        with cost() as spent[name]:
            for start in range(10, 60, 10):
                locator.locate(query, texts[start : start + 10])
    listed = ", ".join(f"{name} {1000 * one.wall / 5:,.0f} ms" for name, one in spent.items())
    count = sum(1 for text in texts[10:] for _ in sentence_spans(text)) / 5
    return f"Ten abstracts ({count:.0f} sentences) take: {listed} of wall time."


if __name__ == "__main__":
    main()
