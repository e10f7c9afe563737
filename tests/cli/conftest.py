"""The command in an empty folder, with tiny models."""

import os
from pathlib import Path

import pytest
import soundfile
from tiny_models import write_tiny_models

from kickpipe.cli import main
from kickpipe.synth import synthesise


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
