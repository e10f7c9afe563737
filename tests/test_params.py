import copy
from pathlib import Path

import pytest
import yaml

from kickpipe.params import ParamsError, load_params

ROOT = Path(__file__).parents[1]
VALUES = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def load(folder: Path, changes: dict, remove: tuple[str, ...] = ()):
    """Params with some dotted names set and others removed."""
    values = copy.deepcopy(VALUES)
    for name, value in changes.items():
        *sections, key = name.split(".")
        place = values
        for section in sections:
            place = place[section]
        place[key] = value
    for name in remove:
        section, _, key = name.partition(".")
        del (values[section] if key else values)[key or section]
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return load_params(path)


def flat(values: dict, prefix: str = "") -> dict:
    """Nested dictionaries as one, with dotted names; lists as tuples."""
    result = {}
    for name, value in values.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{name}.")
        else:
            result[prefix + name] = tuple(value) if isinstance(value, list) else value
    return result


def test_the_params_of_the_project_hold_what_the_file_says():
    assert flat(load_params(ROOT / "params.yaml").model_dump()) == flat(VALUES)


def test_params_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_params(ROOT / "params.yaml").vae.lr = 1.0


@pytest.mark.parametrize("name", ["diffusion.learning_rate", "vae.lrr", "diffuson"])
def test_an_unknown_name_is_refused(tmp_path, name):
    with pytest.raises(ParamsError, match=f"{name}: unknown parameter; check the spelling"):
        load(tmp_path, {name: 1})


@pytest.mark.parametrize("name", list(flat(VALUES)))
def test_every_missing_name_is_refused(tmp_path, name):
    with pytest.raises(ParamsError, match=rf"1 wrong\n  {name}: missing"):
        load(tmp_path, {}, remove=(name,))


@pytest.mark.parametrize("section", list(VALUES))
def test_a_missing_section_is_refused(tmp_path, section):
    with pytest.raises(ParamsError, match=f"{section}: missing"):
        load(tmp_path, {}, remove=(section,))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vae.lr", "fast"),
        ("vae.lr", None),
        ("vae.lr", True),
        ("vae.lr", 0),
        ("vae.lr", -1e-4),
        ("vae.lr", float("nan")),
        ("vae.lr", float("inf")),
        ("vae.epochs", 1.5),
        ("vae.epochs", True),
        ("vae.epochs", 0),
        ("vae.channels", 32),
        ("vae.channels", []),
        ("vae.mixed_precision", "perhaps"),
        ("vae.seed", -1),
        ("audio.peak_db", 1.0),
        ("audio.peak_db", float("-inf")),
        ("diffusion.keyword_dropout", 1.01),
        ("diffusion.ema_decay", 1.0),
        ("diffusion.secondary", "synth/*"),
        ("diffusion.secondary_weight", 0),
        ("split.validation_share", 1.0),
        ("split.holdout", "Some Pack/*"),
        ("vocoder.crop", "louder"),
        ("vocoder.betas", [0.8]),
        # what only a later stage would refuse, hours after the first began
        ("audio.duration", 61),
        ("audio.sample_rate", 800_000),
        ("vae.latent_channels", 5000),
        ("vae.channels", [4] * 17),
        ("diffusion.num_timesteps", 200_000),
        ("vocoder.betas", [0.8, 1.0]),
        ("vocoder.upsample_rates", [512]),
        ("vocoder.resblock_kernels", [3] * 17),
        ("evaluate.count", 2_000_000),
        ("evaluate.guidance", 200),
        ("evaluate.guidances", [1.0, 200.0]),
        ("evaluate.keyword_kicks", 2_000_000),
        ("aggregate.source_dir", 5),
        ("aggregate.tempos", [60]),
    ],
)
def test_a_mistyped_value_is_refused_by_its_dotted_name(tmp_path, name, value):
    with pytest.raises(ParamsError) as caught:
        load(tmp_path, {name: value})
    assert "1 wrong" in str(caught.value)
    assert f"\n  {name}" in str(caught.value)


def test_a_mistyped_item_of_a_list_is_named_by_its_place(tmp_path):
    with pytest.raises(ParamsError, match=r"vae\.channels\.1: .*found 'x'"):
        load(tmp_path, {"vae.channels": [32, "x", 64, 128]})


def test_all_wrong_entries_are_listed_at_once(tmp_path):
    with pytest.raises(ParamsError) as caught:
        load(tmp_path, {"vae.lr": "fast", "diffusion.lrr": 1}, remove=("audio.n_mels",))
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("3 wrong")
    assert {line.split(":")[0].strip() for line in lines[1:]} == {"vae.lr", "diffusion.lrr", "audio.n_mels"}


def test_a_number_that_dvc_wrote_as_text_is_a_number(tmp_path):
    (tmp_path / "check.yaml").write_text("lr: 1e-05", encoding="utf-8")
    assert yaml.safe_load((tmp_path / "check.yaml").read_text()) == {"lr": "1e-05"}  # the trap itself
    params = load(tmp_path, {"diffusion.lr": "1e-05", "diffusion.iterations": "10"})
    assert params.diffusion.lr == 1e-5
    assert params.diffusion.iterations == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audio.hop_length": 256}, "upsample_rates multiply to 512, expected audio.hop_length = 256"),
        ({"audio.n_fft": 256}, "hop_length 512 must not exceed n_fft 256"),
        ({"audio.duration": 0.01}, "n_fft 2048 must not exceed the 0.01 s"),
        ({"vocoder.segment_size": 8000}, "segment_size 8000 is not a multiple of audio.hop_length 512"),
        ({"vocoder.segment_size": 1024}, "segment_size 1024 must exceed half of audio.n_fft 2048"),
        ({"vocoder.upsample_kernels": [16, 16, 4, 4]}, "vocoder: upsample_kernels: expected one for each"),
        ({"vocoder.upsample_kernels": [16, 16, 4, 4, 3]}, "3 must exceed its rate 2 by an even number"),
        ({"vocoder.resblock_kernels": [3, 6]}, "vocoder: resblock_kernels: 6 is even"),
        ({"vocoder.channels": 48}, "vocoder: channels 48 cannot be halved 5 times"),
        ({"diffusion.beta_start": 0.5}, "diffusion: expected 0 < beta_start <= beta_end < 1, found 0.5 and 0.02"),
        ({"diffusion.beta_end": 0.5}, "diffusion: num_timesteps: 1000 of beta 0.0001 to 0.5 leave nothing of a latent"),
        ({"audio.duration": 60, "audio.sample_rate": 96_000}, "audio: 60 s at 96000 Hz are 5,760,000 samples"),
        ({"diffusion.time_dim": 63}, "diffusion: time_dim 63 must be even"),
        ({"diffusion.channels": [64, 130]}, "diffusion: channels: the last, 130, must be a multiple of 4"),
        ({"aggregate.min_bytes": 2**30}, "aggregate: min_bytes 1073741824 must not exceed max_bytes 1048576"),
        ({"aggregate.tempos": [200, 60]}, "aggregate: tempos .200, 60.: the lowest must not exceed the highest"),
    ],
)
def test_values_that_do_not_go_together_are_refused(tmp_path, changes, message):
    with pytest.raises(ParamsError, match=message):
        load(tmp_path, changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected sections such as 'audio:', found NoneType"),
        (b"- audio\n", "expected sections such as 'audio:', found list"),
        (b"audio: [1", "not valid YAML"),
        (b"audio: \xff\xfe", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_params_file_is_refused(tmp_path, content, message):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError, match=message):
        load_params(path)


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(ParamsError, match="not found; run the stages from the root of the project"):
        load_params(tmp_path / "params.yaml")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(ParamsError, match="cannot be read"):
        load_params(tmp_path)


def test_text_in_params_is_never_executed(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(f"audio: !!python/object/apply:pathlib.Path.touch [{tmp_path / 'touched'}]", encoding="utf-8")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load_params(path)
    assert not (tmp_path / "touched").exists()
