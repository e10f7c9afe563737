"""The command line as a whole: help, and mistakes in one line."""

import errno
import os
import subprocess
import sys

import pytest

COMMANDS = ["generate", "vary", "interpolate", "inpaint", "again", "keywords", "play", "report", "synth", "verify"]


def test_help_lists_every_command_with_its_whole_sentence(kickpipe):
    status, out, _ = kickpipe("--help")
    assert status == 0
    lines = out.splitlines()
    for command in COMMANDS:
        line = next(line for line in lines if line.split()[:1] == [command])
        assert line.endswith(".") and not line.endswith("...")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(kickpipe, command):
    status, out, _ = kickpipe(command, "--help")
    assert status == 0
    assert f"Example: kickpipe {command}" in " ".join(out.split())


def test_mistakes_are_told_without_loading_pytorch(checkpoints, tmp_path):
    code = """
import sys
from kickpipe.cli import main
for arguments in (["generate", "xyzzy"], ["vary", "nothing.wav"], ["generate", "--steps", "0"], ["again", "nothing.wav"]):
    try:
        main(arguments)
    except SystemExit as end:
        assert end.code == 2
print("torch" in sys.modules)
"""
    environment = {**os.environ, "KICKPIPE_CHECKPOINTS": str(checkpoints)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.strip() == "False"
    assert result.stderr.count("\n") == 4


def test_a_disk_that_is_full_when_a_table_is_written_is_one_line(kickpipe, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "kicks.html")

    monkeypatch.setattr("kickpipe.evaluation.report.build_folder_report", full)
    status, out, err = kickpipe("report", ".")
    assert (status, out) == (2, "")
    assert err.startswith("kickpipe: ") and "kicks.html" in err and "free space" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "clicki"], "did you mean clicky"),
        (["generate", "deep:x"], "deep:x"),
        (["generate", "deep:1e-50"], "'deep:1e-50': expected a weight from 0.01"),
        (["generate", "deep:1e39"], "'deep:1e39': expected a weight from 0.01 to 100"),
        (["generate", "--count", "0"], "count"),
        (["generate", "--count", "-2"], "count"),
        (["generate", "--count", "99999999"], "count"),
        (["generate", "--steps", "0"], "steps"),
        (["generate", "--steps", "1001"], "steps"),
        (["generate", "--guidance", "nan"], "guidance"),
        (["generate", "--seed", "-1"], "seed"),
        (["generate", "--bits", "20"], "bits: expected one of 16, 24, 32, found 20"),
        (["generate", "--best-of", "1", "--count", "2"], "best_of: expected a whole number from 2"),
        (["generate", "deep", "--negative", "hard", "--guidance", "1"], "need a guidance above 1, found 1"),
        (["generate", "--length", "9000"], "length: expected 20 to 2000 ms"),
        (["generate", "--length", "5"], "length: expected 20 to 2000 ms"),
        (["vary", "missing.wav", "--strength", "2"], "strength"),
        (["interpolate", "missing.wav", "neither.wav"], "missing.wav"),
        (["inpaint", "missing.wav", "--from", "300", "--to", "200"], "regenerate_ms"),
        (["generate", "--format", "flac", "--bits", "32"], "bits"),
        (["generate", "--tune", "H9"], "H9"),
        (["generate", "--length", "-1"], "length"),
        (["generate", "--checkpoints", "nowhere"], "dvc pull"),
        (["vary", "missing.wav"], "missing.wav"),
        (["again", "missing.wav"], "missing.wav"),
        (["keywords", "--checkpoints", "nowhere"], "dvc repro"),
        (["play", "missing.wav"], "missing.wav: no such file"),
        (["play", "."], "a folder, not a file"),
    ],
)
def test_mistakes_are_one_line_and_status_2_and_write_nothing(kickpipe, tmp_path, arguments, message):
    status, out, err = kickpipe(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("kickpipe: ") and err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--count", "two"], "--count"),
        (["generate", "--sampler", "euler"], "euler"),
        (["generate", "--tone", "F1"], "No such option: --tone"),
        (["genrate"], "No such command 'genrate'. Did you mean 'generate'?"),
        (["--versoin"], "--version"),
        (["keywords", "deep"], "unexpected extra argument"),
        (["synth", "library", "--count", "0"], "greater than or equal to 1"),
        (["vary", "--x"], "No such option: --x"),
    ],
)
def test_mistakes_in_the_command_line_are_one_line_that_names_the_help(kickpipe, arguments, message):
    status, out, err = kickpipe(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("kickpipe: ") and err.count("\n") == 1
    assert message in err
    command = f"kickpipe {arguments[0]}" if arguments[0] in COMMANDS else "kickpipe"
    assert err.endswith(f"'{command} --help' says what there is\n")


@pytest.mark.parametrize("arguments", [[], ["vary"], ["synth"]])
def test_no_arguments_where_some_are_needed_show_the_help(kickpipe, arguments):
    status, out, err = kickpipe(*arguments)
    assert status == 2
    assert (out + err).startswith("Usage: kickpipe")


def test_a_folder_in_place_of_a_file_is_named(kickpipe, source, tmp_path):
    (tmp_path / "page.html").mkdir()
    status, out, err = kickpipe("report", ".", "--out", "page.html", "--shown", 1)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("kickpipe: page.html: Is a directory; ")


def test_a_folder_that_cannot_be_written_to_is_named(kickpipe, tmp_path):
    (tmp_path / "kicks").write_text("in the way")
    status, _, err = kickpipe("generate", "--steps", 1, "--out", "kicks")
    assert status == 2
    assert "cannot be written" in err


def test_the_module_runs_and_help_does_not_import_torch():
    code = "import sys, kickpipe.cli; print([m for m in ('torch', 'numpy', 'pandas', 'scipy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    result = subprocess.run([sys.executable, "-m", "kickpipe", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("kickpipe ")
