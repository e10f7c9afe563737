"""The commands around the generator: keywords, play, synth."""

import json
import sys
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save
from tiny_models import WORDS, write_tiny_models


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
