"""Progress for people: a bar on a terminal, a line now and then in a log.

A bar redrawn ten times a second fills a CI log or a ``dvc repro`` transcript with thousands of lines; there, a line
after a few seconds and then at growing intervals says the same: how many, how fast, how long still.
"""

__all__ = ["progress", "format_seconds"]

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO, TypeVar

T = TypeVar("T")

FIRST_LINE_S = 5.0
LAST_INTERVAL_S = 60.0


def progress(
    iterable: Iterable[T],
    total: int | None,
    desc: str,
    unit: str = "it",
    *,
    initial: int = 0,
    size: Callable[[T], int] = lambda _: 1,
    stream: TextIO | None = None,
) -> Iterator[T]:
    """Passes ``iterable`` through and reports on it.

    Arguments:
        iterable: What to count.
        total: Number of items at the end, including ``initial``; None if unknown.
        desc: What is going on.
        unit: What an item is, in the plural ("files").
        initial: Number of items that were done before, by a run that is now resumed.
        size: How many of the unit an item of ``iterable`` is, for items that are batches.
        stream: Where to report; standard error by default.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        from tqdm import tqdm

        bar: tqdm[Any] = tqdm(
            desc=desc, unit=f" {unit}", total=total, initial=initial, file=stream, dynamic_ncols=True, smoothing=0.1
        )
        with bar as shown:
            for item in iterable:
                yield item
                shown.update(size(item))
        return
    yield from report_lines(iterable, total, desc, unit, initial, size, stream)


def report_lines(
    iterable: Iterable[T],
    total: int | None,
    desc: str,
    unit: str,
    initial: int,
    size: Callable[[T], int],
    stream: TextIO,
) -> Iterator[T]:
    """Passes ``iterable`` through; a line after 5 s, then at intervals that double up to a minute, and one at the end.

    The rate counts from the first item on: before it, workers start and caches fill.
    """
    start = time.monotonic()
    first = start
    interval = FIRST_LINE_S
    due = start + interval
    done = first_done = initial
    for item in iterable:
        yield item
        done += size(item)
        now = time.monotonic()
        if first_done == initial:
            first, first_done = now, done
        if now >= due and done != total:
            print(f"{desc}: {describe(done, done - first_done, total, now - first, unit)}", file=stream, flush=True)
            interval = min(2 * interval, LAST_INTERVAL_S)
            due = now + interval
    seconds = time.monotonic() - start
    rate = format_rate(done - initial, seconds, unit)
    print(f"{desc}: {done:,} {unit} in {format_seconds(seconds)}{rate}", file=stream, flush=True)


def describe(done: int, timed: int, total: int | None, seconds: float, unit: str) -> str:
    """How far, how fast and how long still, as in "1,200/13,600 files (8%), 410 files/s, 30 s left".

    Arguments:
        done: Number of items that are done, of ``total``.
        timed: Number of them that took ``seconds``.
        total: Number of items at the end; None if unknown.
        seconds: A duration.
        unit: What an item is, in the plural.
    """
    rate = format_rate(timed, seconds, unit)
    if not total:
        return f"{done:,} {unit}{rate}"
    left = f", {format_seconds((total - done) * seconds / timed)} left" if rate else ""
    return f"{done:,}/{total:,} {unit} ({100 * done // total}%){rate}{left}"


def format_rate(count: int, seconds: float, unit: str) -> str:
    if count <= 0 or seconds <= 0:
        return ""
    rate = count / seconds
    if rate >= 10:
        return f", {rate:,.0f} {unit}/s"
    if rate >= 0.1:
        return f", {rate:.2g} {unit}/s"
    return f", {1 / rate:,.0f} s each"


def format_seconds(seconds: float) -> str:
    """A duration to read: "0.4 s", "30 s", "12 min", "3 h 05 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
