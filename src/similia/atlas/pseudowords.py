"""Words with two known senses: pairs of unrelated words, written as one (Gale, Church and Yarowsky 1992)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from similia.encode.skipgram import context_vectors, occurrences, sense_logits
from similia.encode.wordsenses import DisambiguatedSkipGram
from similia.types import Float32, Int64

TOKEN = re.compile(r"[^\W\d_]{2,}|\d+")
NUMBER = "NUMBER"
FREQUENT = 0.15
"""Words that stand in more of the texts than this are left out, as stop words are."""


class PseudoWord(NamedTuple):
    """Two words that are written as one."""

    name: str
    sources: tuple[str, str]


def sentences(texts: Iterable[str]) -> list[list[str]]:
    """One list of words a text, lower-cased, numbers as NUMBER, without words that stand in too many texts.

    Examples:
        >>> sentences(["The cats", "The dogs", "The end", "The sun", "The moon", "The 7", "The sky"])[0]
        ['cats']
    """
    split = [[NUMBER if token.isdigit() else token for token in TOKEN.findall(text.lower())] for text in texts]
    standing = Counter(word for words in split for word in {*words})
    return [[word for word in words if standing[word] <= FREQUENT * len(split)] for words in split]


def merged(
    texts: Sequence[Sequence[str]],
    pairs: int,
    seed: int,
    *,
    first: int = 800,
    like: float = 2.0,
    again: float = 1.3,
    share: float = 0.25,
) -> tuple[list[list[str]], list[PseudoWord]]:
    """Merge pairs of frequent words that seldom share a text; which word it was stays known from ``texts``.

    Args:
        texts: lists of words.
        pairs: how many pseudo-words to make.
        seed: which words are paired.
        first: the words are taken from so many of the most frequent.
        like: the more frequent word of a pair is at most so many times as frequent.
        again: how often a word must stand in a text that has it, in the mean: what a text is about is repeated, while
            words such as "improves" stand in any context.
        share: the texts that have both are at most this share of those that would by chance.
    """
    counts = Counter(word for words in texts for word in words)
    frequent = [word for word, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))][:first]
    standing: dict[str, set[int]] = {word: set() for word in frequent if word != NUMBER}
    for place, words in enumerate(texts):
        for word in standing.keys() & {*words}:
            standing[word].add(place)
    order = [word for word, within in standing.items() if counts[word] >= again * len(within)]
    np.random.default_rng(seed).shuffle(order)
    made: list[PseudoWord] = []
    used: set[str] = set()
    for place, a in enumerate(order):
        for b in order[place + 1 :]:
            if {a, b} & used or len(made) == pairs:
                continue
            chance = len(standing[a]) * len(standing[b]) / len(texts)
            near = 1 / like <= counts[a] / counts[b] <= like
            if near and len(standing[a] & standing[b]) <= share * chance:
                made.append(PseudoWord(f"{a}_{b}", (a, b)))
                used |= {a, b}
    names = {source: word.name for word in made for source in word.sources}
    return [[names.get(word, word) for word in words] for words in texts], made


def rand_index(a: Sequence[int] | Int64, b: Sequence[int] | Int64) -> float:
    """The adjusted Rand index of two partitions (Hubert and Arabie 1985): 1 the same, 0 as by chance.

    Examples:
        >>> rand_index([0, 0, 1, 1], [5, 5, 3, 3]), round(rand_index([0, 0, 1, 1], [0, 1, 0, 1]), 2)
        (1.0, -0.5)
    """
    rows, columns = (np.unique(np.asarray(each), return_inverse=True)[1] for each in (a, b))
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    both, left, right, every = (
        float((n * (n - 1) / 2).sum()) for n in (table, table.sum(1), table.sum(0), table.sum(keepdims=True))
    )
    expected = left * right / every
    most = (left + right) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def grouped(vectors: Float32, groups: int, seed: int) -> Int64:
    """K-means over directions: the group of each vector (n,)."""
    from scipy.cluster.vq import kmeans2

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float64)
    return np.asarray(kmeans2(rows, groups, iter=30, minit="++", seed=seed, missing="warn")[1], np.int64)


def judged_senses(
    model: DisambiguatedSkipGram,
    plain: Sequence[Sequence[str]],
    given: Sequence[Sequence[str]],
    made: Sequence[PseudoWord],
    seed: int,
) -> dict[str, float]:
    """Each occurrence of a pseudo-word gets its most likely sense that was not pruned."""
    rows = model.words_
    known = [
        [(rows[word], source) for word, source in zip(*pair, strict=True) if word in rows]
        for pair in zip(given, plain, strict=True)
    ]
    words, contexts = occurrences([[row for row, _ in sentence] for sentence in known], model.window)
    sources = np.array([source for sentence in known for _, source in sentence])
    around = context_vectors(contexts, model.parameters_.output).astype(np.float32)
    scores: dict[str, list[float]] = {"ARI": [], "ARI, K-means 3": [], "ARI, K-means 2": []}
    left: list[int] = []
    undecided: list[float] = []
    for word in made:
        senses = model.senses(word.name)
        if senses is None:
            continue
        at = np.flatnonzero(words == rows[word.name])
        truth = (sources[at] == word.sources[0]).astype(np.int64)
        logits = sense_logits(words[at], around[at], model.parameters_)[:, senses.numbers]
        scores["ARI"].append(rand_index(logits.argmax(axis=1), truth))
        for groups in (3, 2):
            scores[f"ARI, K-means {groups}"].append(rand_index(grouped(around[at], groups, seed), truth))
        left.append(len(senses))
        undecided.append(entropy(model.priors_[rows[word.name]]))
    usual = rows.keys() - {word.name for word in made}
    others = [len(senses) for senses in map(model.senses, sorted(usual)) if senses is not None]
    return {
        **{name: float(np.mean(values)) for name, values in scores.items()},
        "senses of pseudo-words": float(np.mean(left)),
        "senses of usual words": float(np.mean(others)),
        "entropy of priors, share of log K": float(np.mean(undecided)),
    }


def entropy(priors: Float32) -> float:
    """Of a distribution, as a share of the largest possible."""
    kept = priors[priors > 0].astype(np.float64)
    return float(-(kept * np.log(kept)).sum() / np.log(len(priors)))
