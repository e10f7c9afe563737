"""The page in a real browser, without a network: it plays, it fits, and it follows the colour scheme."""

import io
import shutil

import numpy as np
import pytest

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def opened(browser, page, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    view = context.new_page()
    view.messages = []
    view.on("console", lambda message: view.messages.append(message.text))
    view.on("pageerror", lambda error: view.messages.append(str(error)))
    view.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:")) else view.messages.append(request.url),
    )
    view.goto(page.as_uri())
    return view


def pixels(data):
    from matplotlib.image import imread

    return imread(io.BytesIO(data), format="png")[..., :3]


# Notes every start and stop of a kick: on a busy machine a short one is over before it can be asked whether it plays.
WATCH = """
    window.started = []; window.most = 0;
    const buttons = [...document.querySelectorAll("button.play")];
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            if (target.hasAttribute("data-playing")) started.push(buttons.indexOf(target));
        }
        most = Math.max(most, document.querySelectorAll("[data-playing]").length);
    }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-playing"] });
    window.heard = 0;
    kickpipePlayer.addEventListener("ended", () => { heard += 1; });
"""


def test_a_kick_plays_to_its_end_and_only_one_at_a_time(browser, page):
    view = opened(browser, page, 1400, "light")
    view.evaluate(WATCH)
    view.locator("button.play").nth(0).click()
    view.locator("button.play").nth(1).click()
    view.wait_for_function("heard > 0")
    view.wait_for_function("document.querySelectorAll('[data-playing]').length === 0")
    assert view.evaluate("[started.includes(0), started.at(-1), most]") == [True, 1, 1]
    assert view.evaluate("kickpipePlayer.currentTime") == pytest.approx(
        view.evaluate("kickpipePlayer.duration"), abs=0.05
    )
    assert 0.15 < view.evaluate("kickpipePlayer.duration") <= 2.01
    assert view.messages == []


def test_a_second_click_stops_the_kick(browser, page):
    view = opened(browser, page, 1400, "light")
    view.evaluate("() => { const button = document.querySelector('button.play'); button.click(); button.click(); }")
    assert view.locator("[data-playing]").count() == 0
    assert view.evaluate("kickpipePlayer.paused")


def test_every_kick_of_the_page_can_be_decoded(browser, page):
    view = opened(browser, page, 1400, "light")
    lengths = view.evaluate(
        """async () => {
            const context = new OfflineAudioContext(1, 44100, 44100);
            const lengths = [];
            for (const button of document.querySelectorAll("button.play")) {
                const [, data] = button.dataset.src.split(",");
                const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
                lengths.push((await context.decodeAudioData(bytes.buffer)).length);
            }
            return lengths;
        }"""
    )
    assert len(lengths) == 48 and min(lengths) > 0.15 * 44100


def test_the_arrow_keys_step_from_kick_to_kick(browser, page):
    view = opened(browser, page, 1400, "light")
    view.evaluate(WATCH)
    view.locator("button.play").nth(0).focus()
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight", "ArrowLeft"):
        view.keyboard.press(key)
    view.wait_for_function("started.length >= 3")
    assert view.evaluate("started") == [1, 2, 1]
    assert view.evaluate("document.activeElement === document.querySelectorAll('button.play')[1]")


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_fits_the_window(browser, page, width):
    view = opened(browser, page, width, "light")
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    wide = view.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((element) =>
            !element.closest(".scroll, pre, svg") && element.getBoundingClientRect().right > innerWidth + 1
        ).map((element) => element.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    assert view.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")


def test_columns_of_a_narrow_table_stand_in_line(browser, page):
    view = opened(browser, page, 400, "light")
    lefts = view.evaluate(
        """() => [...document.querySelectorAll("#distances table")[0].querySelectorAll("tbody tr")].map((row) =>
            [...row.querySelectorAll("td")].map((cell) => Math.round(cell.getBoundingClientRect().right)))"""
    )
    assert all(row == lefts[0] for row in lefts)


def test_the_screenshot_shows_waveforms_and_mels_in_both_schemes(browser, page):
    brightness = {}
    for scheme in ("light", "dark"):
        view = opened(browser, page, 1400, scheme)
        brightness[scheme] = float(np.median(pixels(view.screenshot())))
        waveform = pixels(view.locator("button.play").nth(0).screenshot())
        colourful = waveform.max(2) - waveform.min(2) > 0.3
        assert 0.01 < colourful.mean() < 0.9, scheme
        columns = colourful.any(axis=0)
        assert columns[: len(columns) // 5].mean() > 0.8, "the sound begins at the left"
        mel = pixels(view.locator(".sound img").nth(0).screenshot())
        rows = mel.mean(axis=(1, 2))
        assert mel.max() > 0.7, scheme
        assert rows[len(rows) // 2 :].mean() > rows[: len(rows) // 2].mean(), "a kick is at the bottom"
        chart = pixels(view.locator("#distances .charts svg").nth(0).screenshot())
        assert chart.std() > 0.05, scheme
    assert brightness["light"] > 0.9 > 0.2 > brightness["dark"]
