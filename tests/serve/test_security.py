"""Nothing that is stored or sent gets out of its place: not into markup, headers, templates, files or other origins."""

from __future__ import annotations

import errno
import html.parser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from serve_helpers import AREAS, EVIL, HERE

from similia import errors
from similia.errors import InputError
from similia.serve import create_app

EVALUATED = str(1234567 * 7)
TOKEN = "correct-horse-battery"
PAGES = [
    "/c/papers/",
    "/c/papers/?q=rankings+and",
    "/c/papers/?like=item-020",
    "/c/papers/?q=rankings+and&evidence=1&min_relevance=0.5",
    "/c/papers/?q=rankings+and+script&mode=text",
    "/c/papers/item?key=item-020",
    "/c/papers/item?key=item-000",
    "/c/papers/compare",
    "/c/papers/compare?a=item-000",
    "/c/papers/compare?a=item-000&b=item-001",
    "/c/papers/map",
    "/c/papers/senses",
    "/c/papers/upload",
    "/c/papers/info",
    "/api",
]


class Markup(html.parser.HTMLParser):
    """Collects the elements and attributes of a page, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def check_markup(text: str) -> None:
    """Only our own scripts; no event handler, no style, no address elsewhere or of another scheme."""
    page = Markup()
    page.feed(text)
    assert page.elements
    for tag, attributes in page.elements:
        assert tag not in ("iframe", "object", "embed", "base", "img"), tag
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/static/")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in ("href", "src", "action", "formaction"):
                assert re.match(r"/(?![/\\])|#|\?", value or "#"), (tag, name, value)


@pytest.mark.parametrize("path", PAGES)
def test_stored_markup_is_shown_as_text(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    check_markup(answer.text)
    assert EVALUATED not in answer.text.replace(",", "")


@pytest.mark.parametrize(
    "text", [*EVIL, *AREAS, "javascript:alert(1)", "\x00\x1b[31m", "\ud7ff\U0010ffff", "%3Cscript%3E"]
)
def test_what_is_asked_is_shown_as_text(client: TestClient, text: str) -> None:
    for path, name in [
        ("/c/papers/", "q"),
        ("/c/papers/", "where"),
        ("/c/papers/", "like"),
        ("/c/papers/", "sense"),
        ("/c/papers/", "mode"),
        ("/c/papers/item", "key"),
        ("/c/papers/item?key=item-020", "q"),
        ("/c/papers/compare", "a"),
        ("/c/papers/map", "q"),
        ("/c/papers/map", "colour"),
        ("/c/papers/map", "sense"),
        ("/c/papers/range?field=pages", "low"),
        ("/c/papers/range", "field"),
    ]:
        url = path + ("&" if "?" in path else "?")
        answer = client.get(url + str(__import__("urllib.parse").parse.urlencode({name: text})))
        assert answer.status_code in (200, 404, 422), (path, name, answer.status_code)
        check_markup(answer.text)
        assert EVALUATED not in answer.text.replace(",", "")


def test_evil_values_are_there_and_escaped(client: TestClient) -> None:
    answer = client.get("/c/papers/item", params={"key": "item-000"})
    assert "&lt;script&gt;document.title=" in answer.text
    facets = client.get("/c/papers/").text
    assert "&lt;b&gt;bold&lt;/b&gt;" in facets
    assert "{{1234567*7}}" in facets


@pytest.mark.parametrize("number", range(len(AREAS)))
def test_facets_with_odd_values_lead_to_their_items(client: TestClient, number: int) -> None:
    page = Markup()
    page.feed(client.get("/c/papers/").text)
    links = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a" and "data-swap" in attributes]
    wanted = [link for link in links if "where=area" in link]
    assert len(wanted) == len(AREAS)
    answer = client.get(wanted[number])
    assert answer.status_code == 200
    assert "12 of 60 items pass" in " ".join(answer.text.split())


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/static/%2e%2e%2f%2e%2e%2ferrors.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..\\settings.py",
        "/static/map/../../templates/layout.html",
        "/c/..%2f..%2fetc%2fpasswd/",
        "/c/%2e%2e/",
        "/c/papers/..%2f..%2fsettings.py",
    ],
)
def test_no_path_leads_out(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text
    assert "class Settings" not in answer.text


def test_every_answer_has_the_headers(client: TestClient) -> None:
    for path in ["/c/papers/", "/static/style.css", "/api/v1/collections", "/nope", "/api/v1/nope", "/login"]:
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_static_files_name_no_other_place() -> None:
    folder = Path(__import__("similia.serve").serve.__file__).parent / "static"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 6
    for path in files:
        found = set(re.findall(r"https?://[^\s\"')]+", path.read_text()))
        assert found <= {"http://www.w3.org/2000/svg"}, path


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "a b", "0.0.0.0"]
)
def test_foreign_hosts_are_refused(client: TestClient, host: str) -> None:
    for path in ("/c/papers/", "/api/v1/collections", "/static/style.css"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "papers" not in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765", "127.1.2.3", "a.localhost"]
)
def test_names_of_this_machine_are_served(client: TestClient, host: str) -> None:
    assert client.get("/c/papers/", headers={"Host": host}).status_code == 200


def test_allowed_hosts(papers_folder: Path) -> None:
    with TestClient(create_app(papers_folder, hosts=["papers.example"]), base_url="http://Papers.Example:80") as client:
        assert client.get("/api/v1/collections").status_code == 200
        assert client.get("/api/v1/collections", headers={"Host": "other.example"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost"},
        {"Origin": "http://127.0.0.1@evil.example"},
        {"Origin": "file://"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_cannot_change_anything(client: TestClient, headers: dict[str, str]) -> None:
    for method, path in [
        ("POST", "/api/v1/collections/papers/items"),
        ("POST", "/api/v1/collections/papers/judgments"),
        ("POST", "/c/papers/upload"),
        ("POST", "/c/papers/judge"),
        ("POST", "/login"),
    ]:
        answer = client.request(method, path, headers=headers, json={"items": [{"title": "x"}]})
        assert answer.status_code == 403, (path, headers)
    assert client.get("/api/v1/collections/papers/search?q=a", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Origin": HERE}, {"Origin": f"{HERE}:80"}, {"Sec-Fetch-Site": "same-origin"}])
def test_own_pages_and_programs_can(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/v1/collections/papers/search", headers=headers, json={"query": "a"})
    assert answer.status_code == 200


@pytest.fixture
def guarded(papers_folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(papers_folder, token=TOKEN), base_url=HERE, follow_redirects=False) as one:
        yield one


def test_without_the_token_nothing_is_told(guarded: TestClient) -> None:
    for path in [*PAGES, "/", "/c/nope/", "/c/papers/nope"]:
        answer = guarded.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login")
        assert "papers" not in answer.text
    for path in ["/api/v1/collections", "/api/v1/openapi.json", "/api/v1/health", "/api/v1/nope"]:
        answer = guarded.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.post("/c/papers/upload").status_code == 401
    assert guarded.post("/c/papers/judge").status_code == 401
    assert guarded.post("/api/v1/collections/papers/judgments").status_code == 401
    assert guarded.get("/api/v1/collections/papers/judgments").status_code == 401
    assert guarded.get("/static/style.css").status_code == 200


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer é",
    ],
)
def test_a_wrong_token_is_none(guarded: TestClient, shown: str) -> None:
    answer = guarded.get("/api/v1/collections", headers={"Authorization": shown.encode("latin-1", "replace")})
    assert answer.status_code == 401


def test_the_token_in_a_header(guarded: TestClient) -> None:
    assert guarded.get("/api/v1/collections", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/c/papers/", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_logging_in_and_out(guarded: TestClient) -> None:
    wanted = "/c/papers/?q=a&where=pages%20%3E%203"
    to_login = guarded.get(wanted).headers["location"]
    form = guarded.get(to_login).text
    hidden = re.search(r'name="next" value="([^"]*)"', form)
    assert hidden is not None
    assert html.unescape(hidden[1]) == wanted
    wrong = guarded.post("/login", data={"token": "not it at all", "next": wanted})
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    right = guarded.post("/login", data={"token": TOKEN, "next": wanted})
    assert (right.status_code, right.headers["location"]) == (303, wanted)
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get(wanted).status_code == 200
    assert guarded.get("/api/v1/collections").status_code == 200
    assert guarded.post("/logout").status_code == 303
    assert guarded.get(wanted).status_code == 303


def test_a_cookie_of_another_token_is_none(papers_folder: Path, guarded: TestClient) -> None:
    with TestClient(create_app(papers_folder, token="another-token-altogether"), base_url=HERE) as other:
        other.post("/login", data={"token": "another-token-altogether"})
        stolen = dict(other.cookies)
    assert stolen
    for name, value in stolen.items():
        guarded.cookies.set(name, value)
        guarded.cookies.set(guarded.app.state.context.settings.cookie_name, value)  # type: ignore[attr-defined]
    assert guarded.get("/api/v1/collections").status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/a\r\nX: y",
        "/\tx",
        "",
    ],
)
def test_logging_in_leads_to_this_server_only(guarded: TestClient, wanted: str) -> None:
    right = guarded.post("/login", data={"token": TOKEN, "next": wanted})
    assert right.headers["location"] == "/"
    assert "x" not in right.headers


def test_no_header_can_be_smuggled_in(guarded: TestClient) -> None:
    answer = guarded.get("/c/papers/%0d%0aX-Smuggled:%20yes?q=%0d%0aX-Smuggled:%20yes")
    assert "x-smuggled" not in answer.headers
    assert "\n" not in answer.headers["location"]


@pytest.mark.parametrize("token", ["", "short", "with a space in it", "with-ünicode-letters", "with\nnewline-in-it"])
def test_weak_tokens_are_refused(papers_folder: Path, token: str) -> None:
    with pytest.raises(InputError, match="token"):
        create_app(papers_folder, token=token)


def test_with_a_token_other_names_are_served(papers_folder: Path) -> None:
    with TestClient(create_app(papers_folder, token=TOKEN), base_url="http://box.example") as client:
        assert client.get("/api/v1/collections").status_code == 401
        assert client.get("/api/v1/collections", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_messages_name_no_place_on_the_machine(client: TestClient, papers_folder: Path) -> None:
    (papers_folder / "derived").mkdir(exist_ok=True)
    for path in ("/api/v1/collections/nope", "/api/v1/collections/papers/item?key=nope", "/c/nope/"):
        text = client.get(path).text
        assert str(papers_folder.parent) not in text
        assert str(Path.home()) not in text


def test_a_failure_nobody_expected_is_one_sentence(papers_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(papers_folder)

    @app.get("/api/v1/broken")
    def broken() -> Any:
        raise RuntimeError(f"secret of {papers_folder}")

    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    reference = answer.json()["detail"].split()[-1]
    assert reference in caplog.text
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.StorageFull("the disk is full"), 507),
        (errors.StorageError("the disk refused"), 500),
        (errors.CollectionDamaged("bytes were changed"), 500),
        (errors.FingerprintMismatch("another encoder"), 400),
        (OSError(errno.ENOSPC, "No space left on device"), 507),
    ],
)
def test_what_the_disk_refuses(papers_folder: Path, error: Exception, status: int) -> None:
    app = create_app(papers_folder)

    @app.get("/api/v1/refused")
    @app.get("/refused")
    def refused() -> Any:
        raise error

    with TestClient(app, base_url=HERE) as client:
        assert client.get("/api/v1/refused").status_code == status
        page = client.get("/refused")
    assert page.status_code == status
    check_markup(page.text)
