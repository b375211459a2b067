"""Edits: alignment against brute force, the score against a second definition, and what the paper asks of it."""

from __future__ import annotations

import math
import random as stdlib_random
import tracemalloc
from collections import Counter
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.measure.edits import (
    bleu,
    code_tokens,
    edit_ratio,
    exact,
    excise,
    excision_score,
    lcs,
    lcs_length,
    ngram_f1,
    regions,
    sari,
    words,
)

short = st.text("abc", max_size=9)
texts = st.text("ab(;", max_size=14)


def brute_lcs(a: str, b: str) -> int:
    """The definition: the best of leaving one out on either side."""

    @lru_cache(None)
    def best(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return 0
        if a[i] == b[j]:
            return 1 + best(i + 1, j + 1)
        return max(best(i + 1, j), best(i, j + 1))

    return best(0, 0)


def check_alignment(a: str, b: str) -> None:
    pairs = lcs(a, b)
    assert len(pairs) == lcs_length(a, b) == brute_lcs(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert (np.diff(pairs, axis=0) > 0).all()


@settings(deadline=None, max_examples=400)
@given(texts, texts)
def test_alignment_is_a_longest_common_subsequence(a: str, b: str) -> None:
    check_alignment(a, b)


@settings(deadline=None)
@given(texts, texts)
def test_cut_in_two_where_memory_is_short(a: str, b: str) -> None:
    from similia.measure.edits import alignment

    whole, alignment.MEMORY = alignment.MEMORY, 0
    try:
        check_alignment(a, b)
    finally:
        alignment.MEMORY = whole


@settings(deadline=None)
@given(short, short, st.text("xyz", max_size=5), st.text("xyz", max_size=5))
def test_what_surrounds_an_edit_does_not_change_its_alignment(a: str, b: str, before: str, after: str) -> None:
    inner = lcs(a, b) + len(before)
    outer = lcs(before + a + after, before + b + after)
    assert len(outer) == len(inner) + len(before) + len(after)
    if not (a and b and (a[0] == b[0] or a[-1] == b[-1])):
        assert outer[len(before) : len(before) + len(inner)].tolist() == inner.tolist()


def test_long_sequences_need_little_memory_and_no_patience() -> None:
    random = stdlib_random.Random(0)
    a = [random.randrange(50) for _ in range(20_000)]
    b = [token if random.random() < 0.9 else -1 for token in a]
    tracemalloc.start()
    pairs = lcs(a, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(pairs) == sum(x == y for x, y in zip(a, b, strict=True))
    assert peak < 100 * 2**20  # as bytes, the table would take 400 MB


@settings(deadline=None, max_examples=300)
@given(short, short, short)
def test_regions_and_what_lies_between_them_make_up_all_three(origin: str, a: str, b: str) -> None:
    found = regions(origin, a, b)
    for side, whole in enumerate((origin, a, b)):
        left = "".join("".join(map(str, region[side])) for region in found)
        assert not Counter(left) - Counter(whole)
    # What was cut out is the same in all three: a common subsequence.
    cut = {len(whole) - sum(len(region[side]) for region in found) for side, whole in enumerate((origin, a, b))}
    assert len(cut) == 1
    shared = cut.pop()
    assert shared <= min(lcs_length(origin, a), lcs_length(origin, b))
    assert all(any(region) for region in found)
    # Read side by side, the regions are in order and the shared runs between them match.
    assert matches(origin, a, b, found, shared)


def matches(origin: str, a: str, b: str, found: list, shared: int) -> bool:
    """Whether some common subsequence of length ``shared`` fits between the regions, in order."""

    @lru_cache(None)
    def fits(at: tuple[int, int, int], region: int, left: int) -> bool:
        if region == len(found) and left == 0:
            return at == (len(origin), len(a), len(b))
        i, j, k = at
        here = left > 0 and i < len(origin) and j < len(a) and k < len(b) and origin[i] == a[j] == b[k]
        if here and fits((i + 1, j + 1, k + 1), region, left - 1):
            return True
        if region < len(found):
            o, x, y = found[region]
            taken = origin[i : i + len(o)], a[j : j + len(x)], b[k : k + len(y)]
            if tuple(map(tuple, taken)) == (o, x, y):
                return fits((i + len(o), j + len(x), k + len(y)), region + 1, left)
        return False

    return fits((0, 0, 0), 0, shared)


def naive_score(origin: str, a: str, b: str, n: int = 2) -> float:
    """The formula again, with lists and loops, on the same regions."""
    if a == b:
        return 1.0
    if not origin:
        return ngram_f1(a, b, n)
    parts = regions(origin, a, b)
    scores = []
    for size in range(1, n + 1):
        changes = []
        for revision in (1, 2):
            added, deleted = [], []
            for region in parts:
                before, after = (
                    [side[i : i + size] for i in range(len(side) - size + 1)] for side in (region[0], region[revision])
                )
                rest = list(before)
                for gram in after:
                    if gram in rest:
                        rest.remove(gram)
                    else:
                        added.append(gram)
                deleted += rest
            changes.append((added, deleted))
        total = sum(len(part) for change in changes for part in change)
        common = 0
        for mine, theirs in zip(*changes, strict=True):
            rest = list(theirs)
            for gram in mine:
                if gram in rest:
                    rest.remove(gram)
                    common += 1
        if total:
            scores.append(2 * common / total)
    return sum(scores) / len(scores) if scores else 0.0


@settings(deadline=None, max_examples=300)
@given(short, short, short, st.integers(1, 3))
def test_the_score_agrees_with_its_second_definition(origin: str, a: str, b: str, n: int) -> None:
    score = excision_score(list(origin), list(a), list(b), n=n)
    assert score == pytest.approx(naive_score(origin, a, b, n))


@settings(deadline=None, max_examples=300)
@given(short, short, short, st.sampled_from(["pooled", "region"]))
def test_bounds_identity_symmetry_and_doing_nothing(origin: str, a: str, b: str, scope: str) -> None:
    def score(*sides: str) -> float:
        return excision_score(*map(list, sides), scope=scope)

    assert 0.0 <= score(origin, a, b) <= 1.0
    assert score(origin, a, a) == 1.0
    assert score(origin, a, b) == pytest.approx(score(origin, b, a))
    if a != origin and origin:
        assert score(origin, a, origin) == 0.0


@settings(deadline=None, max_examples=2000)
@given(short, short, short, st.text("abc", max_size=12), st.text("xyz", max_size=12))
def test_context_before_and_after_changes_nothing(origin: str, a: str, b: str, before: str, after: str) -> None:
    """What follows has tokens of its own: "a" -> "aa" before "a" is an insertion in more than one place."""
    if origin:
        alone = excision_score(list(origin), list(a), list(b))
        assert excision_score(*(list(before + side + after) for side in (origin, a, b))) == pytest.approx(alone)


def test_context_may_tip_it_from_tokens_to_lines_only_by_its_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similia.measure.edits.excision.LINES_ABOVE", 40)
    context = "\n".join(f"v{i} = {i}" for i in range(200)) + "\n"
    sides = ("a < b\nc(d)\n", "a <= b\nc(d)\n", "a <= b\nc(e)\n")
    assert excision_score(*(context + side for side in sides)) == excision_score(*sides)


def test_far_edits_of_a_long_file_are_aligned_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"v{i} = f({i}, v{i - 1})" for i in range(300)]

    def edited(*changes: int) -> str:
        return "\n".join(f"v{i} = g()" if i in changes else line for i, line in enumerate(lines))

    by_token = excision_score(edited(), edited(10, 280), edited(10))
    monkeypatch.setattr("similia.measure.edits.excision.LINES_ABOVE", 40)
    by_line = excision_score(edited(), edited(10, 280), edited(10))
    assert by_line == pytest.approx(by_token, abs=0.05)
    assert by_line == pytest.approx(2 / 3, abs=0.05)


ORIGIN = ["def", "f", "(", "a", ",", "b", ")", ":", "return", "a", "-", "b"]


@pytest.mark.parametrize(
    ("reference", "prediction", "low", "high"),
    [
        ("def f ( a , b ) : return a - b ;", "def f ( a , b ) : return a - b ;", 1, 1),  # insertion
        ("def f ( a , b ) : return a - b ;", "def f ( a , b ) : return a - b !", 0, 0.3),  # another insertion
        ("def f ( a ) : return a - b", "def f ( a ) : return a - b", 1, 1),  # deletion
        ("def f ( a ) : return a - b", "def f ( a , ) : return a - b", 0.3, 0.99),  # part of the deletion
        ("def f ( a ) : return a - b", "def f ( b ) : return a - b", 0.1, 0.9),  # another deletion
        ("return a - b def f ( a , b ) :", "return a - b def f ( a , b ) : :", 0.5, 0.99),  # moved block
        ("x", "x", 1, 1),  # whole rewrite
        ("x y", "x z", 0.5, 0.99),  # whole rewrite, deletions agree
        ("def f ( a , b ) : return a + b", "", 0, 0.3),  # empty prediction: only deletions count
        ("", "", 1, 1),
    ],
)
def test_what_an_edit_is_worth(reference: str, prediction: str, low: float, high: float) -> None:
    assert low <= excision_score(ORIGIN, reference.split(), prediction.split()) <= high


def test_an_empty_prediction_earns_its_right_deletions() -> None:
    origin, reference = list("abcd"), list("a")
    assert excision_score(origin, reference, []) > 0.5
    assert excision_score(origin, list("abcde"), []) == 0.0


def test_a_moved_block_is_credited_where_places_are_pooled() -> None:
    origin, reference, prediction = ["a", "b", "c", "d"], ["a", "b", "x", "y", "c", "d"], ["x", "y", "a", "b", "c", "d"]
    pooled = excision_score(origin, reference, prediction)
    by_place = excision_score(origin, reference, prediction, scope="region")
    assert pooled > 0.5 > by_place


def test_pure_generation_is_plain_n_gram_f1() -> None:
    assert excision_score("", "a b c", "a b d") == ngram_f1(["a", "b", "c"], ["a", "b", "d"])


def test_other_similarities_can_be_excised() -> None:
    context = ["x"] * 100
    origin, reference, prediction = [*context, "a"], [*context, "b"], [*context, "c"]
    assert bleu(reference, prediction) > 0.9
    assert excise(bleu)(origin, reference, prediction) == 0.0
    assert excise(edit_ratio)(origin, reference, reference) == 1.0


def test_frequent_tokens_are_not_dropped() -> None:
    """Difflib would drop what makes up over 1 % of 200 tokens or more."""
    a = ["("] * 300
    assert lcs_length(a, ["(", *a[10:]]) == 291


@settings(deadline=None)
@given(texts, texts)
def test_edit_ratio_is_lcs_over_length(a: str, b: str) -> None:
    expected = 2 * brute_lcs(a, b) / (len(a) + len(b)) if a or b else 1.0
    assert edit_ratio(a, b) == pytest.approx(expected)
    assert exact(a, b) == float(a == b)


def test_bleu_by_hand() -> None:
    reference, prediction = ["the", "cat", "sat", "on", "the", "mat"], ["the", "cat", "on", "the", "mat"]
    # 5/5; bigrams 3/4, trigrams 1/3, 4-grams 0/2, the last three with one added; brevity exp(1 - 6/5)
    expected = (1 * 4 / 5 * 2 / 4 * 1 / 3) ** 0.25 * math.exp(1 - 6 / 5)
    assert bleu(reference, prediction) == pytest.approx(expected)
    assert bleu(reference, reference) == pytest.approx(1.0)
    assert bleu(["a"] * 2, ["a"] * 4, n=1) == pytest.approx(0.5)  # clipped
    assert bleu(["a"], ["b"]) == bleu(["a"], []) == 0.0
    assert bleu([], []) == 1.0


def test_sari_by_hand() -> None:
    origin, reference, prediction = ["a", "b", "c"], ["a", "b", "d"], ["a", "e", "d"]
    # 1-grams: kept {a} of {a, b}: F1 2/3; added {d, e} for {d}: F1 2/3; deleted {b, c} where {c} is right: 1/2
    # 2-grams: kept {} of {ab}: 0; added {ae, ed} for {bd}: 0; deleted {ab, bc} where {bc} is right: 1/2
    expected = ((2 / 3 + 2 / 3 + 1 / 2) + (0 + 0 + 1 / 2)) / 6
    assert sari(origin, reference, prediction, n=2) == pytest.approx(expected)
    assert sari(origin, reference, reference, n=2) == 1.0
    assert sari(origin, reference, reference) == pytest.approx(
        (3 + 3 + 2 + 0) / 12
    )  # nothing is kept, nothing is there
    assert sari(origin, reference, reference, empty=1.0) == 1.0
    with pytest.raises(InputError):
        sari(origin, reference, prediction, n=0)


def test_code_tokens() -> None:
    assert code_tokens("for(i=0x1F;i<=1e-3;i++) a[i]**=2//x!=y") == (
        [
            "for",
            "(",
            "i",
            "=",
            "0x1F",
            ";",
            "i",
            "<=",
            "1e-3",
            ";",
            "i",
            "++",
            ")",
            "a",
            "[",
            "i",
            "]",
            "**=",
            "2",
            "//",
            "x",
            "!=",
            "y",
        ]
    )
    assert code_tokens('naïve_ß = "it\'s"') == ["naïve_ß", "=", '"', "it", "'", "s", '"']
    assert code_tokens(" \n\t") == []
    assert code_tokens("a\n\n  b\n", indentation=True) == ["\n", "a", "\n  ", "b"]


def test_a_change_of_indentation_is_seen_where_it_is_asked_for() -> None:
    def indented(text: str) -> list[str]:
        return code_tokens(text, indentation=True)

    origin, fixed = "for x in y:\n  a()\n  b()\n", "for x in y:\n  a()\nb()\n"
    assert excision_score(origin, fixed, origin) == 1.0  # the same tokens
    assert excision_score(origin, fixed, origin, tokenise=indented) == 0.0
    assert excision_score(origin, fixed, fixed, tokenise=indented) == 1.0


@settings(deadline=None)
@given(st.text())
def test_tokens_hold_every_character_that_is_no_space(text: str) -> None:
    for split in (code_tokens, words):
        assert "".join(split(text)) == "".join(text.split()) or split is words
        assert all(token.strip() for token in split(text))


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(InputError, match="scope"):
        excision_score("a", "b", "c", scope="global")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="n is 0"):
        excision_score("a", "b", "c", n=0)
