"""Files are read, shown, added in the background; what goes wrong is said and leaves nothing behind."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from serve_helpers import HERE, rows

from similia.collection import Collection
from similia.collection.store import Store
from similia.serve import create_app
from similia.serve import uploads as module

ROOT = "/api/v1/collections/fresh"


@pytest.fixture
def client(fresh: Collection) -> Iterator[TestClient]:
    with TestClient(create_app(fresh), base_url=HERE, raise_server_exceptions=False) as one:
        yield one


def jsonl(items: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def wait(client: TestClient, upload: dict[str, Any], *rests: str) -> dict[str, Any]:
    """Ask until the upload is in one of the states ``rests``, or in one that it does not leave."""
    for _ in range(600):
        said: dict[str, Any] = client.get(f"{ROOT}/uploads/{upload['id']}").json()
        if said["state"] in (*rests, "done", "failed", "stopped"):
            return said
        time.sleep(0.02)
    raise AssertionError(said)


def send(client: TestClient, name: str, content: bytes, **form: str) -> dict[str, Any]:
    answer = client.post(f"{ROOT}/uploads", files={"file": (name, content)}, data=form)
    assert answer.status_code == 202, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_a_file_is_shown_and_then_added(client: TestClient, fresh: Collection) -> None:
    new = [{**row, "id": f"new-{row['id']}"} for row in rows(40)[20:]]
    said = wait(client, send(client, "new.jsonl", jsonl(new)), "ready")
    assert said["state"] == "ready", said
    assert said["rows"] == 20
    assert said["key"] == "id"
    types = {field["name"]: field["type"] for field in said["fields"]}
    assert (types["date"], types["pages"], types["open"], types["tags"]) == ("date", "integer", "boolean", "list")
    assert len(fresh) == 22
    answer = client.post(f"{ROOT}/uploads/{said['id']}/add", json={"key": "id"})
    assert answer.status_code == 202
    done = wait(client, said)
    assert (done["state"], done["done"], done["report"]["added"]) == ("done", 20, 20)
    assert len(fresh) == 42
    assert client.get(f"{ROOT}/item", params={"key": "new-item-030"}).json()["item"]["title"] == new[10]["title"]
    again = client.post(f"{ROOT}/uploads/{said['id']}/add", json={"key": "id"})
    assert again.status_code == 422


def test_a_file_is_added_at_once(client: TestClient, fresh: Collection) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["id", "title", "abstract"])
    writer.writeheader()
    writer.writerows({"id": f"c{n}", "title": f"Title, {n}", "abstract": "a\nb"} for n in range(5))
    done = wait(client, send(client, "five.csv", text.getvalue().encode(), start="true", key="id"))
    assert done["state"] == "done", done
    assert len(fresh) == 27


@pytest.mark.parametrize(("choice", "title", "count"), [("skip", "old", 0), ("replace", "new", 0)])
def test_keys_that_are_there_already(
    client: TestClient, fresh: Collection, choice: str, title: str, count: int
) -> None:
    item = {"id": "item-020", "title": "new", "abstract": "new"}
    fresh.add([{**item, "title": "old"}], key="id", on_duplicate="replace")
    failed = wait(client, send(client, "same.jsonl", jsonl([item]), start="true", key="id"))
    assert failed["state"] == "failed"
    assert "item-020" in failed["error"]
    done = wait(client, send(client, "same.jsonl", jsonl([item]), start="true", key="id", on_duplicate=choice))
    assert (done["state"], done["report"]["added"]) == ("done", count)
    assert fresh["item-020"]["title"] == title
    assert len(fresh) == 22


def test_types_can_be_set(client: TestClient, fresh: Collection) -> None:
    said = wait(client, send(client, "a.csv", b"id,title,code\nx1,Thing,007\n"), "ready")
    body = {"key": "id", "types": {"code": "text"}}
    assert client.post(f"{ROOT}/uploads/{said['id']}/add", json=body).status_code == 202
    assert wait(client, said)["state"] == "done"
    assert fresh["x1"]["code"] == "007"


@pytest.mark.parametrize(
    "body", [{"key": "nope"}, {"text": ["nope"]}, {"types": {"nope": "text"}}, {"other": 1}, {"key": ""}]
)
def test_fields_that_are_not_there(client: TestClient, body: dict[str, Any]) -> None:
    said = wait(client, send(client, "a.csv", b"id,title\nx1,Thing\n"), "ready")
    assert client.post(f"{ROOT}/uploads/{said['id']}/add", json=body).status_code == 422
    assert client.delete(f"{ROOT}/uploads/{said['id']}").json()["state"] == "stopped"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.jsonl", b'{"id": 1}\n{"id": \n'),
        ("empty.csv", b""),
        ("binary.parquet", b"PAR1 not really"),
        ("packed.jsonl.xz", b"not xz"),
        ("unknown.exe", b"MZ\x00\x00"),
        ("../../../../tmp/evil.jsonl", b"{"),
        ("-", b"{"),
        ("a" * 300 + ".csv", b"\xff\xfe\xfd"),
    ],
)
def test_files_that_cannot_be_read(client: TestClient, fresh: Collection, name: str, content: bytes) -> None:
    failed = wait(client, send(client, name, content), "ready")
    assert failed["state"] == "failed", failed
    assert failed["error"]
    assert "/tmp" not in failed["error"]
    assert str(Path.home()) not in failed["error"]
    assert ".uploads" not in failed["error"]
    assert len(fresh) == 22


def test_no_file(client: TestClient) -> None:
    assert client.post(f"{ROOT}/uploads", data={"key": "id"}).status_code == 422
    assert client.post(f"{ROOT}/uploads", json={"file": "x"}).status_code == 422
    assert client.post("/c/fresh/upload", data={"file": "x"}).status_code == 404


def test_without_scripts_the_form_adds(client: TestClient, fresh: Collection) -> None:
    answer = client.post("/c/fresh/upload", files={"file": ("one.jsonl", jsonl([{"id": "one", "title": "One"}]))})
    assert answer.status_code == 200  # after the redirect to the page
    (upload,) = client.get(f"{ROOT}/uploads").json()["uploads"]
    assert wait(client, upload)["state"] == "done"
    assert "one.jsonl" in client.get("/c/fresh/upload").text
    assert "one" in fresh


def test_only_so_many_files_are_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 2)
    held = [wait(client, send(client, "a.csv", b"id,title\nx1,Thing\n"), "ready") for _ in range(2)]
    refused = client.post(f"{ROOT}/uploads", files={"file": ("a.csv", b"id,title\nx1,Thing\n")})
    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    client.delete(f"{ROOT}/uploads/{held[0]['id']}")
    wait(client, send(client, "a.csv", b"id,title\nx1,Thing\n"), "ready")


def test_nothing_is_left_on_the_disk(fresh: Collection) -> None:
    app = create_app(fresh)
    with TestClient(app, base_url=HERE) as client:
        wait(client, send(client, "a.csv", b"id,title\nx1,Thing\n", start="true"))
        wait(client, send(client, "b.csv", b"id,title\nx2,Thing\n"), "ready")
        assert [path.name for path in fresh.path.rglob("*.csv")] == ["b.csv"]
    assert not list(fresh.path.rglob("*.csv"))
    report = fresh.check()
    assert report.ok, report


def test_another_writer_is_waited_for(fresh: Collection) -> None:
    with (
        Collection.open(fresh.path, wait=0.1) as impatient,
        Store.open(fresh.path) as other,
        TestClient(create_app(impatient), base_url=HERE) as client,
    ):
        item = {"id": "later", "title": "Later"}
        with other.change("add", {}):
            busy = client.post(f"{ROOT}/items", json={"items": [item], "key": "id"})
            assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
            assert str(fresh.path.parent) not in busy.text
            upload = send(client, "later.jsonl", jsonl([item]), start="true", key="id")
            time.sleep(1)
            assert client.get(f"{ROOT}/uploads/{upload['id']}").json()["state"] in ("reading", "waiting", "adding")
            assert client.get(f"{ROOT}/search?q=speech").status_code == 200
        assert wait(client, upload)["state"] == "done"
        assert client.get(f"{ROOT}/item?key=later").status_code == 200


def test_twenty_threads_search_while_a_file_is_added(client: TestClient, fresh: Collection) -> None:
    many = [{"id": f"u{n}", "title": f"Zebra number {n}", "abstract": "stripes and grass"} for n in range(1_500)]
    upload = send(client, "many.jsonl", jsonl(many), start="true", key="id")
    problems: list[str] = []
    seen: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = client.get(f"{ROOT}/search", params={"q": "zebra stripes", "k": 5, "where": "title IS NOT NULL"})
            if answer.status_code != 200:
                problems.append(answer.text)
                return
            seen.append(answer.json()["total"])

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    try:
        done = wait(client, upload)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert done["state"] == "done", done
    assert not problems
    assert len(seen) >= 20
    assert all(22 <= total <= 1_522 for total in seen)
    final = client.get(f"{ROOT}/search", params={"q": "zebra stripes", "k": 5, "where": "title IS NOT NULL"}).json()
    assert final["total"] == 1_522
    assert all(hit["key"].startswith("u") for hit in final["hits"])
