"""The report of an evaluation in a real browser: it fits, nothing is run, logged or asked of a network."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from similia.evaluate.html import write

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed"),
]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
BRIGHTNESS = """
const rgb = getComputedStyle(document.body)[arguments[0]].match(/[\\d.]+/g).map(Number);
return rgb[0] * .299 + rgb[1] * .587 + rgb[2] * .114;
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
def page(chromium: Any, make_told: Callable[..., dict[str, Any]], tmp_path: Path) -> Iterator[Any]:
    path = write(make_told(), tmp_path / "report.html")
    for name in ("browser", "performance"):
        chromium.get_log(name)
    chromium.get(path.as_uri())
    yield chromium
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
    asked = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    sent = [one["params"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    urls = [one["request"]["url"] for one in sent if not one["documentURL"].startswith("chrome:")]  # its own first tab
    assert path.as_uri() in urls
    assert {url.split(":")[0] for url in urls} <= {"file", "data"}


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_the_page_fits_the_screen(page: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.find_element(By.TAG_NAME, "h1").text == "papers & <i>more</i>: evaluation"
    plots = page.find_elements(By.CSS_SELECTOR, "svg.plot")
    assert len(plots) == 6
    assert all(plot.size["height"] > 20 and plot.size["width"] > 200 for plot in plots)
    assert all(plot.get_attribute("aria-label") for plot in plots)


def test_a_hostile_query_is_read_and_not_obeyed(page: Any) -> None:
    text = page.find_element(By.TAG_NAME, "body").text
    assert "<script>alert(1)</script>" in text
    assert page.find_elements(By.TAG_NAME, "script") == []
    assert "漢字と猫" in text


def test_it_is_dark_where_dark_is_wanted_and_light_on_paper(page: Any) -> None:
    def shown(media: str, scheme: str) -> tuple[float, float]:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        return page.execute_script(BRIGHTNESS, "backgroundColor"), page.execute_script(BRIGHTNESS, "color")

    paper, ink = shown("screen", "light")
    assert paper > 200 > 100 > ink
    paper, ink = shown("screen", "dark")
    assert ink > 200 > 100 > paper
    paper, ink = shown("print", "dark")
    assert paper > 200 > 100 > ink
    assert page.execute_cdp_cmd("Page.printToPDF", {})["data"]
