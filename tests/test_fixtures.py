"""The real kicks among the fixtures: small, free, and each with its origin."""

import csv
import re

import soundfile

MEGABYTE = 1_000_000


def rows(kicks) -> list[dict[str, str]]:
    with (kicks / "kicks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_kick_has_a_row_and_every_row_its_kick(kicks):
    files = {path.relative_to(kicks).as_posix() for path in kicks.rglob("*") if path.is_file()}
    assert files - {"kicks.csv", "README.md"} == {row["path"] for row in rows(kicks)}
    assert len({row["sha256"] for row in rows(kicks)}) == len(rows(kicks)) >= 50


def test_every_kick_is_in_the_public_domain_and_says_where_that_is_stated(kicks):
    for row in rows(kicks):
        assert row["licence"] == "CC0-1.0"
        assert row["evidence"] and row["original_path"]
        assert row["origin"].startswith("Debian package ") or re.fullmatch("[0-9a-f]{40}", row["commit"])


def test_they_stay_small(kicks):
    files = [path for path in kicks.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MEGABYTE
    assert all(soundfile.info(path).duration < 1 for path in files if path.suffix == ".flac")
