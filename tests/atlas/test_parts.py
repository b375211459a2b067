"""The parts that systems share: limited processes, made-up repairs, paraphrases, latent semantics, cached vectors."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from similia.atlas import hybrid, sandbox, vectors
from similia.atlas.candidates import candidates, mutants, parses, renamed, rewritten, with_unused_line
from similia.atlas.lsa import LatentSemanticAnalysis
from similia.atlas.synonyms import SYNONYMS, paraphrase
from similia.encode import load
from similia.errors import InputError

TASK = {
    "declaration": "def total(values: list[int]) -> int:\n",
    "canonical_solution": "    result = 0\n    for value in values:\n        result += value\n    return result\n",
    "buggy_solution": "    result = 1\n    for value in values:\n        result += value\n    return result\n",
}
GOLD = TASK["declaration"] + TASK["canonical_solution"]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("assert sorted([2, 1]) == [1, 2]", True),
        ("raise ValueError", False),
        ("import sys; sys.exit(3)", False),
        ("while True: pass", False),
        ("x = bytearray(1 << 34)", False),
        ("open('here', 'w')", False),
        ("import socket; socket.socket()", False),
        ("import subprocess; subprocess.run(['true'])", False),
        ("import os; os.system('true')", False),
        ("import os; os.fork()", False),
        ("import os; os.remove('/tmp/nothing-of-this-name')", False),
        ("not python", False),
        ("import json, decimal, fractions", True),
    ],
)
def test_programs_are_limited(program: str, expected: bool) -> None:
    assert sandbox.passes(program, seconds=1) is expected


def test_programs_leave_nothing_behind_and_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    programs = ["import time; time.sleep(0.3)", "raise ValueError", "pass"]
    assert list(sandbox.all_passes(programs)) == [True, False, True]
    assert not list(tmp_path.iterdir())


def test_made_up_repairs() -> None:
    made = candidates(TASK, np.random.default_rng(0))
    kinds = [candidate.kind for candidate in made]
    assert kinds[:3] == ["no-op", "gold", "gold, variable renamed"]
    assert len({candidate.code for candidate in made}) == len(made)
    assert all(parses(candidate.code) for candidate in made)
    by_kind = {candidate.kind: candidate.code for candidate in made}
    assert "result_renamed = 0" in by_kind["gold, variable renamed"]
    assert "result " not in by_kind["gold, variable renamed"]
    tests = "\nassert total([1, 2]) == 3\n"
    passing = {candidate.kind for candidate in made if sandbox.passes(candidate.code + tests)}
    assert {"gold", "gold, variable renamed", "gold, unused line"} <= passing
    assert not {"no-op", "buggy, unused line"} & passing
    assert [c.code for c in candidates(TASK, np.random.default_rng(0))] == [c.code for c in made]


def test_mutants_differ_in_one_token_of_the_body() -> None:
    for mutant in mutants(GOLD, len(TASK["declaration"]), np.random.default_rng(1)):
        assert mutant.startswith(TASK["declaration"])
        differing = [(a, b) for a, b in zip(GOLD.split(), mutant.split(), strict=False) if a != b]
        assert len(differing) == 1


def test_rewriting_keeps_everything_else() -> None:
    code = "def f(x):\n    # x stays here\n    return 'x' + x  # and here\n"
    assert rewritten(code, lambda number, token: "y" if token == "x" else token) == (
        "def f(y):\n    # x stays here\n    return 'x' + y  # and here\n"
    )
    assert rewritten(code, lambda number, token: token) == code
    assert renamed("def f():\n    return 1\n") == "def f():\n    return 1\n"
    assert ast.parse(with_unused_line(GOLD)).body[0].body[0].targets[0].id == "unused"  # type: ignore[attr-defined]


def test_paraphrases_use_other_words() -> None:
    text, changed = paraphrase("Deep Learning for Music Recommendation")
    assert text == "layered training for songs suggestion"
    assert changed == 4
    assert paraphrase("xyz") == ("xyz", 0)
    assert all(word != other for word, other in SYNONYMS.items())
    assert all(word == word.lower() and " " not in word for word in SYNONYMS)


def test_latent_semantics_agree_with_scikit_learn() -> None:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    random = np.random.default_rng(0)
    words = [f"w{chr(97 + i)}{chr(97 + j)}" for i in range(8) for j in range(5)]
    texts = [" ".join(random.choice(words, 12)) for _ in range(60)]
    ours = LatentSemanticAnalysis(5).fit(texts).encode(texts)
    weighted = TfidfVectorizer(sublinear_tf=True, token_pattern=r"[a-z]{2,}", min_df=2).fit_transform(texts)
    theirs = TruncatedSVD(5, algorithm="arpack", random_state=0).fit_transform(weighted)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-4)


def test_latent_semantics_at_the_edges() -> None:
    texts = ["aa bb", "bb cc", "cc aa", "aa bb cc"]
    model = LatentSemanticAnalysis(2).fit(texts)
    assert model.encode(["zz", ""]).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(InputError, match="too few"):
        LatentSemanticAnalysis(3).fit(texts)


class Counting:
    """An encoder that says how many texts it was asked for."""

    name, dimension, fingerprint = "counting", 8, "c" * 64

    def __init__(self) -> None:
        self.inner = load("hashing:8")
        self.asked = 0

    def encode(self, items: list[str], *, side: str = "item"):  # type: ignore[no-untyped-def]
        self.asked += len(items)
        return self.inner.encode(items)


def test_vectors_are_kept_between_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path))
    monkeypatch.setattr(vectors, "BLOCK", 4)
    encoder, texts = Counting(), [f"text {i}" for i in range(10)]
    first = vectors.encode(encoder, texts)
    again = vectors.encode(encoder, texts)
    assert encoder.asked == 10
    assert (first == again).all()
    assert (first == encoder.inner.encode(texts).vectors).all()
    vectors.encode(encoder, texts, side="query")
    assert encoder.asked == 20
    vectors.encode(encoder, [*texts[:9], "another"])
    assert encoder.asked == 22
    for file in tmp_path.rglob("*.npy"):
        file.write_bytes(file.read_bytes()[:-3])
    assert (vectors.encode(encoder, texts) == first).all()
    assert vectors.encode(encoder, []).shape == (0, 8)


def test_both_views_of_a_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path))
    documents = ["alpha beta", "beta gamma", "gamma delta", "delta epsilon"]
    views = hybrid.find(documents, ["gamma", "zeta", "epsilon delta delta"], 9, encoder="hashing:256")
    assert views.documents == 4
    assert [ids[ids >= 0].tolist() for ids in views.text.ids] == [[1, 2], [], [3, 2]]
    assert views.dense.ids.shape == (3, 4)
    assert views.dense.ids[0, :2].tolist() in ([1, 2], [2, 1])
    np.testing.assert_allclose(views.idf[0], [np.log(4 / 2)])
    np.testing.assert_allclose(sorted(views.idf[2]), [np.log(4 / 2), np.log(4)])
