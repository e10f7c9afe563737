"""Tests of the progress reports."""

import io

import pytest

from kickpipe.common import progress as module
from kickpipe.common.progress import format_seconds, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by what is added to it only."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


def run(clock, seconds_each: float, total: int, **options) -> list[str]:
    stream = io.StringIO()
    for _ in progress(range(total), total, "preprocess", "files", stream=stream, **options):
        clock.now += seconds_each
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_everything_passes_through_in_order(stream):
    assert list(progress(iter("abc"), 3, "letters", "letters", stream=stream)) == ["a", "b", "c"]


def test_a_log_gets_a_line_now_and_then_with_rate_and_time_left(clock):
    lines = run(clock, 0.01, 4000)
    assert len(lines) == 4
    assert lines[0].startswith("preprocess: 500/4,000 files (12%), 100 files/s, 35 s left")
    assert lines[-1] == "preprocess: 4,000 files in 40 s, 100 files/s"


def test_an_hour_does_not_fill_the_log(clock):
    assert len(run(clock, 1.0, 3600)) < 70


def test_the_time_until_the_first_item_does_not_count_as_its_rate(clock):
    def slow_start():
        clock.now += 60
        yield 0
        for i in range(100):
            clock.now += 0.1
            yield i

    stream = io.StringIO()
    list(progress(slow_start(), 101, "preprocess", "files", stream=stream))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "preprocess: 1/101 files (0%)"
    assert not any("1 h" in line for line in lines)


def test_items_of_an_earlier_run_do_not_count_as_fast(clock):
    stream = io.StringIO()
    for _ in progress(range(90, 100), 100, "train", "steps", initial=90, stream=stream):
        clock.now += 1
    assert "steps/s" in stream.getvalue()
    assert "95/100 steps (95%), 1 steps/s, 5.0 s left" in stream.getvalue()


def test_an_unknown_total_is_counted(clock):
    stream = io.StringIO()
    for _ in progress(range(10), None, "crawl", "files", stream=stream):
        clock.now += 1
    assert stream.getvalue().splitlines()[0] == "crawl: 5 files, 1 files/s"


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    list(progress(range(3), 3, "preprocess", "files", stream=stream))
    assert "preprocess: 100%" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (30.2, "30 s"), (700, "12 min"), (3599, "1 h 00 min"), (11100, "3 h 05 min")]
)
def test_durations_are_easy_to_read(seconds, text):
    assert format_seconds(seconds) == text
