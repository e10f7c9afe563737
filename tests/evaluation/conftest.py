"""A small library of synthesised kicks with a split, and tiny models, shared by the tests of the whole evaluation."""

import hashlib
from pathlib import Path

import pytest
import soundfile
from tiny_models import write_tiny_models

from kickpipe.audio.settings import AudioSettings
from kickpipe.data.preprocess import preprocess
from kickpipe.data.tables import Sample, write_metadata
from kickpipe.generate import KickGenerator
from kickpipe.synth import synthesise


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory, settings: AudioSettings) -> Path:
    """A data folder with 70 kicks: 24 held out by their folder, every third with the keyword deep."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "raw").mkdir()
    samples = []
    for i in range(70):
        waveform = synthesise(5, i)
        name = f"{hashlib.sha256(waveform.tobytes()).hexdigest()[:6]}_kick{i}.wav"
        soundfile.write(folder / "raw" / name, waveform, 44100, subtype="PCM_16")
        pack = "heldout" if i % 3 == 0 else "pack"
        samples.append(Sample(name, f"{pack}/kick{i}.wav", ("kick", "deep") if i % 3 == 1 else ("kick",)))
    write_metadata(folder / "metadata.csv", samples)
    preprocess(folder / "raw", folder / "processed", [sample.filename for sample in samples], settings, 1)
    return folder


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory, settings: AudioSettings) -> KickGenerator:
    """A generator with random weights."""
    return KickGenerator.load(write_tiny_models(tmp_path_factory.mktemp("models"), settings))
