"""Starting the denoiser's training from a model file: what it knows by its words stays with them."""

__all__ = ["start_from"]

from pathlib import Path

import torch

from kickpipe.audio.settings import AudioSettings
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.models.unet import KeywordUNet
from kickpipe.training.latents import LatentScale
from kickpipe.training.pretrained import load_pretrained


@torch.no_grad()
def start_from(
    path: str | Path, model: KeywordUNet, vocabulary: Vocabulary, audio: AudioSettings, *, output: str | Path
) -> LatentScale:
    """Copies the weights of a denoiser's file into ``model``; embeddings by word, those of unknown words stay as they are.

    Arguments:
        path, audio, output: As in ``load_pretrained``.
        vocabulary: The words of ``model``.

    Returns:
        The units that the file was trained in: those of a few hundred kicks would shift and stretch all it knows.

    Raises:
        CheckpointError: As ``load_pretrained``.
    """
    file = load_pretrained(path, "diffusion", model.config, audio, output=output, may_differ=("vocab_size",))
    known = {word: i for i, word in enumerate(file.extra["vocabulary"])}
    weights = file.model.state_dict()
    embeddings = model.text.embedding.weight.clone()
    for i, word in enumerate(vocabulary.words):
        if word in known:
            embeddings[i] = weights["text.embedding.weight"][known[word]]
    model.load_state_dict({**weights, "text.embedding.weight": embeddings})
    return LatentScale(torch.tensor(file.extra["latent_mean"]), torch.tensor(file.extra["latent_std"]))
