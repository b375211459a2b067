"""The pages in a real browser: what is clicked works, no error is logged, nothing is fetched from elsewhere."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serve_helpers import rows, server

webdriver = pytest.importorskip("selenium.webdriver")
from browser_helpers import FLAGS, Browser  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tempfile.mkdtemp(prefix="similia-chromium-")
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(scope="module")
def served(papers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    copy = tmp_path_factory.mktemp("browser") / "papers"
    shutil.copytree(papers_folder, copy)
    with server(copy) as (_, said):
        yield said["ready"]


@pytest.fixture
def browser(chromium: Any, served: str) -> Iterator[Browser]:
    one = Browser(chromium, served)
    one.width(1280)
    chromium.get_log("browser")
    chromium.get_log("performance")
    yield one
    errors = [entry for entry in chromium.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    expected = ("status of 422", "status of 404")  # pages that say what is wrong
    assert [entry for entry in errors if not any(part in entry["message"] for part in expected)] == []
    for entry in chromium.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked = message["params"]["request"]["url"]
            assert asked.startswith((served, "data:", "chrome", "about:")), asked
    assert chromium.title != "broken"
    one.run("sessionStorage.clear()")


def test_search_marks_and_explains_without_a_reload(browser: Browser) -> None:
    browser.open("/c/papers/")
    browser.run("window.stayed = true")
    field = browser.one("#q")
    field.send_keys("recognizing speech", Keys.ENTER)
    browser.until(lambda: browser.all(".result mark"))
    assert "speech" in [mark.text.lower() for mark in browser.all(".result mark")]
    assert browser.run("return window.stayed") is True
    assert "q=recognizing+speech" in browser.driver.current_url
    browser.click(browser.one(".result .why summary"))
    assert "meaning" in browser.one(".result .why table").text
    first = browser.keys()
    browser.click(browser.one("[rel=next]"))
    browser.until(lambda: browser.keys() and browser.keys() != first)
    browser.driver.back()
    browser.until(lambda: browser.keys() == first)
    assert browser.one("#q").get_attribute("value") == "recognizing speech"


def test_facets_go_into_the_filter_and_out_again(browser: Browser) -> None:
    browser.open("/c/papers/?q=study")
    link = next(a for a in browser.all(".facet li a") if a.text.startswith("<b>bold</b>"))
    browser.click(link)
    browser.until(lambda: browser.one("#where").get_attribute("value") == "area = '<b>bold</b>'")
    browser.until(lambda: browser.all(".facet a[aria-current]"))
    assert all("<b>bold</b>" in facts.text for facts in browser.all(".result .facts"))
    browser.click(browser.one(".facet .clear"))
    browser.until(lambda: browser.one("#where").get_attribute("value") == "")
    browser.until(lambda: not browser.all(".facet a[aria-current]"))


def test_the_filter_is_checked_while_it_is_typed(browser: Browser) -> None:
    browser.open("/c/papers/")
    field = browser.one("#where")
    field.send_keys("pagse > 3")
    browser.until(lambda: "pages" in browser.one("#where-message").text)
    for _ in range(9):
        field.send_keys(Keys.BACKSPACE)
    field.send_keys("pages > 11")
    browser.until(lambda: browser.one("#where-message").text == "")
    field.send_keys(Keys.ENTER)
    browser.until(lambda: "pass the filter" in browser.one(".results-head").text)
    browser.until(lambda: "where=pages" in browser.driver.current_url)
    field = browser.one("#where")
    field.send_keys(" AND (", Keys.ENTER)
    browser.until(lambda: browser.all(".problem"))


def test_the_sense_switch_searches_again(browser: Browser) -> None:
    browser.open("/c/papers/?q=reciprocal+documents")
    before = browser.keys()
    browser.click(browser.one("input[name=sense][value=heading]"))
    browser.until(lambda: "sense=heading" in browser.driver.current_url)
    browser.until(lambda: browser.keys() and browser.keys() != before)
    browser.click(browser.one("input[name=mode][value=text]"))
    browser.until(lambda: "mode=text" in browser.driver.current_url)
    assert browser.one("input[name=sense][value=heading]").is_selected()


def test_from_an_item_to_a_comparison(browser: Browser) -> None:
    browser.open("/c/papers/?q=speech")
    browser.click(browser.one(".result h3 a"))
    browser.until(lambda: len(browser.all(".sense-list")) == 2)
    browser.click(browser.one(".sense-list a[href*='/compare']"))
    browser.until(lambda: browser.all(".sense-bar"))
    assert "of pairs" in browser.one(".sense-bars").text
    assert browser.all(".row.same")
    assert browser.all(".row.differs mark")


def test_two_results_can_be_picked_for_comparison(browser: Browser) -> None:
    browser.open("/c/papers/?q=speech")
    assert not browser.one("#basket").is_displayed()
    first, second = browser.all("[data-pick]")[:2]
    browser.click(first)
    assert browser.one("#basket").is_displayed()
    browser.click(second)
    assert first.get_attribute("aria-pressed") == second.get_attribute("aria-pressed") == "true"
    keys = [first.get_attribute("data-pick"), second.get_attribute("data-pick")]
    browser.click(browser.one("#basket-go"))
    browser.until(lambda: browser.all(".sense-bar"))
    assert [one.text for one in browser.all(".pair-heads .key")] == keys
    assert not browser.one("#basket").is_displayed()


def test_a_hit_is_judged_and_stays_judged(browser: Browser) -> None:
    browser.open("/c/papers/?q=recognizing+speech")
    browser.run("window.stayed = true")
    key = browser.keys()[0]

    def pressed() -> list[str]:
        return [one.text for one in browser.all("#hit-1 [data-grade][aria-pressed=true]")]

    assert pressed() == []
    browser.one("#hit-1 [data-grade='2']").send_keys(Keys.ENTER)
    browser.until(lambda: pressed() == ["relevant"])
    browser.click(browser.one("#hit-1 [data-grade='1']"))
    browser.until(lambda: pressed() == ["partly"])
    assert browser.run("return window.stayed") is True
    assert browser.run("return document.activeElement.dataset.grade") == "1"
    browser.driver.refresh()
    browser.until(lambda: browser.keys()[0] == key and pressed() == ["partly"])
    browser.click(browser.one("#hit-1 [data-grade='1']"))
    browser.until(lambda: pressed() == [])
    browser.driver.refresh()
    browser.until(lambda: browser.keys()[0] == key)
    assert pressed() == []


def test_a_hit_that_is_followed_is_a_click(browser: Browser) -> None:
    judged = "/api/v1/collections/papers/judgments?q=late+interaction"
    told = f"return fetch('{judged}').then((answer) => answer.json())"
    for _ in range(2):
        browser.open("/c/papers/?q=late+interaction")
        key = browser.keys()[0]
        browser.click(browser.one(".result h3 a"))
        browser.until(lambda: browser.all(".sense-list"))
    browser.until(lambda: browser.run(told)["total"] == 1)
    (one,) = browser.run(told)["judgments"]
    assert (one["item"], one["grade"], one["source"], one["sense"]) == (key, 1, "click", "topic")


def test_only_what_is_relevant_and_what_speaks_for_it(browser: Browser) -> None:
    browser.open("/c/papers/?q=quantum+chromodynamics+zebra")
    browser.run("window.stayed = true")
    assert browser.keys()
    browser.click(browser.one("input[name=min_relevance]"))
    browser.until(lambda: "min_relevance=0.5" in browser.driver.current_url and not browser.keys())
    assert "there seems to be nothing on this" in browser.one(".note").text
    browser.click(browser.one(".empty a"))
    browser.until(lambda: browser.keys() and not browser.one("input[name=min_relevance]").is_selected())
    browser.one("#q").clear()
    browser.one("#q").send_keys("acoustic model", Keys.ENTER)
    browser.until(lambda: "acoustic" in browser.driver.current_url)
    browser.until(lambda: not browser.all(".loading"))
    browser.click(browser.one("input[name=evidence]"))
    browser.until(lambda: browser.one(".speaks mark").text.lower() == "acoustic")
    assert browser.run("return window.stayed") is True


def test_a_server_that_shows_only_has_no_buttons_to_judge(chromium: Any, papers_folder: Path) -> None:
    with server(papers_folder, allow_upload=False) as (_, said):
        one = Browser(chromium, said["ready"])
        one.open("/c/papers/?q=speech")
        assert one.keys()
        assert one.all("[data-judge], [data-hit], [data-grade]") == []


def test_the_map_shows_selects_finds_and_opens(browser: Browser) -> None:
    browser.open("/c/papers/map")
    browser.until(lambda: browser.one("#map").get_attribute("data-ready") == "true")
    canvas = browser.one("#map-plot")
    box = canvas.size
    pixels = """const copy = new OffscreenCanvas(arguments[0].width, arguments[0].height);
                const on = copy.getContext("2d", {willReadFrequently: true});
                on.drawImage(arguments[0], 0, 0);
                const c = on.getImageData(0, 0, copy.width, copy.height).data, w = copy.width, h = copy.height;"""
    drawn = pixels + "let n = 0; for (let i = 3; i < c.length; i += 4) n += c[i] > 0; return n;"
    assert browser.until(lambda: browser.run(drawn, canvas) > 500)
    assert len(browser.all("#map-legend li")) == 5
    first = """for (let y = 60; y < h - 60; y++) for (let x = 60; x < w - 60; x++)
                 if (c[4 * (y * w + x) + 3] > 200) return [x + 2, y + 2];"""
    place = browser.run(pixels + first, canvas)
    middle = (box["width"] / 2, box["height"] / 2)
    ActionChains(browser.driver).move_to_element_with_offset(
        canvas, int(place[0] - middle[0]), int(place[1] - middle[1])
    ).perform()
    browser.until(lambda: browser.one("#map-tip").is_displayed() and browser.one("#map-tip").text)
    browser.click(browser.one("#map-lasso"))
    corners = [(20, 20), (box["width"] - 20, 20), (box["width"] - 20, box["height"] - 20), (20, box["height"] - 20)]
    around = ActionChains(browser.driver, duration=20)
    around.move_to_element_with_offset(
        canvas, int(corners[0][0] - middle[0]), int(corners[0][1] - middle[1])
    ).click_and_hold()
    for x, y in corners[1:]:
        around.move_to_element_with_offset(canvas, int(x - middle[0]), int(y - middle[1]))
    around.release().perform()
    browser.until(lambda: browser.one("#map-list-title").text == "60 items selected")
    assert len(browser.all("#map-list li")) == 60
    browser.click(browser.one("#map-list-clear"))
    browser.one("#map-q").send_keys("speech recognition", Keys.ENTER)
    browser.until(lambda: "best hits" in browser.one("#map-list-title").text)
    browser.click(browser.all("#map-legend button")[0])
    assert browser.all("#map-legend button")[0].get_attribute("aria-pressed") == "false"
    canvas.send_keys("+", Keys.ARROW_LEFT, "-")
    browser.click(browser.one("#map-list a"))
    browser.until(lambda: browser.all(".sense-list"))


def test_the_map_by_touch(browser: Browser) -> None:
    browser.width(390, 844)
    browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        browser.open("/c/papers/map?colour=pages")
        browser.until(lambda: browser.one("#map").get_attribute("data-ready") == "true")
        corner = browser.run(
            "const b = document.querySelector('canvas').getBoundingClientRect(); return [b.left, b.top]"
        )
        picture = "return document.querySelector('canvas').toDataURL()"
        before = browser.run(picture)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            sent = [{"x": corner[0] + x, "y": corner[1] + y, "id": number} for number, (x, y) in enumerate(points)]
            browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": sent})

        touch("touchStart", (150, 150), (200, 200))
        touch("touchMove", (100, 100), (250, 250))
        touch("touchMove", (60, 60), (290, 290))
        touch("touchEnd")
        browser.until(lambda: browser.run(picture) != before)
        pinched = browser.run(picture)
        touch("touchStart", (150, 150))
        touch("touchMove", (180, 190))
        touch("touchMove", (230, 240))
        touch("touchEnd")
        browser.until(lambda: browser.run(picture) != pinched)
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_an_upload_shows_its_types_and_is_added(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "more.jsonl"
    lines = [{**row, "id": f"more-{row['id']}", "title": f"Zebra {row['title']}"} for row in rows()[:12]]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    browser.open("/c/papers/upload")
    browser.one("#file").send_keys(str(file))
    browser.until(lambda: browser.one("#uploads .upload-options").is_displayed())
    table = browser.one("#uploads .upload-options table").text
    assert "date" in table
    assert "boolean" in table
    assert "<script>" in table
    assert browser.one("#uploads select[name=key]").get_attribute("value") == "id"
    assert not browser.one("#uploads .upload-text").is_displayed()
    browser.click(browser.one("#uploads .upload-options button[type=submit]"))
    browser.until(lambda: "12 added" in browser.one("#uploads .upload-state").text)
    browser.click(browser.one("#uploads .upload-done a"))
    browser.until(lambda: "72 items" in browser.one(".results-head").text)


def test_the_first_file_of_a_collection(chromium: Any, tmp_path: Path) -> None:
    from similia.collection import Collection

    Collection.open(tmp_path / "empty", create=True).close()
    file = tmp_path / "first.csv"
    file.write_text("id,title,abstract,code\n" + "".join(f"k{n},Title {n},Text {n},{n:03d}\n" for n in range(9)))
    with server(tmp_path / "empty") as (_, said):
        browser = Browser(chromium, said["ready"])
        browser.open("/")
        browser.click(browser.one(".empty a"))
        browser.one("#file").send_keys(str(file))
        browser.until(lambda: browser.one("#uploads .upload-text").is_displayed())
        for name in ("abstract", "code"):
            browser.click(browser.one(f".upload-text input[value={name}]"))
        types = {one.get_attribute("data-field"): one for one in browser.all("#uploads td select")}
        types["code"].send_keys("category")
        browser.click(browser.one("#uploads .upload-options button[type=submit]"))
        browser.until(lambda: "9 added" in browser.one("#uploads .upload-state").text)
    with Collection.open(tmp_path / "empty") as collection:
        assert collection.senses["topic"].fields == ("title",)
        assert collection.fields["code"] == "category"
        assert collection["k7"]["code"] == "007"


def test_dropping_a_file_that_cannot_be_read(browser: Browser) -> None:
    browser.open("/c/papers/upload")
    browser.run(
        """const files = new DataTransfer(); files.items.add(new File(["{broken"], "broken.jsonl"));
           const drop = new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true});
           document.getElementById("upload").dispatchEvent(drop);"""
    )
    browser.until(lambda: browser.one("#uploads .problem").is_displayed())
    assert "broken.jsonl" in browser.one("#uploads .problem").text


PAGES = ["/c/papers/?q=speech+recognition", "/c/papers/item?key=item-000", "/c/papers/compare?a=item-001&b=item-007"]
PAGES += [
    "/c/papers/map",
    "/c/papers/upload",
    "/c/papers/senses",
    "/c/papers/info",
    "/api",
    "/c/papers/compare",
    "/c/papers/nope",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_never_scrolls_sideways(browser: Browser, path: str) -> None:
    browser.width(360, 740)
    browser.open(path)
    browser.one("main")
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    small = browser.run(
        """return [...document.querySelectorAll("button, input:not([type=hidden]), select, nav a")]
             .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > 362 && !e.closest("nav, .scroll"))
             .map((e) => e.outerHTML)"""
    )
    assert small == []


def test_keys_reach_everything(browser: Browser) -> None:
    browser.open("/c/papers/?q=speech")
    browser.run("document.activeElement.blur()")
    reached = set()
    body = browser.one("body")
    body.send_keys(Keys.TAB)
    assert browser.run("return document.activeElement.className") == "skip"
    for _ in range(60):
        reached.add(
            browser.run(
                "const e = document.activeElement; return e.id || e.name || e.className || e.textContent.trim()"
            )
        )
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    for wanted in ("q", "where", "Map", "Compare", "More like this", "mode", "sense"):
        assert wanted in reached, (wanted, reached)


def test_logging_in_by_the_address_that_the_server_shows(chromium: Any, papers_folder: Path) -> None:
    with server(papers_folder, token="correct-horse-battery") as (_, said):
        one = Browser(chromium, said["ready"])
        chromium.get(said["open"])
        one.until(lambda: one.all("#search"))
        assert "correct-horse" not in chromium.current_url
        assert chromium.execute_script("return document.cookie") == ""
        one.click(one.one(".leave button"))
        one.until(lambda: one.all("#login"))
        one.one("#token").send_keys("not the token at all", Keys.ENTER)
        one.until(lambda: one.all("#token-wrong"))
        one.one("#token").send_keys("correct-horse-battery", Keys.ENTER)
        one.until(lambda: one.all("#search"))
