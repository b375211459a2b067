"""Hits are judged over the API and on the page, by those who may change the collection."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from serve_helpers import EVIL, HERE

from similia.collection import Collection
from similia.serve import create_app

ROOT = "/api/v1/collections/fresh"


@pytest.fixture
def writing(fresh: Collection) -> Iterator[TestClient]:
    with TestClient(create_app(fresh), base_url=HERE) as client:
        yield client


def form_of(text: str, place: int) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """The hidden fields of a hit's form, and its buttons: value, pressed, label."""
    hit = text[text.index(f'id="hit-{place}"') :]
    form = hit[hit.index("<form") : hit.index("</form>")]
    hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form)
    buttons = re.findall(r'<button[^>]*value="([^"]*)"[^>]*aria-pressed="([^"]*)"[^>]*>([^<]*)<', form)
    return {name: html.unescape(value) for name, value in hidden}, buttons


def test_a_judgment_over_the_api(writing: TestClient, fresh: Collection) -> None:
    body = {"query": "speech", "item": "item-023", "grade": 3, "note": "<b>good</b>"}
    assert writing.post(f"{ROOT}/judgments", json=body).json() == {
        "added": 1,
        "replaced": 0,
        "skipped": 0,
        "unknown": [],
    }
    assert writing.post(f"{ROOT}/judgments", json={**body, "grade": 2.5}).json()["replaced"] == 1
    like = {"like": "item-024", "item": "item-023", "grade": 0, "sense": "topic"}
    assert writing.post(f"{ROOT}/judgments", json=like).json()["added"] == 1
    assert fresh.judgments.qrels() == {"speech": {"item-023": 2.5}}
    told = writing.get(f"{ROOT}/judgments").json()
    assert told["total"] == 2
    assert [one["like"] for one in told["judgments"]] == ["item-024", None]
    assert told["judgments"][1]["note"] == "<b>good</b>"
    assert writing.get(f"{ROOT}/judgments", params={"q": "speech"}).json()["total"] == 1
    assert writing.get(f"{ROOT}/judgments", params={"like": "item-024", "source": "page"}).json()["total"] == 1
    assert writing.get(f"{ROOT}/judgments", params={"source": "click"}).json() == {"total": 0, "judgments": []}
    paged = writing.get(f"{ROOT}/judgments", params={"k": 1, "offset": 1}).json()
    assert (paged["total"], [one["query"] for one in paged["judgments"]]) == (2, ["speech"])


def test_a_click_counts_once_and_is_no_judgment(writing: TestClient, fresh: Collection) -> None:
    body = {"query": "speech", "item": "item-023", "grade": 1, "source": "click", "sense": "topic"}
    assert [writing.post(f"{ROOT}/judgments", json=body).json()["added"] for _ in range(3)] == [1, 0, 0]
    changes = fresh.version
    writing.post(f"{ROOT}/judgments", json=body)
    assert fresh.version == changes
    assert fresh.judgments.qrels() == {}
    assert fresh.judgments.qrels(sources=["click"]) == {"speech": {"item-023": 1}}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"grade": 3.5}, 422),
        ({"grade": -1}, 422),
        ({"grade": "good"}, 422),
        ({"source": "file"}, 422),
        ({"like": "item-024"}, 422),
        ({"query": None}, 422),
        ({"query": "  "}, 422),
        ({"item": "nope"}, 404),
        ({"sense": "nope"}, 404),
        ({"rerank": "chat:http://127.0.0.1#x"}, 422),
    ],
)
@pytest.mark.parametrize("source", ["page", "click"])
def test_what_is_no_judgment_stores_nothing(
    writing: TestClient, fresh: Collection, changed: dict[str, Any], status: int, source: str
) -> None:
    body = {"query": "speech", "item": "item-023", "grade": 1, "source": source, **changed}
    answer = writing.post(f"{ROOT}/judgments", json=body)
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["detail"]
    assert len(fresh.judgments) == 0


@pytest.mark.parametrize("asked", [{"q": "speech recognition"}, {"like": "item-024"}])
def test_a_hit_is_judged_without_a_script(writing: TestClient, fresh: Collection, asked: dict[str, str]) -> None:
    where = "open"
    page = writing.get("/c/fresh/", params={**asked, "where": where, "k": 5, "offset": 2, "min_relevance": 0.1}).text
    hidden, buttons = form_of(page, 4)
    assert [(value, pressed) for value, pressed, _ in buttons] == [("0", "false"), ("1", "false"), ("2", "false")]
    back = writing.post("/c/fresh/judge", data={**hidden, "grade": "2"}, follow_redirects=False)
    assert back.status_code == 303
    assert back.headers["location"].endswith("#hit-4")
    again = writing.get(back.headers["location"]).text
    assert form_of(again, 4)[0] == hidden  # the same search, and the same hit in it
    assert [(value, pressed) for value, pressed, _ in form_of(again, 4)[1]][2] == ("none", "true")
    (one,) = fresh.judgments
    assert (one.item, one.grade, one.source, one.sense) == (hidden["item"], 2, "page", "topic")
    assert (one.query, one.like) == (next(iter(asked.values())), "like" in asked)
    writing.post("/c/fresh/judge", data={**hidden, "grade": "none"})
    assert len(fresh.judgments) == 0


def test_a_form_leads_to_this_collection_only(writing: TestClient) -> None:
    for text in [*EVIL, "//evil.example", "https://evil.example"]:
        data = {"item": "item-023", "grade": "1", "q": text, "where": text, "sense": "topic"}
        answer = writing.post("/c/fresh/judge", data=data, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("/c/fresh/?")
        assert "stolen" not in answer.headers.get("set-cookie", "")
    for data in [{"item": "item-023"}, {"item": "item-023", "grade": "3", "q": "a"}, {"grade": "1", "q": "a"}]:
        assert writing.post("/c/fresh/judge", data=data).status_code == 422
    assert writing.post("/c/fresh/judge", data={"item": "item-023", "grade": "1"}).status_code == 422
    assert writing.post("/c/fresh/judge", data={"item": "nope", "grade": "1", "q": "a"}).status_code == 404


def test_without_a_query_nothing_is_taken_back(writing: TestClient, fresh: Collection) -> None:
    fresh.judgments.add("speech", "item-023", 2, sense="topic", source="page")
    for asked in ({}, {"q": " "}, {"q": "other"}, {"like": "item-024"}):
        writing.post("/c/fresh/judge", data={"item": "item-023", "grade": "none", **asked})
    assert len(fresh.judgments) == 1


def test_only_a_search_can_be_judged(writing: TestClient) -> None:
    assert "data-judge" in writing.get("/c/fresh/?q=speech").text
    assert "data-judge" not in writing.get("/c/fresh/").text
    assert "data-judge" not in writing.get("/c/fresh/?where=open").text


def test_a_server_that_shows_only_takes_no_judgments(fresh: Collection) -> None:
    fresh.judgments.add("speech", "item-023", 2, sense="topic", source="page")
    with TestClient(create_app(fresh, allow_upload=False), base_url=HERE) as client:
        body = {"query": "speech", "item": "item-024", "grade": 1}
        for source in ("page", "click"):
            assert client.post(f"{ROOT}/judgments", json={**body, "source": source}).status_code == 400
        data = {"item": "item-024", "grade": "1", "q": "speech"}
        assert client.post("/c/fresh/judge", data=data).status_code == 400
        assert client.post("/c/fresh/judge", data={**data, "item": "item-023", "grade": "none"}).status_code == 400
        text = client.get("/c/fresh/?q=speech").text
        for gone in ("data-judge", "data-hit", "data-grade", "data-query"):
            assert gone not in text
        assert client.get(f"{ROOT}/judgments").json()["total"] == 1
    assert len(fresh.judgments) == 1
