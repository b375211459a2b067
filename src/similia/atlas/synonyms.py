"""Words of paper titles and others that say the same, for queries that paraphrase; written for this, no thesaurus."""

from __future__ import annotations

import re

PAIRS = """
method approach; approach technique; technique procedure; novel new; new original; model representation;
system platform; framework architecture; retrieval search; search retrieval; recommendation suggestion;
recommender suggestion; recommendations suggestions; recommenders advisers; users people; user person; items
products; item product; document text; documents texts; query question; queries questions; information
knowledge; data records; dataset corpus; datasets corpora; learning training; deep layered; neural
connectionist; network net; networks nets; graph relational; analysis study; study investigation; evaluation
assessment; evaluating assessing; improving enhancing; improve enhance; efficient fast; effective successful;
fast quick; large big; large-scale massive; scalable efficient; automatic automated; based grounded; using
with; via through; towards toward; personalized individual; personalised individual; social community; web
internet; online live; semantic meaning-based; semantics meaning; text language; textual written; language
speech; classification categorization; clustering grouping; detection discovery; detecting finding; extraction
mining; mining extraction; ranking ordering; rank order; similarity likeness; relevance pertinence; relevant
pertinent; feedback response; behavior conduct; behaviour conduct; prediction forecast; predicting
forecasting; preferences tastes; preference taste; interest attention; news journalism; music songs; movie
film; movies films; image picture; images pictures; video clip; videos clips; scientific scholarly; papers
articles; paper article; citation reference; citations references; review opinion; reviews opinions; sentiment
emotion; topic theme; topics themes; keyword term; keywords terms; entity object; entities objects; challenge
problem; challenges problems; problem task; problems tasks; survey overview; comparison contrast; comparing
contrasting; comparative contrasting; understanding grasping; exploring examining; modeling representing;
modelling representing; generation creation; generating creating; generative creative; adaptive flexible;
dynamic changing; temporal time-based; time temporal; collaborative joint; filtering selection; sparse scarce;
cold-start newcomer; hybrid combined; multi several; joint combined; robust reliable; privacy confidentiality;
fair unbiased; fairness equity; bias skew; diversity variety; expert specialist; experts specialists; medical
clinical; health wellness; biomedical medical; legal juridical; e-commerce retail; commerce trade; product
goods; products goods; advertising marketing; mobile portable; conversational dialogue; dialog conversation;
answering responding; question query; questions queries; answer reply; answers replies; embedding vector;
embeddings vectors; hashing coding; matching pairing; matrix array; factorization decomposition; attention
focus; memory storage; context setting; context-aware situational
"""
SYNONYMS: dict[str, str] = {}
for _pair in " ".join(PAIRS.split()).split(";"):
    if _words := _pair.split():
        SYNONYMS.setdefault(_words[0], _words[1])


def paraphrase(text: str) -> tuple[str, int]:
    """Replace each known word by another that says the same; the text in lower case, and how many were replaced.

    Examples:
        >>> paraphrase("A Novel Method for Music Retrieval")
        ('a new approach for songs search', 4)
    """
    changed = 0

    def other(match: re.Match[str]) -> str:
        nonlocal changed
        word = match[0].lower()
        changed += word in SYNONYMS
        return SYNONYMS.get(word, word)

    return re.sub(r"[\w-]+", other, text), changed
