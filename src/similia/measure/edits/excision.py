"""Excision score: two revisions compared only where they, or the original, differ.

Source: Gruzinov, Sycheva, Barr and Bezzubov, Excision Score: Evaluating Edits with Surgical Precision
(arXiv 2510.21537, 2025). The scoring of what remains (signed 1- and 2-grams) is this project's reading of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

from similia.errors import InputError
from similia.measure.edits.ngrams import Gram, mean_overlap, ngram_f1, ngrams
from similia.measure.edits.three_way import Region, Tokens, regions, trim
from similia.measure.edits.tokens import code_tokens

LINES_ABOVE = 5_000
"""Above this many tokens between the first and the last difference, whole lines are aligned before tokens."""

Tokeniser = Callable[[str], list[str]]


def excision_score(
    origin: str | Tokens,
    reference: str | Tokens,
    prediction: str | Tokens,
    *,
    tokenise: Tokeniser = code_tokens,
    n: int = 2,
    scope: Literal["pooled", "region"] = "pooled",
) -> float:
    """Return how well ``prediction`` makes the edit that ``reference`` makes to ``origin``, in [0, 1].

    What the three share is cut out. In each region that remains, for n-grams of each length, added = revision - origin
    and deleted = origin - revision (multisets, so that what moves is deleted here and added there); the score is
    2 (|added & added'| + |deleted & deleted'|) over all their sizes, averaged over the lengths. 1 where the revisions
    are equal; 0 where nothing, or nothing right, was done. Context around the edits does not count.

    Args:
        origin: the text, or its tokens, before the edit; if empty, the n-gram F1 of the revisions is returned.
        reference: the right revision.
        prediction: the revision to judge.
        tokenise: how texts are split (`code_tokens`, `words`, your own).
        n: the longest n-grams; edits are short, so that longer ones say little.
        scope: ``pooled`` compares what was added, and deleted, anywhere; ``region`` wants it in the same place.

    Raises:
        InputError: an unknown scope, or n below 1.

    Examples:
        >>> excision_score("x = f(a, b)", "x = f(b, a)", "x = f(a, b)")
        0.0
        >>> excision_score("x = 1; y = 2", "x = 3; y = 4", "x = 3; y = 2")   # one of two edits: 2 * 2 / (4 + 2)
        0.6666666666666666
    """
    if scope not in ("pooled", "region"):
        raise InputError(f"scope is {scope!r}; it is 'pooled' or 'region'")
    if n < 1:
        raise InputError(f"n is {n}; n-grams have a length of at least 1")
    o, a, b = (_tokens(given, tokenise) for given in (origin, reference, prediction))
    if list(a) == list(b):
        return 1.0
    if not o:
        return ngram_f1(a, b, n)
    remains = _remains((origin, reference, prediction), (o, a, b), tokenise)
    return mean_overlap(_levels(remains, n, pooled=scope == "pooled"))


def excise(similarity: Callable[[Tokens, Tokens], float]) -> Callable[[Tokens, Tokens, Tokens], float]:
    """Turn a similarity of two token sequences into one of two revisions: of what is left of them without the shared.

    The result takes origin, reference and prediction as tokens; it is 1 where the revisions are equal.

    Examples:
        >>> from similia.measure.edits import edit_ratio
        >>> excise(edit_ratio)("f ( a , b )".split(), "f ( a , c )".split(), "f ( a , d )".split())
        0.0
    """

    def excised(origin: Tokens, reference: Tokens, prediction: Tokens) -> float:
        if list(reference) == list(prediction):
            return 1.0
        remains = regions(origin, reference, prediction)
        left, right = ([token for region in remains for token in region[side]] for side in (1, 2))
        return similarity(left, right)

    return excised


def _tokens(given: str | Tokens, tokenise: Tokeniser) -> Tokens:
    return tokenise(given) if isinstance(given, str) else given


def _remains(
    given: tuple[str | Tokens, ...], tokens: tuple[Tokens, Tokens, Tokens], tokenise: Tokeniser
) -> list[Region]:
    """The regions of three token sequences; of texts with far edits in them, whole shared lines are cut out first."""
    if max(map(len, trim(*tokens))) <= LINES_ABOVE or not all(isinstance(text, str) for text in given):
        return regions(*tokens)
    by_line = regions(*(str(text).splitlines() for text in given))
    remains: list[Region] = []
    for block in by_line:
        remains += regions(*(tokenise("\n".join(map(str, lines))) for lines in block))
    return remains


def _levels(remains: list[Region], n: int, *, pooled: bool) -> list[tuple[list[Counter[Gram]], list[Counter[Gram]]]]:
    """For each length, what the reference and what the prediction add and delete: by region, or anywhere."""
    levels = []
    for size in range(1, n + 1):
        changes = []
        for revision in (1, 2):
            counted = [(ngrams(region.origin, size), ngrams(region[revision], size)) for region in remains]
            added, deleted = (
                [after - before for before, after in counted],
                [before - after for before, after in counted],
            )
            changes.append([_sum(added), _sum(deleted)] if pooled else [*added, *deleted])
        levels.append((changes[0], changes[1]))
    return levels


def _sum(counts: list[Counter[Gram]]) -> Counter[Gram]:
    total: Counter[Gram] = Counter()
    for count in counts:
        total.update(count)
    return total
