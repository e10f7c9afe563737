"""The commands that make kicks: what they print, write and exit with."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kickpipe.audio.finish import FinishError, finish


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
