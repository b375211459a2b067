"""Bodies, k, offsets and lengths have limits, whatever a client says about them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from serve_helpers import HERE

from similia.errors import InputError
from similia.serve import create_app, limits
from similia.serve.settings import MAX_JSON

ROOT = "/api/v1/collections/papers"
LIMIT = 50_000


@pytest.fixture(scope="module")
def small(papers_folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(papers_folder, max_body=LIMIT, max_k=20), base_url=HERE) as one:
        yield one


def chunks(size: int) -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    for _ in range(size // 1000):
        yield b"x" * 1000
    yield b"\r\n--b--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def test_a_declared_size_beyond_the_limit(small: TestClient) -> None:
    answer = small.post(f"{ROOT}/uploads", content=b"".join(chunks(LIMIT)), headers=FORM)
    assert answer.status_code == 413
    assert "50,000 bytes" in answer.json()["detail"]


def test_a_size_that_is_not_declared_is_counted(small: TestClient) -> None:
    answer = small.post(f"{ROOT}/uploads", content=chunks(4 * LIMIT), headers=FORM)  # an iterator is sent in chunks
    assert answer.status_code == 413
    assert answer.json() == {"detail": "the body is larger than 50,000 bytes, the limit here"}


def test_other_requests_have_a_smaller_limit(small: TestClient) -> None:
    big = b'{"query": "' + b"a" * (MAX_JSON + 10) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert small.post(f"{ROOT}/search", content=big, headers=headers).status_code == 413
    assert small.post(f"{ROOT}/search", content=iter([big[:100], big[100:]]), headers=headers).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert small.post("/login", content=iter([b"token=", big]), headers=form).status_code == 413


@pytest.mark.parametrize("k", [0, -1, 21, 10_001, 10**30, "ten", 1.5])
def test_k(small: TestClient, k: object) -> None:
    for path in (f"{ROOT}/search?q=a&k={k}", f"{ROOT}/similar?key=item-020&k={k}"):
        answer = small.get(path)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("k")
    if not isinstance(k, str):
        assert small.post(f"{ROOT}/search", json={"query": "a", "k": k}).status_code == 422
    assert small.get(f"/c/papers/?q=a&k={k}").status_code == 422


def test_k_at_the_limit(small: TestClient) -> None:
    assert len(small.get(f"{ROOT}/search?q=study&k=20").json()["hits"]) == 20


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "a" * 4_001},
        {"q": "a", "where": "pages > 1 AND " * 1_000 + "open"},
        {"q": "a", "offset": 100_001},
        {"q": "a", "offset": -1},
        {"q": "a", "sense": "s" * 300},
        {"like": "k" * 2_001},
    ],
)
def test_lengths(small: TestClient, asked: dict[str, str]) -> None:
    assert small.get(f"{ROOT}/search", params=asked).status_code == 422


def test_an_offset_beyond_the_end_finds_nothing(small: TestClient) -> None:
    assert small.get(f"{ROOT}/search?q=a&offset=5000").json()["hits"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"query": 3}',
        b'{"query": "a", "unknown": 1}',
        b'{"query": "a", "vector": [1]}',
        b'{"vector": []}',
        b'{"vector": ["a"]}',
        b'{"vector": [NaN]}',
        b'{"query": "\xff"}',
        b"\x00\x01",
        b"[" * 5_000,
    ],
)
def test_bodies_that_are_no_search(small: TestClient, body: bytes) -> None:
    answer = small.post(f"{ROOT}/search", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert isinstance(answer.json()["detail"], str)


def test_label_limits(small: TestClient) -> None:
    many = {f"class {number}": ["a"] for number in range(501)}
    assert small.post(f"{ROOT}/label", json={"classes": many}).status_code == 422
    assert small.post(f"{ROOT}/label", json={"classes": {}}).status_code == 422
    assert small.post(f"{ROOT}/label", json={"classes": {"a": ["x"]}, "k": 21}).status_code == 422


@pytest.mark.parametrize("given", [{"max_k": 0}, {"max_k": 10_001}, {"max_body": 0}])
def test_settings_that_make_no_sense(papers_folder: Path, given: dict[str, int]) -> None:
    with pytest.raises(InputError):
        create_app(papers_folder, **given)  # type: ignore[arg-type]


def test_a_read_only_server_changes_nothing(papers_folder: Path) -> None:
    with TestClient(create_app(papers_folder, allow_upload=False), base_url=HERE) as client:
        assert client.post(f"{ROOT}/items", json={"items": [{"id": "x", "title": "x"}]}).status_code == 400
        assert client.post(f"{ROOT}/uploads", files={"file": ("a.csv", b"id,title\n1,x\n")}).status_code == 400
        assert client.post("/c/papers/upload", files={"file": ("a.csv", b"id,title\n1,x\n")}).status_code == 400
        body = {"classes": {"a": ["x"], "b": ["y"]}, "save": "label"}
        assert client.post(f"{ROOT}/label", json=body).status_code == 400
        assert client.get("/api/v1/collections").json()["collections"][0]["items"] == 60
        assert "/upload" not in client.get("/c/papers/").text


def test_a_body_that_does_not_come_is_given_up(papers_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_PATIENCE", 0.05)
    app = create_app(papers_folder)
    sent: list[Any] = []
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": f"{ROOT}/search", "headers": headers, "query_string": b""}

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)  # a client that sends its headers, and then nothing
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({**scope, "http_version": "1.1", "scheme": "http"}, receive, send))
    assert sent[0]["status"] == 408
    assert b"no part of the body came" in sent[1]["body"]
    app.state.context.shelf.close()
