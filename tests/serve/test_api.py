"""The JSON API says what the collection says, in shapes that its OpenAPI document shows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from serve_helpers import EVIL, HERE, rows

from similia.collection import Collection
from similia.serve import create_app
from similia.serve.answers import to_json

ROOT = "/api/v1/collections/papers"


def keys(answer: dict[str, Any]) -> list[str]:
    return [hit["key"] for hit in answer["hits"]]


def test_the_collections(client: TestClient) -> None:
    (one,) = client.get("/api/v1/collections").json()["collections"]
    assert (one["name"], one["items"], one["senses"], one["writable"]) == ("papers", 60, ["topic", "heading"], True)
    assert one["fields"]["date"] == "date"
    assert client.get("/api/v1/health").json()["ok"] is True


def test_info_and_log_name_no_place_on_the_machine(client: TestClient, papers_folder: Any) -> None:
    for path in (ROOT, f"{ROOT}/log", f"{ROOT}/senses"):
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        assert str(papers_folder.parent) not in answer.text
    changes = client.get(f"{ROOT}/log").json()["changes"]
    assert [row["added"] for row in changes][-1] == 60


@pytest.mark.parametrize("mode", ["hybrid", "dense", "text"])
def test_search_is_what_the_collection_finds(client: TestClient, papers_folder: Any, mode: str) -> None:
    with Collection.open(papers_folder) as collection:
        expected = collection.search("speech recognition", mode=mode, where="open", k=7, offset=2)
    asked = {"q": "speech recognition", "mode": mode, "where": "open", "k": 7, "offset": 2}
    got = client.get(f"{ROOT}/search", params=asked).json()
    assert keys(got) == expected.keys
    assert np.allclose([hit["score"] for hit in got["hits"]], expected.scores)
    assert [hit["item"] for hit in got["hits"]] == json.loads(to_json(expected.items))
    assert got["total"] == expected.total == 30
    body = {"query": "speech recognition", "mode": mode, "where": "open", "k": 7, "offset": 2}
    assert keys(client.post(f"{ROOT}/search", json=body).json()) == expected.keys
    for hit in got["hits"]:
        assert set(hit["ranks"]) == set(hit["scores"]) == set(expected.views)


def test_pages_follow_on_each_other(client: TestClient) -> None:
    whole = keys(client.get(f"{ROOT}/search", params={"q": "ranking", "k": 20}).json())
    pages = [
        keys(client.get(f"{ROOT}/search", params={"q": "ranking", "k": 5, "offset": n}).json()) for n in (0, 5, 10, 15)
    ]
    assert [key for page in pages for key in page] == whole


def test_search_by_vector_by_item_and_with_chosen_fields(client: TestClient, papers_folder: Any) -> None:
    with Collection.open(papers_folder) as collection:
        dimension = collection.senses["topic"].dimension
        like = collection.search(like="item-020", k=5).keys
    vector = np.random.default_rng(0).normal(size=dimension).tolist()
    got = client.post(f"{ROOT}/search", json={"vector": vector, "mode": "dense", "k": 4, "fields": ["title"]}).json()
    assert len(got["hits"]) == 4
    assert all(set(hit["item"]) == {"title"} for hit in got["hits"])
    assert keys(client.get(f"{ROOT}/search", params={"like": "item-020", "k": 5}).json()) == like
    assert client.post(f"{ROOT}/search", json={"vector": vector[:-1], "mode": "dense"}).status_code == 422


def test_items_and_their_neighbours(client: TestClient) -> None:
    for row in rows()[:20]:
        got = client.get(f"{ROOT}/item", params={"key": row["id"]}).json()
        assert got["key"] == row["id"]
        assert got["item"]["title"] == row["title"]
        assert got["item"]["tags"] == row["tags"]
        near = client.get(f"{ROOT}/similar", params={"key": row["id"], "sense": "heading", "k": 3}).json()
        assert len(near["hits"]) == 3
        assert row["id"] not in keys(near)


def test_compare(client: TestClient) -> None:
    got = client.get(f"{ROOT}/compare", params={"a": "item-020", "b": "item-026"}).json()
    assert set(got["senses"]) == {"topic", "heading"}
    assert 0 <= got["senses"]["topic"]["percentile"] <= 100


def test_facets(client: TestClient) -> None:
    got = client.get(f"{ROOT}/facets", params={"field": "area", "where": "pages >= 6"}).json()
    expected: dict[str, int] = {}
    for row in rows():
        if row["pages"] >= 6:
            expected[row["area"]] = expected.get(row["area"], 0) + 1
    assert {one["value"]: one["count"] for one in got["values"]} == expected
    assert client.get(f"{ROOT}/facets", params={"field": "open"}).json()["values"][0]["value"] in (True, False)
    assert client.get(f"{ROOT}/facets", params={"field": "nope"}).status_code in (404, 422)


def test_filters_are_checked_as_they_are_typed(client: TestClient) -> None:
    assert client.get(f"{ROOT}/filter", params={"where": "pages > 3 AND open"}).json() == {
        "ok": True,
        "detail": "",
        "fields": ["open", "pages"],
    }
    wrong = client.get(f"{ROOT}/filter", params={"where": "pagse > 3"}).json()
    assert not wrong["ok"]
    assert "pages" in wrong["detail"]


def test_layout_gives_every_point_its_title_and_colour(client: TestClient) -> None:
    got = client.get(f"{ROOT}/layout", params={"colour": "area"}).json()
    assert got["total"] == 60
    by_key = {row["id"]: row for row in rows()}
    assert set(got["keys"]) == set(by_key)
    assert got["values"] == [by_key[key]["area"] for key in got["keys"]]
    assert len(got["x"]) == len(got["y"]) == len(got["titles"]) == 60
    assert len(set(zip(got["x"], got["y"], strict=True))) > 5
    assert client.get(f"{ROOT}/layout", params={"colour": "nope"}).status_code == 422


def test_labels(client: TestClient) -> None:
    classes = {"audio": ["speech", "acoustic model"], "search": ["rankings", "retrieval", "queries"]}
    got = client.post(f"{ROOT}/label", json={"classes": classes, "k": 20}).json()
    assert got["total"] == 60
    assert sum(got["counts"].values()) == 60
    assert len(got["labels"]) == 20
    assert all(set(one["scores"]) == set(classes) for one in got["labels"])


def test_adding_a_few_items(fresh: Collection) -> None:
    with TestClient(create_app(fresh), base_url=HERE) as client:
        body = {"items": [{"id": "new", "title": "Zebras of the north"}], "key": "id"}
        assert client.post("/api/v1/collections/fresh/items", json=body).json()["added"] == 1
        found = client.get("/api/v1/collections/fresh/search", params={"q": "zebras", "k": 1}).json()
        assert keys(found) == ["new"]
        assert client.post("/api/v1/collections/fresh/items", json=body).status_code == 422
        assert client.post("/api/v1/collections/fresh/items", json={**body, "on_duplicate": "skip"}).status_code == 200


UNKNOWN = [
    ("GET", "/api/v1/collections/nope/search?q=a", 404),
    ("GET", "/api/v1/collections/nope", 404),
    ("GET", f"{ROOT}/item?key=nope", 404),
    ("GET", f"{ROOT}/similar?key=nope", 404),
    ("GET", f"{ROOT}/similar?key=item-020&sense=nope", 404),
    ("GET", f"{ROOT}/search?q=a&sense=nope", 404),
    ("GET", f"{ROOT}/search?q=a&mode=nope", 422),
    ("GET", f"{ROOT}/search?q=a&where=nope%3D1", 422),
    ("GET", f"{ROOT}/search", 422),
    ("GET", f"{ROOT}/search?q=a&like=b", 404),
    ("GET", f"{ROOT}/search?q=a&unlike=b", 404),
    ("GET", f"{ROOT}/search?unlike=item-020", 422),
    ("GET", f"{ROOT}/search?q=a&min_relevance=1.5", 422),
    ("GET", f"{ROOT}/search?q=a&min_relevance=nan", 422),
    ("GET", f"{ROOT}/search?q=a&evidence=11", 422),
    ("GET", f"{ROOT}/search?q=a&evidence=1&k=101", 422),
    ("GET", f"{ROOT}/search?q=a{'&like=item-020' * 51}", 422),
    ("GET", f"{ROOT}/judgments?source=nope", 422),
    ("POST", f"{ROOT}/judgments", 422),
    ("GET", f"{ROOT}/search?like=nope", 404),
    ("GET", f"{ROOT}/compare?a=nope&b=item-020", 404),
    ("GET", f"{ROOT}/compare?a=item-020", 422),
    ("GET", f"{ROOT}/layout?sense=nope", 404),
    ("GET", f"{ROOT}/uploads/nope", 404),
    ("POST", f"{ROOT}/uploads/nope/add", 422),
    ("DELETE", f"{ROOT}/uploads/nope", 404),
    ("GET", "/api/v1/nope", 404),
    ("PUT", f"{ROOT}/search", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), UNKNOWN)
def test_what_is_unknown_gets_one_sentence(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert list(said) == ["detail"]
    assert isinstance(said["detail"], str)
    assert said["detail"]
    assert "Traceback" not in said["detail"]
    assert "\n" not in said["detail"]


def test_the_openapi_document_is_complete(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            assert said["summary"], (method, path)
    assert document["paths"]["/api/v1/collections/{name}/search"]["post"]["requestBody"]
    assert document["components"]["schemas"]["SearchBody"]["examples"]


def test_examples_of_the_openapi_document_work(fresh: Collection) -> None:
    with TestClient(create_app(fresh), base_url=HERE) as client:
        document = client.get("/api/v1/openapi.json").json()
        schemas = document["components"]["schemas"]
        assert (
            client.post("/api/v1/collections/fresh/search", json={**schemas["SearchBody"]["examples"][0]}).status_code
            == 200
        )
        assert (
            client.post("/api/v1/collections/fresh/label", json=schemas["LabelBody"]["examples"][0]).status_code == 200
        )
        assert (
            client.post("/api/v1/collections/fresh/items", json=schemas["ItemsBody"]["examples"][0]).status_code == 200
        )


def test_odd_values_become_json(tmp_path: Any) -> None:
    odd = {"id": "odd", "title": "odd", "nan": float("nan"), "big": 2**70, "empty": "", "nested": {"a": [None, "💥"]}}
    with Collection.open(tmp_path / "odd", create=True) as collection:
        collection.add([odd, {"id": "b", "title": "b", "nan": 1.5, "big": 1}], key="id", encoder="hashing")
        with TestClient(create_app(collection), base_url=HERE) as client:
            item = client.get("/api/v1/collections/odd/item?key=odd").json()["item"]
            assert item["nan"] is None
            assert item["big"] == 2**70
            assert item["nested"] == {"a": [None, "💥"]}
            for path in ("/c/odd/", "/c/odd/item?key=odd", "/c/odd/compare?a=odd&b=b", "/c/odd/map", "/c/odd/info"):
                assert client.get(path).status_code == 200, path


def test_keys_of_any_form_are_found(client: TestClient) -> None:
    for key in EVIL[:6]:
        assert client.get(f"{ROOT}/item", params={"key": key}).json()["key"] == key
