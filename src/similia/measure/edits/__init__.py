"""Edits: how alike two revisions of one original are, whatever most of the text looks like.

`excision_score` compares a predicted revision with a reference revision only where they, or the original,
differ. `excise` makes the same of any similarity of two token sequences; `regions` is the three-way
alignment beneath. `bleu`, `sari`, `edit_ratio` and `exact` are there to compare with.

    >>> from similia.measure.edits import excision_score
    >>> origin, fixed = "return a - b", "return a + b"
    >>> excision_score(origin, fixed, fixed), excision_score(origin, fixed, origin)
    (1.0, 0.0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.measure.edits.alignment import edit_ratio as edit_ratio
    from similia.measure.edits.alignment import exact as exact
    from similia.measure.edits.alignment import lcs as lcs
    from similia.measure.edits.alignment import lcs_length as lcs_length
    from similia.measure.edits.excision import excise as excise
    from similia.measure.edits.excision import excision_score as excision_score
    from similia.measure.edits.ngrams import bleu as bleu
    from similia.measure.edits.ngrams import ngram_f1 as ngram_f1
    from similia.measure.edits.ngrams import sari as sari
    from similia.measure.edits.three_way import Region as Region
    from similia.measure.edits.three_way import regions as regions
    from similia.measure.edits.tokens import code_tokens as code_tokens
    from similia.measure.edits.tokens import words as words

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Region": ".three_way",
        "bleu": ".ngrams",
        "code_tokens": ".tokens",
        "edit_ratio": ".alignment",
        "exact": ".alignment",
        "excise": ".excision",
        "excision_score": ".excision",
        "lcs": ".alignment",
        "lcs_length": ".alignment",
        "ngram_f1": ".ngrams",
        "regions": ".three_way",
        "sari": ".ngrams",
        "words": ".tokens",
    },
)
