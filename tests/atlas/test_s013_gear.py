"""GeAR: its queries and measures by hand, the folder of tokens, and a small run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from similia.atlas import s013_gear as gear
from similia.atlas import sentence_queries, token_states
from similia.atlas.registry import Settings
from similia.encode import load
from similia.evaluate import datasets
from similia.types import MultiVector, ragged


def document(text: str, focus: str = "a") -> sentence_queries.Document:
    from similia.rank import sentence_spans

    return sentence_queries.Document(text, np.array(list(sentence_spans(text))), focus)


def test_a_query_is_half_of_its_sentence_with_words_replaced() -> None:
    random = np.random.default_rng(0)
    sentence = "Zero one two three four five six symptoms."
    for _ in range(20):
        words = sentence_queries.half_of(sentence, random).split()
        assert len(words) == 4
        order = [["Zero", "one", "two", "three", "four", "five", "six", "signs"].index(word) for word in words]
        assert order == sorted(order)


def test_only_sentences_that_stand_once_and_are_long_are_asked_for() -> None:
    long = "One two three four five six seven eight."
    other = "Nine ten eleven twelve one two three four five."
    texts = [f"Short one. {long} {other}", f"{long} Short. {long}"]
    asked = sentence_queries.rewritten(
        [document(text) for text in texts], np.array([4, 7]), 3, np.random.default_rng(0)
    )
    assert asked.texts == texts[:1]  # the second has no sentence to ask for
    assert asked.focus.tolist() == [4]
    assert asked.own.tolist() == [0, 0]
    assert sorted(np.argmax(right) for right in asked.right) == [1, 2]
    assert all(right.sum() == 1 for right in asked.right)
    for query, right in zip(asked.queries, asked.right, strict=True):
        kept = {*(long, other)[int(np.argmax(right)) - 1].split()}
        assert {*query.split()} <= kept


@pytest.fixture(scope="module")
def documents() -> list[sentence_queries.Document]:
    if not all(map(datasets.available, gear.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")
    return sentence_queries.beginnings()


def test_documents_are_beginnings_of_answers_and_parts_share_no_focus(
    documents: list[sentence_queries.Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gear, "beginnings", lambda: documents)
    assert len({found.text for found in documents}) == len(documents) > 1000
    for found in documents[:200]:
        assert len(found.sentences) >= 6
        assert sum(len(found.text[a:z].split()) for a, z in found.sentences.tolist()) <= 160
        assert found.sentences[-1, 1] == len(found.text)
    train, validation, test = gear.parts(gear.Sizes(300, 60, 120, 2, 1, 1), 0)
    foci = [{*part.focus.tolist()} for part in (train, validation, test)]
    assert not foci[0] & foci[1]
    assert not foci[0] & foci[2]
    assert not foci[1] & foci[2]
    assert [len(part.texts) for part in (train, validation, test)] == pytest.approx([300, 60, 120], abs=5)


def test_judged_sentences_are_lines_of_their_document() -> None:
    if not datasets.available("trecqa"):
        pytest.skip("a data set of the system is not on this machine")
    data = datasets.retrieval("trecqa", "dev")
    asked = sentence_queries.judged_sentences("dev")
    text_of = dict(zip(data.document_ids, data.documents, strict=True))
    name_of = dict(zip(data.queries, data.query_ids, strict=True))
    assert asked.queries
    for text, spans, query, right in zip(asked.texts, asked.sentences, asked.queries, asked.right, strict=True):
        grades = data.qrels[name_of[query]]
        assert [text[a:z] for a, z in spans.tolist()] == [" ".join(text_of[name].split()) for name in grades]
        assert right.tolist() == [grade > 0 for grade in grades.values()]
        assert 0 < right.sum() < len(right)


def test_recall_and_the_share_of_right_sentences() -> None:
    items = np.eye(8, dtype=np.float32)
    own = np.array([0, 7])
    queries = np.stack([items[0], np.array([6, 5, 4, 3, 2, 1, 0, 0])]).astype(np.float32)
    assert gear.recall(queries, items, own) == 0.5
    asked = sentence_queries.Asked(
        ["a b", "c"], [np.array([[0, 1], [2, 3]])] * 2, own, ["x", "y"], np.array([0, 1]), [np.array([True, False])] * 2
    )
    tokens = ragged([np.eye(2), np.eye(2)], 2)
    data = gear.Read(
        asked, tokens, gear.PlacedTokens(tokens, np.zeros((4, 2), np.int64)), [np.array([[0, 1], [1, 2]])] * 2
    )
    weights = [np.array([0.9, 0.1], np.float32), np.array([0.2, 0.8], np.float32)]
    assert gear.first_right(data, weights, gear.Localizer()) == 0.5
    np.testing.assert_array_equal(data.item(1), np.eye(2))
    vectors = gear.mean_vectors(MultiVector(np.array([[3.0, 0], [0, 3], [0, 2]]), np.array([0, 2, 3])))
    np.testing.assert_allclose(vectors, [[np.sqrt(0.5), np.sqrt(0.5)], [0, 1]], rtol=1e-6)


def test_tokens_are_kept_within_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path))
    monkeypatch.setattr(token_states, "BLOCK", 2)
    encoder, texts = load("minilm"), ["A cat sat.", "", "Rain. Snow."]
    first = token_states.token_states(encoder, texts)
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == 2
    second = token_states.token_states(encoder, texts)
    np.testing.assert_array_equal(first.tokens.vectors, second.tokens.vectors)
    np.testing.assert_array_equal(first.places, second.places)
    assert np.diff(second.tokens.offsets).tolist() == [4, 0, 4]
    files[0].write_bytes(b"no")  # damaged: made again
    again = token_states.token_states(encoder, texts)
    np.testing.assert_array_equal(first.tokens.vectors, again.tokens.vectors)
    asked = token_states.token_states(encoder, texts, side="query")
    assert len(sorted(tmp_path.rglob("*.npz"))) == 4
    assert len(asked) == 3
    largest = max(path.stat().st_size for path in tmp_path.rglob("*.npz"))
    monkeypatch.setattr(token_states, "LIMIT", largest)
    token_states.token_states(encoder, ["Another text."])
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.npz")) <= largest
    assert len(token_states.token_states(encoder, [])) == 0


def test_a_small_run(documents: list[sentence_queries.Document], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gear, "beginnings", lambda: documents)
    judged = sentence_queries.judged_sentences()
    few = sorted(range(len(judged.texts)), key=lambda place: len(judged.texts[place]))[:6]
    part = sentence_queries.Asked(
        [judged.texts[at] for at in few],
        [judged.sentences[at] for at in few],
        judged.focus[:6],
        [judged.queries[at] for at in few],
        np.arange(6),
        [judged.right[at] for at in few],
    )
    monkeypatch.setattr(gear, "judged_sentences", lambda: part)
    monkeypatch.setattr(gear, "QUICK", gear.Sizes(40, 10, 24, 1, 1, 1))
    claims = gear.run(Settings(quick=True, progress=False))
    assert tuple(found.says for found in claims) == gear.INFO.claims
    assert [found.number for found in claims] == [1, 2, 3, 4, 5]
    for found in claims:
        values = [*found.measured.values(), *found.baseline.values()]
        assert values
        assert np.isfinite(values).all()
        assert found.verdict in ("reproduced", "not reproduced")
    # What likeness of words finds is far above chance on any sample.
    local = claims[3].baseline
    assert min(local["MaxSim"], local["words by idf"], local["sentence cosine"]) > 3 * local["random"]
    assert claims[0].baseline["alpha 0"] > 3 * local["random"]
