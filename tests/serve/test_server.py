"""The server as a process: its first line, its port, its token, its end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from serve_helpers import server

from similia.serve.server import AddressTaken, Ready, run


def connect(url: str, timeout: float = 30) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def get(url: str, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    connection = connect(url)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_when_asked(papers_folder: Path, number: signal.Signals) -> None:
    with server(papers_folder) as (process, said):
        url = said["ready"]
        assert url.startswith("http://127.0.0.1:")
        assert get(url, "/api/v1/health").status == 200
        assert get(url, "/c/papers/?q=speech").status == 200
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_request_under_way_is_answered_before_the_end(papers_folder: Path) -> None:
    with server(papers_folder) as (process, said):
        connection = connect(said["ready"])
        body = json.dumps({"query": "speech", "k": 3}).encode()
        connection.putrequest("POST", "/api/v1/collections/papers/search")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])  # the server waits for the rest of this request ...
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)  # ... when it is told to stop
        time.sleep(0.5)
        with pytest.raises(OSError, match="refused"):
            connect(said["ready"], 2).request("GET", "/")
        assert process.poll() is None
        connection.send(body[10:])
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(json.loads(answer.read())["hits"]) == 3
        connection.close()
        assert process.wait(30) == 0


def test_the_size_of_a_body_is_what_comes(papers_folder: Path) -> None:
    with server(papers_folder, max_body=20_000) as (_, said):
        parts = urlsplit(said["ready"])
        path = "/api/v1/collections/papers/uploads"
        head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"

        def status(sent: bytes) -> int:
            with socket.create_connection((parts.hostname, parts.port), 20) as plain:
                with contextlib.suppress(OSError):  # it may hang up as soon as it has seen enough
                    plain.sendall(sent)
                return int(plain.recv(65536).split()[1])

        assert status(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40) == 413
        assert status(head.encode() + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100) == 413
        # A Content-Length that is too small cuts the body there: what follows is no part of it.
        assert status(head.encode() + b"Content-Length: 10\r\n\r\n" + b"x" * 40_000) in (400, 422)
        assert status(head.encode() + b"Content-Length: -5\r\n\r\n" + b"x") == 400
        assert status(head.encode() + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxxx") == 400
        assert status(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400
        assert status(b"GET / HTTP/1.1\r\n\r\n") == 400
        assert status(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n") == 421
        assert status(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n") in (400, 431)
        assert get(said["ready"], "/api/v1/health").status == 200


def test_other_machines_need_a_token_which_is_made_and_shown(papers_folder: Path) -> None:
    with server(papers_folder, host="0.0.0.0") as (process, said):
        token = said["token"]
        assert len(token) >= 24
        assert said["open"].endswith(f"/login#{token}")
        url = said["ready"].replace("localhost", "127.0.0.1")
        assert get(url, "/api/v1/health").status == 401
        assert get(url, "/api/v1/health", {"Authorization": f"Bearer {token}"}).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_port_that_is_taken(papers_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressTaken, match="--port"):
        run(papers_folder, port=taken.getsockname()[1])
    with pytest.raises(AddressTaken):
        run(papers_folder, host="192.0.2.1", port=0)


def test_many_ask_at_once(papers_folder: Path) -> None:
    with server(papers_folder) as (_, said):
        statuses: list[int] = []

        def ask() -> None:
            for _ in range(5):
                statuses.append(get(said["ready"], "/api/v1/collections/papers/search?q=speech").status)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 100


def test_a_file_that_was_being_added_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A server is killed while it adds; the same file sent to a new one is completed, nothing twice."""
    from similia.collection import Collection

    with Collection.open(tmp_path / "c", create=True) as collection:
        collection.add([{"id": "first", "title": "First"}], key="id", encoder="hashing")
    lines = "".join(json.dumps({"id": f"u{n}", "title": f"Title {n} " + "word " * 100}) + "\n" for n in range(5_000))
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="many.jsonl"\r\n\r\n' + lines.encode()
        + b'\r\n--b\r\nContent-Disposition: form-data; name="start"\r\n\r\ntrue\r\n--b\r\n'
        + b'Content-Disposition: form-data; name="on_duplicate"\r\n\r\nskip\r\n--b--\r\n'
    )  # fmt: skip

    def send(url: str) -> str:
        connection = connect(url)
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        connection.request("POST", "/api/v1/collections/c/uploads", body, headers)
        identity: str = json.loads(connection.getresponse().read())["id"]
        connection.close()
        return identity

    with server(tmp_path / "c") as (process, said):
        send(said["ready"])
        with Collection.open(tmp_path / "c") as watched:
            while len(watched) < 1_000:
                assert process.poll() is None
                time.sleep(0.02)
        process.kill()
    with Collection.open(tmp_path / "c") as watched:
        before = len(watched)
    assert before > 1_000
    with server(tmp_path / "c") as (_, said):
        identity = send(said["ready"])
        for _ in range(1_200):
            connection = connect(said["ready"])
            connection.request("GET", f"/api/v1/collections/c/uploads/{identity}")
            state = json.loads(connection.getresponse().read())
            connection.close()
            if state["state"] in ("done", "failed"):
                break
            time.sleep(0.05)
        assert state["state"] == "done", state["error"]
        if before < 5_001:
            assert state["report"]["resumed"] is True
    with Collection.open(tmp_path / "c") as watched:
        assert len(watched) == 5_001


def test_addresses_for_people() -> None:
    assert Ready("::1", 1, None).url == "http://[::1]:1/"
    assert Ready("box.example", 1, None).login == "http://box.example:1/"
    assert os.path.sep not in Ready("0.0.0.0", 1, "t" * 12).login.split("#")[1]
