"""Searches like several items, cut by relevance and with evidence: over the API and on the page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from serve_helpers import EVIL, HERE, rows

from similia.collection import Collection
from similia.serve import create_app
from similia.serve.highlight import spans, surroundings

ROOT = "/api/v1/collections/papers"
NOTHING = "quantum chromodynamics zebra"


def keys(answer: dict[str, Any]) -> list[str]:
    return [hit["key"] for hit in answer["hits"]]


def test_items_beside_a_query_and_items_against_it(client: TestClient, papers_folder: Any) -> None:
    how: dict[str, Any] = {"like": ["item-020", "item-025"], "unlike": ["item-030"], "k": 6}
    with Collection.open(papers_folder) as collection:
        expected = collection.search("speech", **how).keys
        alone = collection.search(like=how["like"], k=6).keys
    assert keys(client.get(f"{ROOT}/search", params={"q": "speech", **how}).json()) == expected
    assert keys(client.post(f"{ROOT}/search", json={"query": "speech", **how}).json()) == expected
    assert not {"item-020", "item-025", "item-030"} & set(expected)
    assert keys(client.get(f"{ROOT}/search", params={"like": how["like"], "k": 6}).json()) == alone
    one = {"like": "item-020", "unlike": "item-030", "k": 6}
    assert keys(client.post(f"{ROOT}/search", json=one).json()) == keys(client.get(f"{ROOT}/search", params=one).json())


def test_evidence_stands_where_it_says(client: TestClient) -> None:
    asked = {"q": "acoustic models of speech", "k": 8, "evidence": 2}
    got = client.get(f"{ROOT}/search", params=asked).json()
    assert got["hits"]
    for hit in got["hits"]:
        assert 1 <= len(hit["evidence"]) <= 2
        for one in hit["evidence"]:
            text = hit["item"][one["field"]]
            assert text[one["start"] : one["stop"]] == one["text"]
            assert all(one["start"] <= a < z <= one["stop"] for a, z in one["words"])
    body = {"query": asked["q"], "k": 8, "evidence": 2}
    hits = client.post(f"{ROOT}/search", json=body).json()["hits"]
    assert [hit["evidence"] for hit in hits] == [hit["evidence"] for hit in got["hits"]]
    plain = client.get(f"{ROOT}/search", params={"q": "speech"}).json()
    assert not {"presence", "calibrated"} & set(plain)
    assert all(not {"relevance", "evidence"} & set(hit) for hit in plain["hits"])


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    asked: dict[str, Any] = {"q": NOTHING, "min_relevance": 0.5}
    got = client.get(f"{ROOT}/search", params=asked).json()
    assert (got["hits"], got["calibrated"]) == ([], "estimated without judgments")
    assert got["presence"] < 0.5
    assert "there seems to be nothing on this" in got["note"]
    text = client.get("/c/papers/", params=asked).text
    assert "there seems to be nothing on this" in text
    (link,) = [html.unescape(one) for one in re.findall(r'<div class="empty">.*?href="([^"]*)"', text)]
    assert "min_relevance" not in link
    assert 'class="result"' in client.get(link).text
    there = client.get("/c/papers/", params={"q": "speech recognition", "min_relevance": 0.5}).text
    assert "sure that there is something on this" in there
    assert re.search(r'name="min_relevance" value="0.5" checked', there)


def test_relevance_is_learnt_from_judgments_and_shown(tmp_path: Any) -> None:
    with Collection.open(tmp_path / "papers", create=True) as collection:
        collection.add(rows(), key="id", text=["title", "abstract"], encoder="hashing")
        titles = [row["title"].replace("part", "study") for row in rows()[14:40]]
        for place, title in enumerate(titles, 14):
            collection.judgments.add(title, f"item-{place:03d}", 2)
            collection.judgments.add(title, f"item-{(place + 3) % 26 + 14:03d}", 0)
        with TestClient(create_app(collection), base_url=HERE) as client:
            asked = {"q": titles[0], "min_relevance": 0.01}
            got = client.get(f"{ROOT}/search", params=asked).json()
            assert got["hits"]
            assert all(0.01 <= hit["relevance"] <= 1 for hit in got["hits"])
            assert "judged queries" in got["calibrated"]
            shown = re.findall(r"(\d+)% relevant", client.get("/c/papers/", params=asked).text)
            assert [int(one) for one in shown] == [round(hit["relevance"] * 100) for hit in got["hits"]]


def test_the_page_shows_the_sentence_that_speaks(client: TestClient) -> None:
    speaking = re.compile(r'<strong class="speaks">(.*?)</strong>', re.DOTALL)
    plain = client.get("/c/papers/?q=acoustic+model").text
    assert not speaking.findall(plain)
    link = next(html.unescape(one) for one in re.findall(r'href="([^"]*)" data-swap>Show the sentence', plain))
    for path in (link, "/c/papers/?q=acoustic+model&mode=text"):
        first = speaking.findall(client.get(path).text)[0]
        assert "<mark>acoustic</mark> <mark>model</mark>" in first


@pytest.mark.parametrize("text", EVIL)
def test_hostile_sentences_are_text(tmp_path: Any, text: str) -> None:
    with Collection.open(tmp_path / "evil", create=True) as collection:
        rows = [{"id": f"{n}{text}", "title": f"no {n}", "abstract": f"One. Zebras {text} {n}. Two."} for n in range(3)]
        collection.add(rows, key="id", text=["title", "abstract"], encoder="hashing")
        with TestClient(create_app(collection), base_url=HERE) as client:
            for query in ("zebras", f"zebras {text}"):
                page = client.get("/c/evil/", params={"q": query, "evidence": 1})
                assert page.status_code == 200
                assert 'class="speaks"' in page.text
                for broken in ("<script>document", "<img", "<svg onload", "8641969"):
                    assert broken not in page.text.replace(",", "")


TEXTS = st.text(alphabet="ab .<&", max_size=80)


@given(TEXTS, st.data())
def test_a_sentence_in_its_surroundings(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    places = data.draw(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=5))
    assert "".join(piece.text for piece in spans(text, start, stop, places)) == text[start:stop]
    length = data.draw(st.integers(1, 120))
    before, after = surroundings(text, start, stop, length)
    assert text[:start].endswith(before.removeprefix("… ")) or before == "… "
    assert text[stop:].startswith(after.removesuffix(" …"))
    assert len(before) + len(after) <= max(0, length - (stop - start)) + 4
