"""Files: names, what is inside, manifests and zips, and nothing half-written."""

import dataclasses
import errno
import gc
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from kickpipe.audio.finish import FinishError, hz_to_midi
from kickpipe.audio.wav import WavError, read
from kickpipe.common.errors import KickpipeError
from kickpipe.generate.checks import RecipeError
from kickpipe.generate.files import WriteError, deviation_db, read_recipe, write_batch, write_kick, write_zip
from kickpipe.generate.kick import Kick
from kickpipe.generate.options import FileOptions
from kickpipe.generate.recipe import Recipe, pack_latent
from kickpipe.synth import synthesise

MODELS = {"vae": "0123456789abcdef", "diffusion": "fedcba9876543210"}
OTHER = {"vae": "0" * 16, "diffusion": "0" * 16}


def kick(index: int = 0, **values) -> Kick:
    recipe = Recipe(**{"prompt": "deep:0.7 808", "seed": 12345, "index": index, "models": MODELS, **values})
    return Kick(synthesise(2, index), 44100, torch.zeros(4, 8, 11), recipe)


def test_a_file_says_what_it_is_and_how_it_was_made(tmp_path):
    written = write_kick(kick(), tmp_path)
    audio = read(written.path)
    assert audio.info["INAM"].startswith("AI-generated")
    for part in ("AI-generated", "deep:0.7 808", "12345", "dpm-solver++ 16", MODELS["vae"], MODELS["diffusion"]):
        assert part in audio.info["ICMT"]
    assert json.loads(audio.recipe)["ai_generated"] is True
    assert audio.root_midi == pytest.approx(hz_to_midi(written.root_hz), abs=1e-6)
    assert written.note.replace("#", "s") in written.path.name
    recipe, options, _ = read_recipe(written.path)
    assert (recipe, options) == (kick().recipe, FileOptions())


@pytest.mark.parametrize(("container", "bits"), [("wav", 16), ("wav", 24), ("wav", 32), ("flac", 16), ("flac", 24)])
def test_every_format_holds_the_finished_kick(container, bits, tmp_path):
    options = FileOptions(container, bits, length_ms=300.0)
    written = write_kick(kick(), tmp_path, options)
    samples, rate = soundfile.read(written.path, dtype="float32")
    assert rate == 44100 and len(samples) == 13230
    assert np.abs(samples - kick().finish(length_ms=300.0).samples).max() <= (0 if bits == 32 else 2.0 ** (1 - bits))
    assert np.abs(samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
    assert read_recipe(written.path)[:2] == (kick().recipe, options)


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_a_recipe_with_latents_survives(container, tmp_path):
    source = pack_latent(torch.randn(4, 8, 11))
    made = kick(kind="interpolate", sources=(source, source), position=0.5)
    written = write_kick(made, tmp_path, FileOptions(container))
    assert read_recipe(written.path)[0] == made.recipe


def test_the_same_kick_replaces_its_file_and_another_does_not(tmp_path):
    first = write_kick(kick(), tmp_path).path
    content = first.read_bytes()
    assert write_kick(kick(), tmp_path).path == first
    assert first.read_bytes() == content
    second = write_kick(kick(models=OTHER), tmp_path).path
    assert second.stem == f"{first.stem}_2"
    assert first.read_bytes() == content


def test_a_foreign_file_is_never_replaced(tmp_path):
    path = tmp_path / write_kick(kick(), tmp_path).path.name
    path.write_bytes(b"mine")
    assert write_kick(kick(), tmp_path).path != path
    assert path.read_bytes() == b"mine"


def test_a_batch_has_a_manifest_and_a_zip(tmp_path):
    batch = write_batch([kick(0), kick(1)], tmp_path)
    written, manifest = batch.written, batch.manifest
    values = json.loads(manifest.read_text(encoding="utf-8"))
    assert manifest.name == "kicks_deepx0.7-808_s12345.json"
    assert [entry["file"] for entry in values["kicks"]] == [item.path.name for item in written]
    assert [entry["index"] for entry in values["kicks"]] == [0, 1]
    assert values["ai_generated"] is True
    assert Recipe.from_dict(values["kicks"][1]) == kick(1).recipe
    archive = write_zip(batch)
    with zipfile.ZipFile(archive) as file:
        assert sorted(file.namelist()) == sorted([item.path.name for item in written] + [manifest.name])
        assert file.read(written[0].path.name) == written[0].path.read_bytes()
    content = archive.read_bytes()
    assert write_zip(batch).read_bytes() == content


def test_a_batch_takes_no_more_memory_than_its_recipes(tmp_path):
    written = write_batch((kick(i) for i in range(3)), tmp_path).written
    held = gc.get_referents(*written)
    assert not [item for item in held if isinstance(item, np.ndarray) or type(item).__name__ == "Finished"]


def test_another_batch_of_the_same_name_has_its_own_manifest(tmp_path):
    first = write_batch([kick()], tmp_path).manifest
    assert write_batch([kick()], tmp_path).manifest == first
    assert write_batch([kick(models=OTHER)], tmp_path).manifest != first


def silent(index: int) -> Kick:
    return dataclasses.replace(kick(index), waveform=np.zeros(88200, np.float32))


def test_a_kick_that_cannot_be_finished_is_left_out_with_its_reason_and_the_others_come(tmp_path):
    batch = write_batch([kick(0), silent(1), kick(2)], tmp_path)
    assert [item.recipe.index for item in batch.written] == [0, 2]
    ((recipe, reason),) = [(item.recipe, item.reason) for item in batch.left_out]
    assert recipe.index == 1 and "silent" in reason
    listed = json.loads(batch.manifest.read_text(encoding="utf-8"))
    assert [entry["index"] for entry in listed["kicks"]] == [0, 2]
    assert [(entry["index"], entry["reason"]) for entry in listed["left_out"]] == [(1, reason)]
    assert Recipe.from_dict(listed["left_out"][0]) == silent(1).recipe
    with zipfile.ZipFile(write_zip(batch)) as archive:
        assert len(archive.namelist()) == 3


def test_a_batch_of_which_no_kick_can_be_finished_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(FinishError, match=r"none of the 2 kicks can be finished; the first: .*silent"):
        write_batch([silent(0), silent(1)], tmp_path)
    with pytest.raises(FinishError, match=r"^the kick is silent"):
        write_batch([silent(0)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_whole_files_only(tmp_path, file_size_limit):
    with file_size_limit(10_000), pytest.raises(WriteError, match=r"kick_.*\.wav: cannot be written: .* free space"):
        write_batch([kick()], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_when_the_manifest_comes_keeps_the_kicks(tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def fill_up(path: Path, content: bytes) -> int:
        if ".json" in path.name:
            write_bytes(path, content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(WriteError, match=r"kicks_.*\.json: cannot be written: No space left on device"):
        write_batch([kick(0), kick(1)], tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".wav", ".wav"]


def test_a_disk_that_is_full_when_the_zip_comes_keeps_the_kicks_and_the_manifest(tmp_path, file_size_limit):
    batch = write_batch([kick(0), kick(1)], tmp_path)
    size = max(item.path.stat().st_size for item in batch.written)
    before = sorted(tmp_path.iterdir())
    with file_size_limit(size // 2), pytest.raises(WriteError, match=r"kicks_.*\.zip: cannot be written: .*too large"):
        write_zip(batch)
    assert sorted(tmp_path.iterdir()) == before


def test_kicks_that_many_threads_write_under_one_name_all_stay(tmp_path):
    kicks = [kick(models={"vae": f"{i:016x}"}) for i in range(60)]
    with ThreadPoolExecutor(12) as pool:
        written = list(pool.map(lambda item: write_kick(item, tmp_path), kicks))
    assert len({item.path for item in written}) == 60
    assert {read_recipe(path)[0].models["vae"] for path in tmp_path.iterdir()} == {f"{i:016x}" for i in range(60)}


@pytest.mark.parametrize(
    "options",
    [
        {"container": "mp3"},
        {"bits": 20},
        {"sharp": "is"},
        {"container": "flac", "bits": 32},
        {"peak_db": 3.0},
        {"length_ms": -5.0},
        {"fade_ms": float("nan")},
        {"tune": "H"},
    ],
)
def test_impossible_files_are_refused_before_any_work(options):
    with pytest.raises(KickpipeError):
        FileOptions(**options)


def test_a_file_without_a_recipe_is_told_apart_from_no_file(tmp_path):
    soundfile.write(tmp_path / "plain.wav", np.zeros(10), 44100, "PCM_16")
    with pytest.raises(RecipeError, match="no recipe inside"):
        read_recipe(tmp_path / "plain.wav")
    with pytest.raises(WavError, match="cannot be read"):
        read_recipe(tmp_path / "missing.wav")


@pytest.mark.parametrize(
    "damage",
    [
        "{}",
        '{"kind": 5}',
        '{"file": {"bits": 7}}',
        '{"file": 3}',
        '{"seed": "x"}',
        "{",
        "[" * 100_000,
        '{"models": [1]}',
    ],
)
def test_a_damaged_recipe_is_an_error(damage, tmp_path):
    from kickpipe.audio.wav import AudioFile, write

    write(tmp_path / "kick.wav", AudioFile(np.zeros(10), 44100, {"ICMT": "x"}, None, damage))
    if damage == "{}":
        assert read_recipe(tmp_path / "kick.wav")[0] == Recipe()
        return
    with pytest.raises(RecipeError, match="damaged"):
        read_recipe(tmp_path / "kick.wav")


def test_the_deviation_of_equal_kicks_is_minus_infinity():
    x = np.array([0.5, -0.5])
    assert deviation_db(x, x) == -np.inf
    assert deviation_db(x, x + 0.1) == pytest.approx(-20)
    assert deviation_db(x, x[:1]) == np.inf
