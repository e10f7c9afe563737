"""The kickpipe command: what it prints, writes and exits with."""

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors import safe_open
from safetensors.torch import load_file, save
from tiny_models import WORDS, write_tiny_models

from kickpipe.audio.finish import FinishError, finish
from kickpipe.cli import main
from kickpipe.synth import synthesise

COMMANDS = ["generate", "vary", "interpolate", "inpaint", "again", "keywords", "play", "report", "synth", "verify"]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, settings):
    return write_tiny_models(tmp_path_factory.mktemp("checkpoints"), settings)


@pytest.fixture
def kickpipe(checkpoints, tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder; returns its status, standard output and standard error."""
    monkeypatch.setenv("KICKPIPE_CHECKPOINTS", str(checkpoints))
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return exit_.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "my kick.wav"
    soundfile.write(path, synthesise(3, 0)[:22050], 22050)
    return path


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


def test_generate_writes_kicks_and_a_manifest(kickpipe, tmp_path):
    status, out, err = kickpipe("generate", "deep 808", "--count", 4, "--seed", 1, "--steps", 2, "--out", "kicks")
    assert status == 0, err
    files = sorted(path.name for path in (tmp_path / "kicks").iterdir())
    assert len([name for name in files if name.startswith("kick_deep-808_s1") and name.endswith(".wav")]) == 4
    assert [name for name in files if name.startswith("kicks_deep-808_s1") and name.endswith(".json")]
    assert not [name for name in files if "partial" in name]
    assert all(Path(line.split("  ")[0]).is_file() for line in out.splitlines())
    assert "4 kicks" in err


def test_a_prompt_needs_no_quotes(kickpipe, source):
    for arguments in (["generate", "deep", "808:0.5"], ["vary", source, "deep", "808:0.5"]):
        status, out, err = kickpipe(*arguments, "--steps", 1, "--json")
        assert status == 0, err
        assert json.loads(out)["kicks"][0]["prompt"] == "deep 808:0.5"


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


def test_json_is_one_object_and_nothing_else(kickpipe):
    status, out, err = kickpipe(
        "generate", "deep", "--count", 2, "--steps", 2, "--zip", "--format", "flac", "--bits", 16, "--json"
    )
    values = json.loads(out)
    assert (status, err) == (0, "")
    assert [kick["index"] for kick in values["kicks"]] == [0, 1]
    assert all(soundfile.info(kick["path"]).subtype == "PCM_16" for kick in values["kicks"])
    assert zipfile.is_zipfile(values["zip"])
    assert Path(values["manifest"]).is_file()


def fail_on(monkeypatch, number: int) -> None:
    """Makes the finish of one kick fail, by its number among those that are finished."""
    calls = iter(range(1000))

    def finish_or_fail(*arguments, **options):
        if next(calls) == number:
            raise FinishError("this kick has no pitch")
        return finish(*arguments, **options)

    monkeypatch.setattr("kickpipe.generate.files.finish", finish_or_fail)


def test_a_kick_that_cannot_be_tuned_is_named_and_the_rest_of_the_batch_comes(kickpipe, monkeypatch):
    fail_on(monkeypatch, 1)
    status, out, err = kickpipe("generate", "--count", 3, "--steps", 2, "--zip")
    assert status == 1
    assert len(out.splitlines()) == 3 and out.splitlines()[2].endswith(".zip")
    assert err.splitlines()[-1] == "kickpipe: kick 1 of seed 0 is left out: this kick has no pitch"
    with zipfile.ZipFile(out.splitlines()[2]) as archive:
        (manifest,) = [name for name in archive.namelist() if name.endswith(".json")]
        assert [item["index"] for item in json.loads(archive.read(manifest))["left_out"]] == [1]


def test_a_kick_that_is_left_out_is_in_the_json(kickpipe, monkeypatch):
    fail_on(monkeypatch, 0)
    status, out, _ = kickpipe("generate", "--count", 2, "--steps", 2, "--json")
    values = json.loads(out)
    assert status == 1
    assert [item["index"] for item in values["kicks"]] == [1]
    assert [(item["index"], item["reason"]) for item in values["left_out"]] == [(0, "this kick has no pitch")]


def test_a_disk_that_is_full_when_a_table_is_written_is_one_line(kickpipe, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "kicks.html")

    monkeypatch.setattr("kickpipe.evaluation.report.build_folder_report", full)
    status, out, err = kickpipe("report", ".")
    assert (status, out) == (2, "")
    assert err.startswith("kickpipe: ") and "kicks.html" in err and "free space" in err and err.count("\n") == 1


def test_files_are_finished_as_asked(kickpipe):
    status, out, err = kickpipe(
        "generate", "--steps", 2, "--length", 250, "--peak", -6, "--fade", 20, "--bits", 32, "--json"
    )
    assert status == 0, err
    samples, rate = soundfile.read(json.loads(out)["kicks"][0]["path"])
    assert len(samples) == round(0.25 * rate)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-6, abs=1e-3)


def test_vary_interpolate_and_inpaint_take_audio_files(kickpipe, source):
    runs = [
        ("vary", source, "deep", "--strength", 0.4, "--count", 2),
        ("interpolate", source, source, "--count", 3, "--path", "latent"),
        ("inpaint", source, "--from", 60, "--count", 2),
        ("inpaint", source, "--to", 60),
    ]
    for run, count in zip(runs, (2, 3, 2, 1), strict=True):
        status, out, err = kickpipe(*run, "--steps", 2, "--json")
        assert status == 0, err
        assert len(json.loads(out)["kicks"]) == count


def test_inpaint_says_what_the_columns_are(kickpipe):
    assert "186 ms" in " ".join(kickpipe("inpaint", "--help")[1].split())


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_again_makes_a_file_again_and_compares(kickpipe, tmp_path, container):
    out = kickpipe("generate", "deep", "--count", 2, "--steps", 2, "--format", container, "--length", 300, "--json")[1]
    path = json.loads(out)["kicks"][1]["path"]
    content = Path(path).read_bytes()
    status, out, err = kickpipe("again", path, "--out", "again")
    assert status == 0, err
    assert out.splitlines()[-1] == f"identical to {Path(path).name}"
    assert (tmp_path / "again" / Path(path).name).is_file()
    values = json.loads(kickpipe("again", path, "--out", "again", "--json")[1])
    assert values["index"] == 1
    assert values["identical"] and values["deviation_db"] is None
    assert Path(path).read_bytes() == content


def test_keywords_lists_the_vocabulary_with_counts(kickpipe):
    status, out, _ = kickpipe("keywords")
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines()][:2] == [["90", "kick"], ["40", "deep"]]
    assert list(json.loads(kickpipe("keywords", "--json")[1])["keywords"]) == WORDS


def test_keywords_lists_what_else_one_may_write(kickpipe):
    lines = kickpipe("keywords")[1].splitlines()
    (line,) = [line for line in lines if line.split()[1] == "clicky"]
    assert line.split(maxsplit=2)[2].startswith("click, clicking, snap")
    synonyms = json.loads(kickpipe("keywords", "--json")[1])["synonyms"]
    assert "click" in synonyms["clicky"] and "fat" in synonyms["deep"]


def test_words_of_a_strange_model_file_command_no_terminal(kickpipe, tmp_path, settings):
    words = ["kick\x1b[2J", "deep\x9b31m", "\u202e808", "clicky", "short", "hard"]
    write_tiny_models(tmp_path / "strange", settings, ("diffusion",), words)
    for arguments in (["keywords"], ["keywords", "--json"], ["generate", "kicks\x1b["]):
        _, out, err = kickpipe(*arguments, "--checkpoints", tmp_path / "strange")
        assert not set(out + err) & set("\x1b\x9b\u202e")
    listed = json.loads(kickpipe("keywords", "--json", "--checkpoints", tmp_path / "strange")[1])
    assert list(listed["keywords"]) == words


@pytest.mark.parametrize("extra", [{}, {"vocabulary": ["kick"], "keyword_counts": []}, {"vocabulary": 3}])
def test_a_model_file_without_keywords_is_a_mistake(kickpipe, tmp_path, settings, extra):
    write_tiny_models(tmp_path / "strange", settings, ("diffusion",))
    path = tmp_path / "strange" / "diffusion.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["kickpipe"]) | {"extra": extra}
    path.write_bytes(save(load_file(path), metadata={"kickpipe": json.dumps(metadata)}))
    status, out, err = kickpipe("keywords", "--checkpoints", tmp_path / "strange")
    assert (status, out) == (2, "")
    assert "has no list of keywords" in err and err.count("\n") == 1


def test_synth_writes_a_library(kickpipe, tmp_path):
    status, out, _ = kickpipe("synth", "library", "--count", 3, "--seed", 2)
    assert status == 0
    assert "3 kicks" in out
    assert len(list((tmp_path / "library").rglob("*.wav"))) >= 3


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


def add_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path, monkeypatch) -> Path:
    """The only folder where programs are looked for."""
    if sys.platform == "win32":
        pytest.skip("Windows plays by itself")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return tmp_path / "bin"


def test_play_without_a_player_says_what_to_install(kickpipe, source, programs):
    status, out, err = kickpipe("play", source)
    assert (status, out) == (2, "")
    assert "no audio player found" in err and "install" in err and str(source) in err and err.count("\n") == 1


def test_play_uses_the_first_player_that_can(kickpipe, source, tmp_path, programs):
    add_program(programs, "ffplay", "exit 1")
    add_program(programs, "aplay", f'echo "$2" > "{tmp_path}/played"')
    assert kickpipe("play", source) == (0, "", "")
    assert (tmp_path / "played").read_text().strip() == str(source)


def test_play_opens_a_file_as_the_desktop_does_where_there_is_one(kickpipe, source, tmp_path, programs, monkeypatch):
    add_program(programs, "xdg-open", f'echo "$1" > "{tmp_path}/opened"')
    assert kickpipe("play", source)[0] == 2
    monkeypatch.setenv("DISPLAY", ":0")
    assert kickpipe("play", source)[0] == 0
    assert (tmp_path / "opened").read_text().strip() == str(source)


def test_play_names_the_players_that_failed(kickpipe, source, programs):
    add_program(programs, "aplay", "echo noise; exit 1")
    status, out, err = kickpipe("play", source)
    assert (status, out) == (2, "")
    assert "aplay could not play it" in err and err.count("\n") == 1


def test_the_module_runs_and_help_does_not_import_torch():
    code = "import sys, kickpipe.cli; print([m for m in ('torch', 'numpy', 'pandas', 'scipy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    result = subprocess.run([sys.executable, "-m", "kickpipe", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("kickpipe ")
