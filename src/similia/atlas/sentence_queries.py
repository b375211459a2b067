"""Queries that ask for one sentence of a document, made without a language model, and judged ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from similia.atlas.synonyms import SYNONYMS
from similia.evaluate import datasets
from similia.rank import sentence_spans
from similia.types import Bool, Int64

MOST_WORDS = 160
"""Of a document, which is the beginning of an answer: what fits one window of the encoder."""
SENTENCES, SENTENCE_WORDS = 6, 8
"""The fewest sentences of a document, and the fewest words of a sentence that is asked for."""
KEPT = 0.5
"""The share of a sentence's words that its query keeps."""
MEDICAL = """
symptoms signs; symptom sign; disease illness; diseases illnesses; disorder condition; disorders conditions; treatment
therapy; treatments therapies; doctor physician; doctors physicians; medicine drug; medicines drugs; medication
drug; medications drugs; children kids; child kid; infants babies; infant baby; adults grown-ups; people persons;
individuals people; cause reason; causes reasons; caused produced; problems difficulties; problem difficulty; risk
danger; tumor growth; tumors growths; cancer malignancy; pain ache; severe serious; common frequent; rare uncommon;
usually generally; often frequently; sometimes occasionally; affects strikes; affected stricken; mutations
alterations; mutation alteration; inherited hereditary; test examination; tests examinations; diagnosed identified;
diagnosis identification; muscle sinew; muscles sinews; kidney renal; liver hepatic; heart cardiac; brain cerebral;
bone skeletal; bones skeleton; skin dermis; blood bloodstream; lungs pulmonary; breathing respiration; swelling
oedema; fever temperature; surgery operation; weakness frailty; growth development; loss decrease; increase rise;
increased raised; reduce lower; reduced lowered; help aid; helps aids; begin start; begins starts; occur happen;
occurs happens; help assist; information facts; body organism; cells tissue; abnormal unusual; normal usual; males
men; females women; women females; men males; parents mother; family relatives; health wellbeing; medical clinical
"""
REPLACED = {pair.split()[0]: pair.split()[1] for pair in MEDICAL.split(";")} | SYNONYMS


class Document(NamedTuple):
    """The first sentences of an answer, and what it is about."""

    text: str
    sentences: Int64  # (s, 2), characters
    focus: str


class Asked(NamedTuple):
    """Queries and the documents that they are about."""

    texts: list[str]
    sentences: list[Int64]  # (s, 2) characters, of each document
    focus: Int64  # (n,), of each document
    queries: list[str]
    own: Int64  # (q,), the document of each query
    right: list[Bool]  # (s,), of each query: which sentences of its document answer it


def beginnings() -> list[Document]:
    """The answers of MedQuAD, each once, that begin with six sentences or more within 160 words."""
    seen: set[str] = set()
    found = []
    for row in datasets.records("medquad_pairs"):
        answer = str(row["answer"])
        spans: list[tuple[int, int]] = []
        words = 0
        for start, stop in sentence_spans(answer):
            words += len(answer[start:stop].split())
            if words > MOST_WORDS:
                break
            spans.append((start, stop))
        if len(spans) >= SENTENCES and (text := answer[: spans[-1][1]]) not in seen:
            seen.add(text)
            found.append(Document(text, np.array(spans), row["focus"].casefold() or row["document"]))
    return found


def rewritten(documents: Sequence[Document], focus: Int64, queries: int, random: np.random.Generator) -> Asked:
    """For each document queries after different sentences of it; one without a sentence to ask for is left out."""
    found = Asked([], [], focus[:0], [], focus[:0], [])
    kept: list[int] = []
    own: list[int] = []
    for place, document in enumerate(documents):
        cut = [document.text[start:stop] for start, stop in document.sentences.tolist()]
        counts = Counter(cut)
        fit = [at for at, text in enumerate(cut) if len(text.split()) >= SENTENCE_WORDS and counts[text] == 1]
        if not fit:
            continue
        for at in random.permutation(fit)[:queries].tolist():
            found.queries.append(half_of(cut[at], random))
            found.right.append(np.arange(len(cut)) == at)
            own.append(len(kept))
        found.texts.append(document.text)
        found.sentences.append(document.sentences)
        kept.append(place)
    return found._replace(focus=focus[np.array(kept, np.int64)], own=np.array(own, np.int64))


def half_of(sentence: str, random: np.random.Generator) -> str:
    """Half of the words of a sentence, in their order, some replaced by others that say the same.

    Examples:
        >>> half_of("Severe symptoms of the disease", np.random.default_rng(0))
        'of illness'
    """
    words = sentence.split()
    chosen = np.sort(random.permutation(len(words))[: max(1, round(KEPT * len(words)))])
    return " ".join(_other(words[at]) for at in chosen.tolist())


def _other(word: str) -> str:
    bare = word.strip(".,;:()").lower()
    return REPLACED.get(bare, word)


def judged_sentences(split: str = "test") -> Asked:
    """Questions of TREC-QA that have right and wrong sentences; those judged for one are its document."""
    data = datasets.retrieval("trecqa", split)
    text_of = dict(zip(data.document_ids, data.documents, strict=True))
    found = Asked([], [], np.empty(0, np.int64), [], np.empty(0, np.int64), [])
    for name, question in zip(data.query_ids, data.queries, strict=True):
        ids = data.candidates(name)
        right = np.array([data.qrels[name][each] > 0 for each in ids])
        if not right.any() or right.all():
            continue
        # A line a sentence: nothing else may tell them apart, for the tokens of a line belong to one sentence.
        lines = [" ".join(text_of[each].split()) for each in ids]
        starts = np.cumsum([0, *(len(line) + 1 for line in lines[:-1])])
        found.texts.append("\n".join(lines))
        found.sentences.append(np.stack([starts, starts + [len(line) for line in lines]], axis=1))
        found.queries.append(question)
        found.right.append(right)
    count = np.arange(len(found.queries))
    return found._replace(focus=count, own=count)
