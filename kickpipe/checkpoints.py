"""Model files: what one uses of a trained network, in one safetensors file that explains itself.

The tensors are the weights (the averaged ones where training keeps an average). The metadata holds one JSON text with
the kind, format version, constructor arguments, audio settings, step and extras such as the vocabulary:
``load_model`` rebuilds the network from the file alone. safetensors holds numbers only, so a hostile file can be wrong
but not executed; and the network is first built without memory and compared with the tensors that are really there, so
it cannot claim more memory than its own size either. PyTorch is imported where weights are read or written.
"""

__all__ = ["KINDS", "CheckpointError", "ModelFile", "load_model", "model_class", "read_metadata", "write_model"]

import hashlib
import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from kickpipe.audio.settings import AudioSettings
from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing
from kickpipe.common.limits import MAX_CONFIG_CHARACTERS
from kickpipe.models.sizes import upsample_factor

if TYPE_CHECKING:
    from torch import nn

FORMAT_VERSION = 1

MAX_METADATA_CHARACTERS = 4_000_000  # ten times what the largest vocabulary takes
CONTENTS = {"config": dict, "audio": dict, "step": int, "extra": dict}
WORDS = {dict: "names with values", int: "a whole number"}

# By name, and imported when a file of that kind is opened: a stage depends on its own network only
KINDS = {
    "vae": ("kickpipe.models.vae", "VAE"),
    "texture": ("kickpipe.models.texture", "Texture"),
    "diffusion": ("kickpipe.models.unet", "KeywordUNet"),
    "vocoder": ("kickpipe.models.hifigan", "Generator"),
}


class CheckpointError(KickpipeError):
    """A model file cannot be used; the message says which, why and what to do."""


@dataclass(frozen=True)
class ModelFile:
    """A model file as loaded.

    Arguments:
        kind: One of ``KINDS``.
        model: The network, in evaluation mode, on the CPU, float32.
        config: Arguments of its constructor.
        audio: Audio settings it was trained with.
        step: Completed optimiser steps.
        extra: What else travels in the file, for example ``vocabulary`` and ``latent_mean``.
        sha256: Hash of the file, hexadecimal.
    """

    kind: str
    model: "nn.Module"
    config: dict[str, Any]
    audio: AudioSettings
    step: int
    extra: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""


def write_model(
    path: str | Path,
    kind: str,
    model: "nn.Module",
    config: dict[str, Any],
    audio: AudioSettings,
    step: int,
    **extra: Any,
) -> None:
    """Writes a model file beside ``path``, then renames it: a kill never leaves half a file.

    Arguments:
        kind: One of ``KINDS``; ``config`` must hold the arguments of its constructor.
        extra: Further JSON values.

    Raises:
        CheckpointError: If the folder cannot be written to.
    """
    from safetensors.torch import save

    path = Path(path)
    metadata = {
        "kind": kind,
        "format_version": FORMAT_VERSION,
        "config": config,
        "audio": audio.to_dict(),
        "step": step,
    }
    text = json.dumps({**metadata, "extra": extra}, sort_keys=True, allow_nan=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    try:
        with replacing(path) as partial:
            # save_file would make a file that only its owner can read
            partial.write_bytes(save(tensors, metadata={"kickpipe": text}))
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"{path}: cannot be written: {reason}; free space or choose another folder") from error


def read_metadata(path: str | Path, kind: str | None = None) -> dict[str, Any]:
    """Reads what a model file says of itself: kind, format_version, config, audio, step, extra.

    Raises:
        CheckpointError: If the file is missing, damaged, not a kickpipe model file, or of another kind or version.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"{path}: no such model file; run 'dvc pull' for the released models, or 'dvc repro' to train your own"
        )
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get("kickpipe", "")
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not a safetensors file: {error}; pull or train it again") from None
    if len(text) > MAX_METADATA_CHARACTERS:
        raise CheckpointError(
            f"{path}: metadata of {len(text):,} characters, expected at most {MAX_METADATA_CHARACTERS:,}"
        )
    try:
        metadata = json.loads(text)
        found, version = metadata["kind"], metadata["format_version"]
        missing = CONTENTS.keys() - metadata.keys()
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckpointError(f"{path}: a safetensors file, but not one that kickpipe wrote") from None
    if missing:
        raise CheckpointError(f"{path}: the metadata lacks {', '.join(sorted(missing))}")
    if version != FORMAT_VERSION:
        raise CheckpointError(f"{path}: format version {version}, this kickpipe reads version {FORMAT_VERSION}")
    expected = list(KINDS) if kind is None else [kind]
    if found not in expected:
        raise CheckpointError(f"{path}: holds a {found!r} model, expected {' or '.join(map(repr, expected))}")
    for name, wanted in CONTENTS.items():
        if not isinstance(metadata[name], wanted) or isinstance(metadata[name], bool):
            raise CheckpointError(f"{path}: {name}: expected {WORDS[wanted]}, found {str(metadata[name])[:60]}")
    try:
        AudioSettings.from_dict(metadata["audio"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from None
    return metadata


def model_class(kind: str) -> "type[nn.Module]":
    """The class of the networks of a kind."""
    module, name = KINDS[kind]
    return getattr(importlib.import_module(module), name)


def load_model(path: str | Path, kind: str) -> ModelFile:
    """Rebuilds a network from its file alone.

    Arguments:
        kind: The kind that is expected, one of ``KINDS``.

    Raises:
        CheckpointError: As ``read_metadata``, and if weights and constructor arguments do not match or a weight is not finite.
    """
    import torch

    path = Path(path)
    metadata = read_metadata(path, kind)
    try:
        audio = AudioSettings.from_dict(metadata["audio"])
        with safe_open(path, framework="pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (no mapping)
            check_shapes(kind, metadata["config"], audio, shapes)
            tensors = {name: file.get_tensor(name) for name in shapes}
        bad = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
        model = model_class(kind)(**metadata["config"])
        model.load_state_dict(tensors)
    except Exception as error:  # arguments from a stranger's file fail in any way, and each means the same to the user
        raise CheckpointError(f"{path}: weights and metadata do not belong together: {error}") from None
    if bad:
        raise CheckpointError(f"{path}: weights that are not finite: {', '.join(bad[:5])}")
    model.eval().requires_grad_(False)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return ModelFile(kind, model, metadata["config"], audio, metadata["step"], metadata["extra"], sha256)


def check_shapes(kind: str, config: dict[str, Any], audio: AudioSettings, shapes: dict[str, tuple[int, ...]]) -> None:
    """Compares the tensors of a file with the network that ``config`` describes, built without memory.

    Raises:
        ValueError: If they differ, or the network is not one for ``audio``.
    """
    if len(json.dumps(config)) > MAX_CONFIG_CHARACTERS:
        raise ValueError(f"constructor arguments of more than {MAX_CONFIG_CHARACTERS} characters")
    for name in ("n_mels", "num_frames"):
        if name in config and config[name] != getattr(audio, name):
            raise ValueError(f"the network has {name} {config[name]}, its audio settings {getattr(audio, name)}")
    if "upsample_rates" in config and upsample_factor(config["upsample_rates"]) != audio.hop_length:
        raise ValueError(f"upsample_rates {config['upsample_rates']} do not multiply to hop_length {audio.hop_length}")
    from kickpipe.models.shapes import shapes_of

    expected = shapes_of(lambda: model_class(kind)(**config))
    if wrong := sorted(expected.items() ^ shapes.items()):
        name = wrong[0][0]
        found, wanted = shapes.get(name, "not there"), expected.get(name, "none")
        raise ValueError(
            f"{name} is {found} in the file, expected {wanted}; {len({n for n, _ in wrong})} tensors differ"
        )
