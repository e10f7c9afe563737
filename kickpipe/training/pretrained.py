"""Starting a training from a model file instead of from noise."""

__all__ = ["load_pretrained"]

from pathlib import Path
from typing import Any

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import CheckpointError, ModelFile, load_model


def load_pretrained(
    path: str | Path,
    kind: str,
    config: dict[str, Any],
    audio: AudioSettings,
    *,
    output: str | Path,
    may_differ: tuple[str, ...] = (),
) -> ModelFile:
    """Reads a model file of the same architecture.

    Arguments:
        path: ``init_from`` of params.yaml.
        kind: Kind of the model that is trained.
        config: Arguments of the constructor of the model that is trained.
        audio: Its audio settings.
        output: Model file that the training writes.
        may_differ: Names in ``config`` that need not agree.

    Raises:
        CheckpointError: If the file is the one that is to be written, or an argument or audio setting differs; each is named.
    """
    if Path(path).resolve() == Path(output).resolve():
        raise CheckpointError(
            f"init_from: {path} is what this training writes, and DVC removes it first; "
            "copy it to pretrained/ and start from there"
        )
    file = load_model(path, kind)
    expected = {**config, **{f"audio.{name}": value for name, value in audio.to_dict().items()}}
    found = {**file.config, **{f"audio.{name}": value for name, value in file.audio.to_dict().items()}}
    wrong = [
        f"{name} is {found.get(name)} in the file, {value} in params.yaml"
        for name, value in expected.items()
        if name not in may_differ and found.get(name) != value
    ]
    if wrong:
        raise CheckpointError(f"init_from: {path} has another architecture: {'; '.join(wrong)}")
    return file
