import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from kickpipe.evaluation.report.sounds import WIDTH, audible_seconds, show, waveform_path
from kickpipe.synth import synthesise

VOID = {"meta", "link", "img", "br", "path", "use", "rect", "input"}


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


def test_every_element_is_closed_and_every_id_is_unique(parsed):
    assert parsed.problems == [] and parsed.open == []
    ids = [attrs["id"] for _, attrs in parsed.seen if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_elsewhere(parsed, page):
    for tag, attrs in parsed.seen:
        for name in ("src", "href", "data-src", "xlink:href", "srcset"):
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
        "memory",
        "keywords",
        "training",
        "left-out",
        "origin",
    } <= ids
    text = page.read_text(encoding="utf-8")
    for part in ("abc1234567", "0123456789abcdef", "count: 22", "matches *loop", "Griffin-Lim", "Kernel distance"):
        assert part in text, part
    assert "no keyword has 10 real kicks" in text


def test_the_grid_shows_every_generated_kick_with_a_picture_and_a_sound(parsed):
    players = [attrs for tag, attrs in parsed.seen if tag == "button"]
    assert len(players) == 2 * 22 + 2 * 2
    assert len([1 for tag, _ in parsed.seen if tag == "img"]) == len(players)
    kind, data = players[0]["data-src"].split(",", 1)
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:audio/flac;base64" and rate == 44100
    assert np.abs(samples).max() > 0.5


def test_names_are_escaped(page):
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "a&lt;script&gt;alert" in text


def test_building_it_again_gives_the_same_bytes(evaluation, page, tmp_path):
    from kickpipe.evaluation.report import build_report

    pages = []
    for name in ("a.html", "b.html"):
        build_report(evaluation, tmp_path / name, curves={}, left_out=[], params="", commit="", models={})
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
    assert b"Nothing was left out." in pages[0]


def test_audible_part_ends_with_the_tail():
    x = np.zeros(44100, np.float32)
    x[:22050] = 0.5
    assert audible_seconds(x, 44100) == pytest.approx(0.55, abs=1e-3)
    assert audible_seconds(np.zeros(44100, np.float32), 44100) == pytest.approx(0.2)


def test_waveform_path_stays_in_its_box():
    path = waveform_path(np.random.default_rng(0).standard_normal(5000))
    points = np.array([[float(v) for v in point.split()] for point in path.strip("MZ").split("L")])
    assert len(points) == 2 * WIDTH
    assert points.min() >= 0 and points[:, 1].max() <= 40 and points[:, 0].max() < WIDTH


def test_a_short_and_a_silent_kick_can_be_shown(settings):
    for waveform in (np.zeros(settings.num_samples, np.float32), synthesise(0, 0)):
        sound = show(waveform, settings, audible_seconds(waveform, settings.sample_rate), "kick")
        assert sound.mel.startswith("data:image/png;base64,") and sound.audio.startswith("data:audio/flac;base64,")
