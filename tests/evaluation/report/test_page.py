import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

VOID = {"meta", "link", "img", "br", "path", "use", "rect", "input", "line", "fefuncr", "fefuncg", "fefuncb"}


class Checker(HTMLParser):
    """Collects attributes and checks that every element is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.problems = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"{tag} at {self.getpos()}")


@pytest.fixture(scope="module")
def parsed(page):
    checker = Checker()
    checker.feed(page.read_text(encoding="utf-8"))
    return checker


@pytest.fixture(scope="module")
def sounds(page):
    """The sounds of the page, as base64."""
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="sounds"[^>]*>(.*?)</script>', text).group(1))


def test_every_element_is_closed_and_every_id_is_unique(parsed):
    assert parsed.problems == [] and parsed.open == []
    ids = [attrs["id"] for _, attrs in parsed.seen if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_elsewhere(parsed, page):
    for tag, attrs in parsed.seen:
        for name in ("src", "href", "xlink:href", "srcset"):
            assert attrs.get(name, "data:").startswith(("data:", "#")), (tag, attrs)
    text = re.sub(r"data:[^\"]*", "", page.read_text(encoding="utf-8"))
    assert "url(http" not in text and "@import" not in text and "fetch(" not in text


def test_all_parts_of_the_evaluation_are_there(parsed, page):
    ids = {attrs.get("id") for tag, attrs in parsed.seen if tag == "section"}
    assert {
        "listen",
        "round-trips",
        "distances",
        "defects",
        "copies",
        "keywords",
        "training",
        "left-out",
        "origin",
    } <= ids
    text = page.read_text(encoding="utf-8")
    for part in ("abc1234567", "0123456789abcdef", "count: 22", "matches *loop", "Griffin-Lim", "Kernel distance"):
        assert part in text, part
    assert "no keyword has 10 real kicks" in text


def test_every_kick_has_pictures_and_a_sound(parsed, sounds):
    plots = [attrs for _, attrs in parsed.seen if attrs.get("class", "").startswith("plot")]
    players = [attrs for _, attrs in parsed.seen if attrs.get("class") == "play"]
    numbers = [int(attrs["data-sound"]) for attrs in plots]
    assert len(numbers) == 2 * 22 + 2 * 2 and sorted(numbers) == list(range(len(sounds)))
    assert sorted(int(attrs["data-sound"]) for attrs in players) == sorted(numbers)
    assert len([1 for tag, _ in parsed.seen if tag == "img"]) == 2 * (22 + 4)
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[0])))
    assert rate == 44100 and np.abs(samples).max() > 0.5


def test_a_card_says_prompt_note_length_and_decay_and_how_to_make_more(page):
    text = page.read_text(encoding="utf-8")
    card = text[text.index('id="kick-2"') : text.index('id="kick-3"')]
    assert "deep &lt;808&gt;" in card and "seed 2, kick 1" in card
    for label in ("Note", "Length", "Decay", "Highs"):
        assert f"<dt>{label}</dt>" in card
    assert "kickpipe generate --seed 2 --first 1 &#39;deep &lt;808&gt;&#39;" in card
    assert "Nearest real kick, " in card


def test_all_pictures_share_one_labelled_time_axis_and_frequencies(page):
    text = page.read_text(encoding="utf-8")
    scales = re.findall(r'<div class="ms whole"[^>]*>(.*?)</div>', text, re.DOTALL)
    assert len(scales) == 22 + 4 and len(set(scales)) == 1
    assert scales[0].count("tick") >= 4
    for label in ("50 Hz", "200 Hz", "1 kHz", "5 kHz"):
        assert text.count(f">{label}<") == 22 + 4


def test_a_defect_leads_to_the_kick_that_has_it(page, parsed):
    text = page.read_text(encoding="utf-8")
    defects = text[text.index('<section id="defects"') : text.index('<section id="distances"')]
    assert 'href="#kick-6"' in defects and "deep &lt;808&gt; · 5" in defects
    card = next(attrs for _, attrs in parsed.seen if attrs.get("id") == "kick-6")
    assert "clipped" in card["data-defects"].split()


def test_a_tile_without_a_number_says_why(page, evaluation):
    text = page.read_text(encoding="utf-8")
    tiles = text[text.index('<div class="tiles"') : text.index("<nav")]
    assert evaluation.metrics["top1"] is None
    assert "Not measured: no keyword has 10 real kicks." in tiles
    assert tiles.count("<strong>") == 5


def test_no_type_is_smaller_than_11_px(page):
    text = page.read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")]
    sizes = [float(size) for size in re.findall(r"(?:font-size:|font:)[^;]*?([\d.]+)px", style)]
    assert len(sizes) > 10 and min(sizes) >= 11
    rems = [float(size) for size in re.findall(r"font-size:[^;]*?([\d.]+)rem", style)]
    assert min(rems) * 16 >= 11
    assert not re.findall(r"font-size:[^;]*?[\d.]em\b", style)


def test_names_are_escaped(page):
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "a&lt;script&gt;alert" in text


def test_building_it_again_gives_the_same_bytes(evaluation, tmp_path):
    from kickpipe.evaluation.report import build_report
    from kickpipe.evaluation.report.origin import Origin

    pages = []
    for name in ("a.html", "b.html"):
        build_report(evaluation, tmp_path / name, Origin({}, [], "", "", {}))
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
    assert b"Nothing was left out." in pages[0]
