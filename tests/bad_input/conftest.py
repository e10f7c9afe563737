"""Projects of their own that hold only params.yaml and samples, for tests of the first two stages, run in this process."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml

import stages.aggregate
import stages.preprocess
from kickpipe.data.tables import read_metadata

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project; samples belong in data/source."""
    write_params(tmp_path)
    (tmp_path / "data" / "source").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KICKPIPE_WORKERS", "1")
    return tmp_path


@pytest.fixture
def source(project):
    return project / "data" / "source"


def write_params(folder: Path, **changes) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["preprocess"]["max_failed_share"] = 0.9
    for name, value in changes.items():
        section, _, key = name.partition("__")
        params[section][key] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def kick(frequency: float = 60.0, seconds: float = 0.3, rate: int = 44100) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * math.pi * frequency * time) * np.exp(-10 * time)).astype(np.float32)


def put(path: Path, samples: np.ndarray | None = None, rate: int = 44100, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # soundfile refuses names that are not UTF-8
        soundfile.write(file, kick() if samples is None else samples, rate, format="WAV", **options)
    return path


def run() -> None:
    stages.aggregate.main()
    stages.preprocess.main()


def kept() -> list[str]:
    """Original paths of the kicks that have a tensor of the right shape and finite numbers."""
    paths = []
    for sample in read_metadata(Path("data/metadata.csv")):
        tensor = Path("data/processed") / f"{sample.filename}.pt"
        if tensor.exists():
            mel = torch.load(tensor, weights_only=True)
            assert mel.shape == (1, 128, 173)
            assert torch.isfinite(mel).all()
            paths.append(sample.original_path)
    return paths


def left_out(table: str) -> dict[str, tuple[str, str]]:
    with Path("data", table).open(encoding="utf-8", newline="") as file:
        return {row["path"]: (row["reason"], row["detail"]) for row in csv.DictReader(file)}
