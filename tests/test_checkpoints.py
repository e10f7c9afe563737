import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_models import CONFIGS, COUNTS, WORDS, write_tiny_models

from kickpipe.checkpoints import KINDS, CheckpointError, load_model, model_class, read_metadata, write_model

# One input of each network, of odd sizes
INPUTS = {
    "vae": lambda: (torch.randn(1, 1, 128, 173),),
    "diffusion": lambda: (torch.randn(2, 4, 8, 11), torch.tensor([0, 999]), torch.tensor([[0, 3], [5, -1]])),
    "texture": lambda: (torch.randn(2, 1, 128, 20), torch.randn(2, 1, 128, 20)),
    "vocoder": lambda: (torch.randn(1, 128, 3),),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory, settings) -> Path:
    return write_tiny_models(tmp_path_factory.mktemp("models"), settings, tuple(KINDS))


@pytest.fixture
def models(tmp_path, written) -> Path:
    """A folder with a model file of each kind."""
    return shutil.copytree(written, tmp_path / "models")


def rewrite(path: Path, change) -> None:
    """Lets ``change`` work on the metadata (a dictionary) and the tensors of a model file."""
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["kickpipe"])
    tensors = load_file(path)
    change(metadata, tensors)
    save_file(tensors, path, metadata={"kickpipe": json.dumps(metadata)})


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_computes_the_same_after_writing_and_loading(tmp_path, settings, kind):
    torch.manual_seed(0)
    model = model_class(kind)(**CONFIGS[kind]).eval()
    extra = {"vocabulary": WORDS, "latent_mean": [0.1, -1e-9, 3.25, 0.0]}
    write_model(tmp_path / "model.safetensors", kind, model, CONFIGS[kind], settings, 123, **extra)
    file = load_model(tmp_path / "model.safetensors", kind)
    assert (file.kind, file.config, file.audio, file.step, file.extra) == (kind, CONFIGS[kind], settings, 123, extra)
    inputs = INPUTS[kind]()
    with torch.inference_mode():
        for ours, theirs in zip(as_tuple(model(*inputs)), as_tuple(file.model(*inputs)), strict=True):
            assert torch.equal(ours, theirs)


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def test_a_loaded_model_is_ready_for_inference(models):
    model = load_model(models / "diffusion.safetensors", "diffusion").model
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_the_same_model_gives_the_same_bytes(tmp_path, settings):
    first, second = (write_tiny_models(tmp_path / name, settings, tuple(KINDS)) for name in ("a", "b"))
    for kind in KINDS:
        assert (first / f"{kind}.safetensors").read_bytes() == (second / f"{kind}.safetensors").read_bytes()


def test_the_hash_is_that_of_the_file(models):
    path = models / "vae.safetensors"
    assert load_model(path, "vae").sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_metadata_can_be_read_without_the_weights(models, settings):
    metadata = read_metadata(models / "diffusion.safetensors")
    assert metadata["kind"] == "diffusion"
    assert metadata["format_version"] == 1
    assert metadata["audio"] == settings.to_dict()
    assert metadata["extra"]["keyword_counts"] == COUNTS


def test_writing_leaves_no_other_file(models):
    assert sorted(path.name for path in models.iterdir()) == sorted(f"{kind}.safetensors" for kind in KINDS)


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(CheckpointError, match="no such model file; run 'dvc pull'"):
        load_model(tmp_path / "vae.safetensors", "vae")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no such model file"):
        load_model(tmp_path, "vae")


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, -1])
def test_a_truncated_file_is_refused(models, size):
    path = models / "vae.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match="damaged or not a safetensors file"):
        load_model(path, "vae")


def test_a_file_with_something_appended_is_refused(models):
    path = models / "vae.safetensors"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(path, "vae")


@pytest.mark.parametrize(("found", "expected"), [("vae", "vocoder"), ("diffusion", "vae"), ("vocoder", "diffusion")])
def test_a_file_of_another_kind_is_refused_by_both_names(models, found, expected):
    with pytest.raises(CheckpointError, match=f"holds a '{found}' model, expected '{expected}'"):
        load_model(models / f"{found}.safetensors", expected)


def test_a_kind_that_does_not_exist_is_refused(models):
    for kind in ("gan", ["vae"], None, 5):
        rewrite(models / "vae.safetensors", lambda metadata, _, kind=kind: metadata.update(kind=kind))
        with pytest.raises(CheckpointError, match="expected 'vae' or 'texture' or 'diffusion' or 'vocoder'"):
            read_metadata(models / "vae.safetensors")


def test_a_file_of_another_version_is_refused_by_both_versions(models):
    rewrite(models / "vae.safetensors", lambda metadata, _: metadata.update(format_version=2))
    with pytest.raises(CheckpointError, match="format version 2, this kickpipe reads version 1"):
        load_model(models / "vae.safetensors", "vae")


@pytest.mark.parametrize("name", ["config", "audio", "step", "extra"])
def test_metadata_that_lacks_something_is_refused(models, name):
    rewrite(models / "vae.safetensors", lambda metadata, _: metadata.pop(name))
    with pytest.raises(CheckpointError, match=f"the metadata lacks {name}"):
        load_model(models / "vae.safetensors", "vae")


@pytest.mark.parametrize(
    ("name", "value"),
    [("extra", None), ("extra", []), ("config", None), ("config", [1]), ("audio", 3), ("step", "9"), ("step", True)],
)
def test_metadata_of_another_type_is_refused_by_its_name(models, name, value):
    rewrite(models / "vae.safetensors", lambda metadata, _: metadata.update({name: value}))
    for read in (load_model, read_metadata):
        with pytest.raises(CheckpointError, match=rf"vae\.safetensors: {name}: expected .*, found"):
            read(models / "vae.safetensors", "vae")


def test_metadata_beyond_measure_is_refused_before_it_is_read(models):
    rewrite(models / "vae.safetensors", lambda metadata, _: metadata["extra"].update(words=["kick"] * 1_000_000))
    with pytest.raises(CheckpointError, match="expected at most 4,000,000"):
        read_metadata(models / "vae.safetensors")


def test_metadata_is_read_without_pytorch(models):
    code = (
        f"import sys; from kickpipe.checkpoints import *; read_metadata({str(models / 'vae.safetensors')!r}, 'vae'); "
    )
    code += "print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    "metadata",
    [None, {"format": "pt"}, {"kickpipe": ""}, {"kickpipe": "{"}, {"kickpipe": "[]"}, {"kickpipe": "[" * 100_000}],
)
def test_a_safetensors_file_of_someone_else_is_refused(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(CheckpointError, match="not one that kickpipe wrote"):
        load_model(path, "vae")


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("save", [pickle.dump, torch.save])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_by_another_name_is_refused_and_never_executed(tmp_path, save, kind):
    path, touched = tmp_path / f"{kind}.safetensors", tmp_path / "touched"
    with path.open("wb") as file:
        save(Bomb(touched), file)
    with pytest.raises(CheckpointError, match="damaged or not a safetensors file"):
        load_model(path, kind)
    assert not touched.exists()
    with path.open("rb") as file:  # it would have gone off
        torch.load(file, weights_only=False) if save is torch.save else pickle.load(file)
    assert touched.exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_named(models, value):
    def damage(_, tensors):
        tensors["encoder.mu.bias"][1] = value

    rewrite(models / "vae.safetensors", damage)
    with pytest.raises(CheckpointError, match=r"weights that are not finite: encoder\.mu\.bias"):
        load_model(models / "vae.safetensors", "vae")


def test_a_tensor_of_another_shape_is_refused_by_both_shapes(models):
    rewrite(models / "vae.safetensors", lambda _, tensors: tensors.update({"encoder.mu.bias": torch.zeros(5)}))
    message = r"encoder.mu.bias is \(5,\) in the file, expected \(4,\); 1 tensors differ"
    with pytest.raises(CheckpointError, match=message):
        load_model(models / "vae.safetensors", "vae")


def test_a_missing_and_a_strange_tensor_are_refused(models):
    rewrite(models / "vae.safetensors", lambda _, tensors: tensors.pop("encoder.mu.bias"))
    with pytest.raises(CheckpointError, match=r"encoder\.mu\.bias is not there in the file"):
        load_model(models / "vae.safetensors", "vae")
    rewrite(models / "vocoder.safetensors", lambda _, tensors: tensors.update(stranger=torch.zeros(1)))
    with pytest.raises(CheckpointError, match=r"stranger is .* expected none"):
        load_model(models / "vocoder.safetensors", "vocoder")


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("vae", {"channels": [2**40] * 4}),
        ("vae", {"channels": [2**17, 2**17]}),
        ("vae", {"latent_channels": 2**62}),
        ("vae", {"channels": [10**30]}),
        ("vae", {"channels": [1] * 10**6}),
        ("vae", {"num_frames": 10**9}),
        ("vae", {"channels": "abcd"}),
        ("vae", {"channels": []}),
        ("vae", {"channels": [-4]}),
        ("vae", {"channels": None}),
        ("vae", {"unknown": 1}),
        ("diffusion", {"vocab_size": 10**12}),
        ("diffusion", {"vocab_size": -1}),
        ("diffusion", {"time_dim": 10**12}),
        ("diffusion", {"num_heads": 0}),
        ("vocoder", {"channels": 2**60}),
        ("vocoder", {"upsample_rates": [0] * 5}),
        ("vocoder", {"resblock_dilations": [[1] * 10**6]}),
    ],
)
def test_hostile_arguments_are_refused_without_the_memory_they_claim(models, kind, changes):
    path = models / f"{kind}.safetensors"
    rewrite(path, lambda metadata, _: metadata["config"].update(changes))
    before = peak_kib()
    with pytest.raises(CheckpointError, match="weights and metadata do not belong together"):
        load_model(path, kind)
    assert peak_kib() - before < 200_000


def peak_kib() -> int:
    """Most memory this process ever held; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("duration", 1e9, "audio.duration: 1000000000.0 is not between 0 and 60"),
        ("sample_rate", "44100", "audio.sample_rate: expected a whole number, found '44100'"),
        ("sample_rate", 44100.5, "audio.sample_rate: expected a whole number"),
        ("hop_length", 0, "audio.hop_length: 0 is not between"),
        ("n_mels", True, "audio.n_mels: expected a whole number, found True"),
        ("mel_floor", float("nan"), "audio.mel_floor: expected a number, found nan"),
        ("n_mels", 64, "the network has n_mels 128, its audio settings 64"),
        ("duration", 1.0, "the network has num_frames 173, its audio settings 87"),
        ("colour", 1, "colour"),
        ("duration", 60.0, "audio: .* expected at most 3,000,000"),
        ("hop_length", 1, "audio: 88,201 frames of n_fft 2048 and n_mels 128 are too many"),
    ],
)
def test_audio_settings_that_make_no_sense_are_refused(models, name, value, message):
    change = {name: value} | ({"sample_rate": 768_000} if value == 60.0 else {})
    rewrite(models / "vae.safetensors", lambda metadata, _: metadata["audio"].update(change))
    with pytest.raises(CheckpointError, match=message):
        load_model(models / "vae.safetensors", "vae")


def test_a_model_file_that_cannot_be_written_leaves_the_old_one(models, settings, file_size_limit):
    path = models / "vae.safetensors"
    before = path.read_bytes()
    model = load_model(path, "vae").model
    with (
        file_size_limit(1000),
        pytest.raises(CheckpointError, match=r"vae\.safetensors: cannot be written: .*free space"),
    ):
        write_model(path, "vae", model, CONFIGS["vae"], settings, 2)
    assert path.read_bytes() == before
    assert sorted(p.name for p in models.iterdir()) == sorted(f"{kind}.safetensors" for kind in KINDS)


def test_a_file_in_place_of_the_folder_is_an_error_for_people(tmp_path, settings):
    (tmp_path / "checkpoints").write_text("")
    model = model_class("vae")(**CONFIGS["vae"])
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_model(tmp_path / "checkpoints" / "vae.safetensors", "vae", model, CONFIGS["vae"], settings, 1)


def test_metadata_that_json_cannot_say_is_refused_before_anything_is_written(tmp_path, settings):
    model = model_class("vae")(**CONFIGS["vae"])
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_model(tmp_path / "vae.safetensors", "vae", model, CONFIGS["vae"], settings, 1, mean=float("nan"))
    assert not list(tmp_path.iterdir())
