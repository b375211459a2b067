"""Pairs of texts that people scored for similarity."""

from __future__ import annotations

import csv
import fnmatch
import io
import json
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from similia.errors import InputError
from similia.evaluate.datasets.kinds import PairsDataset
from similia.evaluate.datasets.places import Source


class WordSet(NamedTuple):
    """One of the sets of word similarity: its file, and the range of its scores."""

    pattern: str
    low: float
    high: float


WORD_SETS = {
    "ws353": WordSet("*EN-WS-353-ALL.txt", 0, 10),
    "ws353_similarity": WordSet("*EN-WS-353-SIM.txt", 0, 10),
    "ws353_relatedness": WordSet("*EN-WS-353-REL.txt", 0, 10),
    "men": WordSet("*EN-MEN-TR-3k.txt", 0, 50),
    "mturk287": WordSet("*EN-MTurk-287.txt", 1, 5),
    "mturk771": WordSet("*EN-MTurk-771.txt", 1, 5),
    "rg65": WordSet("*EN-RG-65.txt", 0, 4),
    "mc30": WordSet("*EN-MC-30.txt", 0, 4),
    "yp130": WordSet("*EN-YP-130.txt", 0, 4),
    "verb143": WordSet("*EN-VERB-143.txt", 0, 1),
    "simlex999": WordSet("*EN-S[Ii][Mm]L[Ee][Xx]-999.txt", 0, 10),
    "simverb3500": WordSet("*EN-S[Ii][Mm]V[Ee][Rr][Bb]-3500.txt", 0, 10),
    "rw": WordSet("*EN-RW*.txt", 0, 10),
}
SICK_FILES = {"dev": "*SICK_trial.txt", "train": "*SICK_train.txt", "test": "*SICK_test*.txt"}


def stsb(name: str, source: Source, split: str) -> PairsDataset:
    """STS Benchmark in the language that the name ends in, English where in none."""
    language = name.removeprefix("stsb").removeprefix("_") or "en"
    rows = csv.reader(io.StringIO(_file(source, f"*stsb-{language}-{split}.csv"), newline=""))
    return scored(name, ((left, right, float(score)) for left, right, score in rows), 0, 5)


def sick(name: str, source: Source, split: str) -> PairsDataset:
    """SICK: relatedness from 1 to 5."""
    rows = csv.DictReader(_lines(_file(source, SICK_FILES[split])), delimiter="\t", quoting=csv.QUOTE_NONE)
    return scored(name, ((row["sentence_A"], row["sentence_B"], float(row["relatedness_score"])) for row in rows), 1, 5)


def sts(name: str, source: Source, split: str) -> PairsDataset:
    """A year of STS: all files of test or training, or one file of test; pairs without a score are left out."""
    end = f"*.{split}.tsv" if split in ("test", "train") else f"*/{split}.test.tsv"
    files = [content.decode("utf-8") for path, content in source.files() if fnmatch.fnmatchcase(path, end)]
    rows = (line.split("\t") for content in files for line in _lines(content))
    return scored(name, ((left, right, float(score)) for score, left, right in rows if score.strip()), 0, 5)


def mrpc(name: str, source: Source, split: str) -> PairsDataset:
    """MRPC: 1 where two sentences from the news say the same."""
    content = _file(source, f"*msr-para-{'val' if split == 'dev' else split}.tsv")
    rows = csv.DictReader(_lines(content), delimiter="\t", quoting=csv.QUOTE_NONE)
    return scored(name, ((row["#1 String"], row["#2 String"], float(row["Quality"])) for row in rows), 0, 1)


def medical_question_pairs(name: str, source: Source, split: str) -> PairsDataset:
    """Questions of patients, and a rewriting by a doctor: 1 where it asks the same, 0 where it only sounds so."""
    rows = csv.reader(io.StringIO(_file(source, "*"), newline=""))
    return scored(name, ((left, right, float(label)) for _, left, right, label in rows), 0, 1)


def word_similarity(name: str, source: Source, split: str) -> PairsDataset:
    """Pairs of words and the mean of what people gave them."""
    pattern, low, high = WORD_SETS[split]
    rows = (line.split() for line in _lines(_file(source, pattern)))
    return scored(name, ((left, right, float(score)) for left, right, score in rows), low, high)


def sugarcrepe_pp(name: str, source: Source, split: str) -> PairsDataset:
    """SugarCrepe++: of each triplet the caption and its rewording (1), and each of them with the false caption (0).

    ``scores.reshape(-1, 3)`` has a triplet a row, in that order; a metric is right on it where the first is the
    greatest.
    """
    triplets = json.loads(_file(source, "*"))
    rows = (
        row
        for first, second, wrong in ((t["caption"], t["caption2"], t["negative_caption"]) for t in triplets)
        for row in ((first, second, 1.0), (first, wrong, 0.0), (second, wrong, 0.0))
    )
    return scored(name, rows, 0, 1)


def scored(name: str, rows: Iterable[tuple[str, str, float]], low: float, high: float) -> PairsDataset:
    """Pairs with scores as a data set.

    Raises:
        InputError: a score outside its range.

    Examples:
        >>> scored("few", [("a cat ", "the cat", 4.5)], 0, 5).left
        ('a cat',)
    """
    kept = [(left.strip(), right.strip(), score) for left, right, score in rows]
    scores = np.array([score for _, _, score in kept], dtype=np.float64)
    if not ((scores >= low) & (scores <= high)).all():
        raise InputError(f"data set {name!r} has scores from {scores.min()} to {scores.max()}, not {low} to {high}")
    return PairsDataset(name, tuple(row[0] for row in kept), tuple(row[1] for row in kept), scores, low, high)


def _file(source: Source, pattern: str) -> str:
    return next(c.decode("utf-8-sig") for path, c in source.files() if fnmatch.fnmatchcase(path, pattern))


def _lines(content: str) -> list[str]:
    return [line for line in content.replace("\r\n", "\n").split("\n") if line.strip()]
