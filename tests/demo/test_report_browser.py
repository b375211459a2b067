"""The report in a real browser: the map is drawn and answers, nothing is logged, nothing is asked of a network."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from similia.demo import report
from similia.demo.story import Story

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed"),
]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
PIXELS = """
const canvas = document.getElementById("map");
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
let inked = 0;
for (let i = 3; i < data.length; i += 4) if (data[i] > 40) inked++;
return inked;
"""


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


@pytest.fixture
def page(chromium: Any, make_story: Callable[..., Story], tmp_path: Path) -> Iterator[Any]:
    path = report.write(make_story(60), tmp_path / "report.html")
    _size(chromium, 1200)
    for name in ("browser", "performance"):
        chromium.get_log(name)
    chromium.get(path.as_uri())
    WebDriverWait(chromium, 20).until(lambda one: one.execute_script(PIXELS) > 0)
    yield chromium
    said = [entry["message"] for entry in chromium.get_log("browser")]
    assert [message for message in said if "getImageData" not in message] == []  # that is this test, counting pixels
    asked = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    assert {url.split(":")[0] for url in urls} <= {"file", "data"}


def _size(driver: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _inked(page: Any) -> int:
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    return int(page.execute_script(PIXELS))


def test_words_are_found_on_the_map(page: Any) -> None:
    everything = _inked(page)
    page.find_element(By.ID, "find").send_keys("k7")
    found = _inked(page)
    assert page.find_element(By.ID, "count").text == "1 found"
    assert 0 < found < everything
    page.find_element(By.ID, "find").clear()
    page.execute_script("document.getElementById('find').dispatchEvent(new Event('input'))")
    assert abs(_inked(page) - everything) <= 40


def test_groups_can_be_hidden(page: Any) -> None:
    everything = _inked(page)
    chips = page.find_elements(By.CSS_SELECTOR, ".chip")
    assert len(chips) == 3
    for chip in chips:
        chip.click()
    assert _inked(page) == 0
    assert {chip.get_attribute("aria-pressed") for chip in chips} == {"false"}
    chips[0].click()
    assert 0 < _inked(page) < everything


def test_pointing_says_what_it_is_and_wheel_and_drag_move_the_map(page: Any, nasty: str) -> None:
    canvas = page.find_element(By.ID, "map")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    tip = page.find_element(By.ID, "tip")
    data = page.execute_script("return JSON.parse(document.getElementById('points').textContent)")
    spot = page.execute_script(
        "const b = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0)); const xy = new Uint16Array(b.buffer);"
        "const c = arguments[1]; const w = c.clientWidth, h = c.clientHeight;"
        "return [18 + xy[0] / 65535 * (w - 36) - w / 2, 18 + (1 - xy[1] / 65535) * (h - 36) - h / 2]",
        data["xy"],
        canvas,
    )
    ActionChains(page).move_to_element_with_offset(canvas, round(spot[0]), round(spot[1])).perform()
    WebDriverWait(page, 10).until(lambda _: tip.is_displayed())
    assert "k0" in tip.text
    assert "alert(1)" in tip.text  # as text
    before = page.execute_script("return arguments[0].toDataURL()", canvas)
    wheel = "new WheelEvent('wheel', {deltaY: -500, clientX: 600, clientY: 450, cancelable: true})"
    page.execute_script(f"arguments[0].dispatchEvent({wheel})", canvas)
    _inked(page)
    zoomed = page.execute_script("return arguments[0].toDataURL()", canvas)
    assert zoomed != before
    ActionChains(page).move_to_element(canvas).click_and_hold().move_by_offset(60, 30).release().perform()
    _inked(page)
    assert page.execute_script("return arguments[0].toDataURL()", canvas) != zoomed


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_the_page_fits_the_screen(page: Any, width: int) -> None:
    _size(page, width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.find_element(By.TAG_NAME, "h1").is_displayed()
    assert not page.execute_script("return window.broken")
