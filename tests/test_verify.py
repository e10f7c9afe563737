"""What the model files of a folder are: the release, one's own, damaged or missing; and what ``kickpipe verify`` says."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import CONFIGS, write_tiny_models

from kickpipe.checkpoints import CheckpointError, load_model, model_class, write_model
from kickpipe.cli import main
from kickpipe.common.files import write_json
from kickpipe.release import (
    NUM_PARTS,
    Manifest,
    ReleaseError,
    check_folder,
    describe_release,
    find_manifest,
    read_manifest,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def written(tmp_path_factory, settings) -> Path:
    return write_tiny_models(tmp_path_factory.mktemp("models"), settings)


@pytest.fixture(scope="module")
def release(written) -> Manifest:
    return describe_release(written, "test models", "1.2", "CC-BY-4.0")


@pytest.fixture
def models(tmp_path, written) -> Path:
    return shutil.copytree(written, tmp_path / "checkpoints")


@pytest.fixture
def verify(models, release, capsys):
    """Runs the command on the folder beside its manifest; returns status, standard output and standard error."""
    write_json(models.parent / "release.json", release.to_dict())

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit_:
            main(["verify", "--checkpoints", str(models), *map(str, arguments)])
        captured = capsys.readouterr()
        return exit_.value.code or 0, captured.out, captured.err

    return run


def statuses(models: Path, release: Manifest | None) -> list[str]:
    return [report.status for report in check_folder(models, release)]


def write_own(path: Path, settings, seed: int) -> None:
    """A VAE as another training leaves it: the same size and header, other weights."""
    torch.manual_seed(seed)
    write_model(path, "vae", model_class("vae")(**CONFIGS["vae"]), CONFIGS["vae"], settings, 1)


def test_a_manifest_names_size_hash_step_and_number_of_parameters(written, release):
    assert [file.kind for file in release.files] == ["vae", "diffusion", "vocoder"]
    for file in release.files:
        content = (written / file.file).read_bytes()
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert file.md5 == hashlib.md5(content).hexdigest()
        assert file.bytes == len(content)
        model = load_model(written / file.file, file.kind).model
        assert file.parameters == sum(tensor.numel() for tensor in model.state_dict().values())
        assert file.step == 1
        assert len(file.parts) == NUM_PARTS


def test_a_manifest_is_the_same_after_writing_and_reading(tmp_path, release):
    write_json(tmp_path / "release.json", release.to_dict())
    assert read_manifest(tmp_path / "release.json") == release


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": [{}]}', '{"name": "x", "files": []}', '{"files": 3}'])
def test_a_manifest_that_is_none_is_refused_by_name(tmp_path, text):
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(ReleaseError, match=r"release\.json: not a manifest"):
        read_manifest(tmp_path / "release.json")


def test_a_manifest_is_not_made_of_damaged_models(models):
    (models / "vae.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"vae\.safetensors"):
        describe_release(models, "test models", "1.2", "CC-BY-4.0")


def test_a_manifest_is_found_in_the_folder_or_beside_it(tmp_path, models, release):
    beside, inside = models.parent / "release.json", models / "release.json"
    write_json(beside, release.to_dict())
    assert find_manifest(models) == beside.resolve()
    write_json(inside, release.to_dict())
    assert find_manifest(models) == inside.resolve()


def test_released_files_are_known(models, release):
    assert statuses(models, release) == ["released"] * 3


def test_a_texture_model_is_checked_where_there_is_one_or_the_release_has_one(models, settings):
    write_tiny_models(models, settings, ("texture",))
    released = describe_release(models, "test models", "1.2", "CC-BY-4.0")
    assert [file.kind for file in released.files] == ["vae", "texture", "diffusion", "vocoder"]
    assert statuses(models, released) == ["released"] * 4
    (models / "texture.safetensors").unlink()
    assert statuses(models, released)[1] == "missing"
    assert statuses(models, None) == ["own"] * 3


def test_another_training_of_the_same_network_is_ones_own(models, release, settings):
    write_own(models / "vae.safetensors", settings, 5)
    assert (models / "vae.safetensors").stat().st_size == release.files[0].bytes
    assert statuses(models, release) == ["own", "released", "released"]


def test_without_a_manifest_every_file_that_can_be_used_is_ones_own(models):
    assert statuses(models, None) == ["own"] * 3


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.999])
def test_one_flipped_bit_of_a_weight_is_a_damage(models, release, place):
    path = models / "vocoder.safetensors"
    content = bytearray(path.read_bytes())
    begin = 8 + int.from_bytes(content[:8], "little")
    content[begin + int(place * (len(content) - begin))] ^= 1
    path.write_bytes(content)
    report = check_folder(models, release)[2]
    assert report.status == "damaged"
    cached = release.files[2].md5
    assert f".dvc/cache/files/md5/{cached[:2]}/{cached[2:]}" in report.reason


def test_released_weights_that_say_something_else_of_themselves_are_a_damage(models, release):
    path = models / "vae.safetensors"
    content = path.read_bytes()
    changed = content.replace(b'\\"step\\": 1', b'\\"step\\": 9')
    assert changed != content
    path.write_bytes(changed)
    assert load_model(path, "vae").step == 9
    assert statuses(models, release)[0] == "damaged"


@pytest.mark.parametrize("size", [0, 7, 1000, -1])
def test_a_file_cut_short_is_a_damage(models, release, size):
    path = models / "diffusion.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert statuses(models, release) == ["released", "damaged", "released"]


def test_a_file_that_is_not_a_model_is_a_damage(models, release):
    save_file(load_file(models / "vae.safetensors"), models / "vae.safetensors")
    report = check_folder(models, release)[0]
    assert report.status == "damaged"
    assert "not one that kickpipe wrote" in report.reason


def test_a_file_of_another_kind_is_a_damage(models, release):
    shutil.copy(models / "vae.safetensors", models / "vocoder.safetensors")
    assert statuses(models, release) == ["released", "released", "damaged"]


def test_a_vocabulary_that_is_no_list_is_a_damage(models, settings):
    model = model_class("diffusion")(**CONFIGS["diffusion"])
    write_model(models / "diffusion.safetensors", "diffusion", model, CONFIGS["diffusion"], settings, 1, vocabulary=3)
    assert statuses(models, None)[1] == "damaged"


def test_a_missing_file_is_missing(models, release):
    (models / "vae.safetensors").unlink()
    report = check_folder(models, release)[0]
    assert report.status == "missing"
    assert "dvc pull" in report.reason


def test_the_command_says_what_every_file_is(verify):
    status, out, err = verify()
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "released: VAE, step 1, 9,125 parameters" in lines[0]
    assert "6 keywords" in lines[1]
    assert "released: vocoder" in lines[2]
    assert "44,100 Hz, 2.0 s, 128 mel bands" in lines[3]
    assert "test models 1.2: all files as released; licence of the weights: CC-BY-4.0" in lines[4]


def test_the_command_is_content_with_ones_own_models(verify, models, settings):
    write_own(models / "vae.safetensors", settings, 5)
    status, out, _ = verify()
    assert status == 0
    assert "your own model: VAE" in out
    assert "is it this one?" in out  # a diffusion model of another VAE's latents makes noise


def test_the_command_fails_where_a_file_is_damaged_or_missing(verify, models):
    (models / "vae.safetensors").write_bytes(b"nothing")
    status, out, _ = verify()
    assert status == 2
    assert "DAMAGED" in out.splitlines()[0]
    (models / "vocoder.safetensors").unlink()
    status, out, _ = verify()
    assert status == 2
    assert "MISSING" in out.splitlines()[2]


def test_the_command_fails_where_files_do_not_belong_together(verify, models, settings):
    other = dataclasses.replace(settings, peak_db=-3.0)
    write_model(models / "vae.safetensors", "vae", model_class("vae")(**CONFIGS["vae"]), CONFIGS["vae"], other, 1)
    status, out, _ = verify()
    assert status == 2
    assert "different audio settings" in out


def test_json_is_one_object_and_nothing_else(verify, models, release):
    status, out, err = verify("--json")
    values = json.loads(out)
    assert (status, err, values["usable"]) == (0, "", True)
    assert values["release"]["version"] == "1.2"
    assert [file["sha256"] for file in values["files"]] == [file.sha256 for file in release.files]
    assert values["files"][1]["vocabulary"] == 6
    (models / "vae.safetensors").unlink()
    status, out, _ = verify("--json")
    assert (status, json.loads(out)["usable"]) == (2, False)


def test_a_manifest_that_is_not_there_is_an_error_in_one_line(verify, tmp_path):
    status, out, err = verify("--manifest", tmp_path / "none.json")
    assert (status, out) == (2, "")
    assert err.startswith("kickpipe: ")
    assert "none.json" in err
    assert err.count("\n") == 1


def test_the_script_writes_a_manifest_that_verifies(models, capsys):
    from scripts.release import manifest as release_manifest

    out = models.parent / "release.json"
    options = ["--checkpoints", models, "--out", out, "--version", "3"]
    assert release_manifest.main([str(option) for option in options]) == 0
    assert "kickpipe release models 3" in capsys.readouterr().out
    assert statuses(models, read_manifest(out)) == ["released"] * 3
    (models / "vae.safetensors").unlink()
    assert release_manifest.main([str(option) for option in options]) == 1
    assert "vae.safetensors" in capsys.readouterr().err
