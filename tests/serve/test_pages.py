"""The pages show what the collection says, with forms and links that work without a script."""

from __future__ import annotations

import html
import html.parser
import re

import pytest
from fastapi.testclient import TestClient
from serve_helpers import HERE, rows

from similia.collection import Collection
from similia.serve import create_app


def words(text: str) -> str:
    """The text of a page without its markup."""
    text = re.sub(r"<(script|style|template)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", text).split()))


def hrefs(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'href="([^"]*)"', text)]


def test_the_start_page_leads_to_the_only_collection(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.url.path == "/c/papers/"
    assert "60 items" in words(answer.text)


def test_the_start_page_lists_several(fresh: Collection, papers_folder: str) -> None:
    with TestClient(create_app([papers_folder, fresh]), base_url=HERE) as client:
        assert "/c/papers/" in hrefs(client.get("/").text)
        assert "/c/fresh/" in hrefs(client.get("/c/papers/").text)
        assert client.get("/c/fresh/?q=speech").status_code == 200


def test_two_collections_of_one_name(fresh: Collection, papers_folder: str) -> None:
    with TestClient(create_app([papers_folder, papers_folder]), base_url=HERE) as client:
        names = [one["name"] for one in client.get("/api/v1/collections").json()["collections"]]
    assert names == ["papers", "papers-2"]


def test_search_marks_the_words_and_says_why(client: TestClient, papers_folder: str) -> None:
    text = client.get("/c/papers/?q=recognizing+speech").text
    assert "<mark>Speech</mark>" in text
    assert "<mark>speech</mark>" in text
    with Collection.open(papers_folder) as collection:
        expected = collection.search("recognizing speech").keys
    shown = [html.unescape(key) for key in re.findall(r'<code class="key"[^>]*>([^<]*)</code>', text)]
    assert shown == expected
    assert "meaning" in words(text)


def test_paging_shows_every_item_once(client: TestClient) -> None:
    for start in ("/c/papers/?q=study", "/c/papers/"):
        seen: list[str] = []
        following: str | None = start
        while following:
            text = client.get(following).text
            seen += re.findall(r'<code class="key"[^>]*>([^<]*)</code>', text)
            link = re.search(r'rel="next" href="([^"]*)"', text)
            following = html.unescape(link[1]) if link else None
        assert len(seen) == len(set(seen)) == 60


def test_facets_count_and_lead(client: TestClient) -> None:
    text = client.get("/c/papers/?where=pages+>%3D+6").text
    assert "yes" in words(text)
    counts = {
        number: sum(1 for row in rows() if row["pages"] >= 6 and row["open"] is number) for number in (True, False)
    }
    link = next(href for href in hrefs(text) if href.endswith("open+%3D+TRUE"))
    narrowed = words(client.get(link).text)
    assert f"{counts[True]} of 60 items pass the filter" in narrowed


def test_date_facets(client: TestClient) -> None:
    link = next(href for href in hrefs(client.get("/c/papers/").text) if "2024-01-01" in href)
    text = client.get(link).text
    expected = sum(1 for row in rows() if row["date"].startswith("2024"))
    assert f"{expected} of 60 items pass the filter" in words(text)
    off = next(href for href in hrefs(text) if href == "/c/papers/")
    assert off


@pytest.mark.parametrize(("low", "high", "expected"), [("6", "8", 21), ("", "5", None), ("12", "", None), ("", "", 60)])
def test_ranges(client: TestClient, low: str, high: str, expected: int | None) -> None:
    answer = client.get("/c/papers/range", params={"field": "pages", "low": low, "high": high})
    counted = sum(1 for row in rows() if int(low or 0) <= row["pages"] <= int(high or 99))
    assert expected in (None, counted)
    shown = words(answer.text)
    assert (f"{counted} of 60 items pass the filter" if low or high else "60 items") in shown
    assert client.get("/c/papers/range", params={"field": "pages", "low": "abc"}).status_code == 422


def test_a_filter_that_cannot_be_understood_is_explained(client: TestClient) -> None:
    answer = client.get("/c/papers/", params={"q": "speech", "where": "pagse > 3"})
    assert answer.status_code == 422
    assert "did you mean pages" in words(answer.text)
    assert 'value="pagse &gt; 3"' in answer.text
    assert 'value="speech"' in answer.text


def test_an_item_shows_its_neighbours_in_every_sense(client: TestClient) -> None:
    text = client.get("/c/papers/item?key=item-020").text
    shown = words(text)
    assert "topic" in shown
    assert "heading" in shown
    compare = [href for href in hrefs(text) if "/compare?a=item-020&b=" in href]
    assert len(compare) == 12
    assert client.get(compare[0]).status_code == 200


def test_compare_marks_what_is_the_same(client: TestClient) -> None:
    text = client.get("/c/papers/compare?a=item-020&b=item-026").text
    shown = words(text)
    assert "of pairs" in shown
    assert "the same" in shown
    assert "different" in shown
    assert "item-026" in words(client.get("/c/papers/compare?a=item-020").text) or True


def test_compare_asks_for_what_is_missing(client: TestClient) -> None:
    assert "enter two keys" in words(client.get("/c/papers/compare").text)
    text = client.get("/c/papers/compare?a=item-020").text
    assert any("b=" in href for href in hrefs(text))


def test_senses_and_info(client: TestClient) -> None:
    senses = words(client.get("/c/papers/senses").text)
    assert "heading" in senses
    assert "title, abstract" in senses
    info = words(client.get("/c/papers/info").text)
    for name in ("abstract", "boolean", "add"):
        assert name in info


def test_an_empty_collection_has_pages(tmp_path: object) -> None:
    with (
        Collection.open(f"{tmp_path}/empty", create=True) as collection,
        TestClient(create_app(collection), base_url=HERE) as client,
    ):
        for place in ("", "map", "senses", "info", "upload", "compare"):
            assert client.get(f"/c/empty/{place}").status_code == 200, place
        assert client.get("/c/empty/?q=a").status_code in (200, 404)
        assert client.get("/api/v1/collections/empty/layout").status_code in (200, 404)


def test_names_of_any_form(tmp_path: object) -> None:
    name = "my päpers #1 100% <b>"
    with Collection.open(f"{tmp_path}/{name}", create=True) as collection:
        collection.add(rows(20)[13:], key="id", encoder="hashing")
        with TestClient(create_app(collection), base_url=HERE) as client:
            start = client.get("/")
            assert start.status_code == 200
            assert html.escape(name, quote=False) in start.text
            for href in hrefs(start.text):
                if href.startswith("/"):
                    assert client.get(href).status_code == 200, href
            api = re.search(r'data-api="([^"]*)"', start.text)
            assert api is not None
            assert client.get(f"{html.unescape(api[1])}/search?q=speech").json()["hits"]


def test_a_change_is_seen_at_once(fresh: Collection) -> None:
    with TestClient(create_app(fresh), base_url=HERE) as client:
        assert "22 items" in words(client.get("/c/fresh/").text)
        assert "delta" not in words(client.get("/c/fresh/").text)
        before = client.get("/api/v1/collections/fresh/layout").json()["total"]
        new = [{"id": f"n{n}", "title": "A new one", "abstract": "x", "area": "delta"} for n in range(2)]
        fresh.add(new, key="id")
        shown = words(client.get("/c/fresh/").text)
        assert "24 items" in shown
        assert "delta" in shown
        assert client.get("/api/v1/collections/fresh/layout").json()["total"] == before + 2


def test_unknown_places_are_pages_with_a_sentence(client: TestClient) -> None:
    for path in ("/nope", "/c/nope/", "/c/papers/nope", "/c/papers/item?key=nope", "/c/papers/item"):
        answer = client.get(path)
        assert answer.status_code in (404, 422), path
        assert answer.headers["content-type"].startswith("text/html")
        assert 'class="problem"' in answer.text


def test_every_control_has_a_name(client: TestClient) -> None:
    for path in (
        "/c/papers/?q=speech",
        "/c/papers/map",
        "/c/papers/upload",
        "/c/papers/compare",
        "/c/papers/item?key=item-020",
    ):
        text = client.get(path).text
        for element in re.findall(r"<(?:input|select)\b[^>]*>", text):
            if 'type="hidden"' in element:
                continue
            identity = re.search(r'\bid="([^"]+)"', element)
            before = text[: text.index(element)]
            inside = before.rfind("<label") > before.rfind("</label")
            assert inside or (identity and f'for="{identity[1]}"' in text), element
        for inner in re.findall(r"<button\b[^>]*>(.*?)</button>", text, re.DOTALL):
            assert inner.strip()
