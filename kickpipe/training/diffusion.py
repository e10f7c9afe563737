"""Training of the latent diffusion model.

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise        loss = MSE(model(x_t, t, keywords), noise)

with t uniform over the schedule (Ho et al. 2020, algorithm 1) and the keywords of each example dropped with a fixed
probability, so that one network learns both halves of classifier-free guidance (Ho & Salimans 2022).
"""

__all__ = ["DiffusionObjective", "draw_weights", "latent_statistics", "pad_keywords", "train_diffusion"]

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import ModelFile, write_model
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import PAD
from kickpipe.models.unet import KeywordUNet
from kickpipe.training.device import Precision, select_device
from kickpipe.training.loop import batch_indices, ema_decay_at, step_optimizer, update_ema
from kickpipe.training.pretrained import load_pretrained
from kickpipe.training.preview import show_samples
from kickpipe.training.run import run_training
from kickpipe.training.state import RunFolder, TrainState
from kickpipe.training.tracking import Tracker

NUM_VALIDATION_DRAWS = 8  # timesteps a validation latent is noised to


@dataclass(frozen=True)
class DiffusionObjective:
    """What the denoiser is trained to lower.

    Arguments:
        schedule: The noise schedule.
        keyword_dropout: Probability that an example loses all its keywords.
    """

    schedule: NoiseSchedule
    keyword_dropout: float

    def drop_keywords(self, ids: Tensor) -> Tensor:
        """Keyword ids (B, K) with whole rows emptied at random, each on its own."""
        dropped = torch.rand(len(ids)) < self.keyword_dropout
        return ids.masked_fill(dropped[:, None].to(ids.device), PAD)

    def __call__(self, model: KeywordUNet, latent: Tensor, ids: Tensor, timestep: Tensor, noise: Tensor) -> Tensor:
        """Mean squared error of the predicted noise, a scalar.

        Arguments:
            latent, noise: Standardised latents and normal noise (B, C, H, W).
            ids: Keyword ids (B, K), filled up with -1.
            timestep: (B,), long.
        """
        predicted = model(self.schedule.add_noise(latent, noise, timestep), timestep, ids)
        return (predicted.float() - noise).square().mean()


def latent_statistics(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of latents (N, C, H, W); the schedule assumes unit variance."""
    return latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3), correction=0).clamp(min=1e-6)


def pad_keywords(rows: Sequence[Sequence[int]]) -> Tensor:
    """Keyword ids (N, K), K the longest row, filled up with -1."""
    width = max((len(row) for row in rows), default=0)
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows], dtype=torch.long).reshape(
        len(rows), width
    )


def draw_weights(original_paths: Sequence[str], secondary: Sequence[str], secondary_weight: float) -> Tensor | None:
    """How often each kick is drawn against the others, (N,); None where all are drawn alike.

    Arguments:
        original_paths: Of the kicks.
        secondary: Patterns (``*``, ``?``) on them of kicks that have ``secondary_weight``, where all others have 1: many takes
            of one drum, say, which a model that meets them all equally often makes again and again.
    """
    matches = [any(fnmatchcase(path, pattern) for pattern in secondary) for path in original_paths]
    if secondary_weight == 1 or not any(matches) or all(matches):
        return None
    return torch.tensor([secondary_weight if match else 1.0 for match in matches])


def drawn_indices(step: int, weights: Tensor, batch_size: int, seed: int) -> Tensor:
    """Items of the batch of a step, (B,), each drawn with its weight from (seed, step)."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    return torch.multinomial(weights, batch_size, replacement=True, generator=generator)


@torch.no_grad()
def take_over(model: KeywordUNet, vocabulary: Vocabulary, file: ModelFile) -> None:
    """Copies the weights of a model file into ``model``; embeddings by word, those of unknown words stay as they are."""
    known = {word: i for i, word in enumerate(file.extra["vocabulary"])}
    weights = file.model.state_dict()
    embeddings = model.text.embedding.weight.clone()
    for i, word in enumerate(vocabulary.words):
        if word in known:
            embeddings[i] = weights["text.embedding.weight"][known[word]]
    model.load_state_dict({**weights, "text.embedding.weight": embeddings})


def train_diffusion(
    train_latents: Tensor,
    train_keywords: Sequence[Sequence[str]],
    val_latents: Tensor,
    val_keywords: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    train_weights: Tensor | None = None,
    *,
    audio: AudioSettings,
    channels: tuple[int, ...],
    time_dim: int,
    cond_dim: int,
    embedding_dim: int,
    num_timesteps: int,
    beta_start: float,
    beta_end: float,
    batch_size: int,
    gradient_accumulation: int,
    lr: float,
    iterations: int,
    mixed_precision: bool,
    ema_decay: float,
    ema_warmup: bool,
    keyword_dropout: float,
    validate_every: int,
    checkpoint_every: int,
    seed: int,
    init_from: str | None,
    fingerprint: str,
    runs: Path,
    model_path: Path,
    preview: Callable[[Tensor], Tensor] | None = None,
) -> Tracker:
    """Trains the denoiser, or continues the training of the same run, and writes its model file.

    Arguments:
        train_latents, val_latents: Latents as encoded, (N, C, H, W).
        train_keywords, val_keywords: Keywords of each; those outside the vocabulary are left out.
        train_weights: How often each kick is drawn, (N,); None goes through all of them in turn.
        gradient_accumulation: Batches an optimiser step; ``iterations`` counts optimiser steps.
        preview: Turns latents (B, C, H, W) into mels (B, 1, M, L), to show and hear what is generated.
        init_from: Model file the training starts from, with its latent statistics; the words it knows keep their
            embeddings, others get new ones. None starts from random weights.
        fingerprint, runs, model_path: As in ``train_vae``.

    Returns:
        The tracker with the curves.

    Raises:
        As ``train_vae``.
    """
    device = select_device()
    precision = Precision(device, mixed_precision)
    torch.manual_seed(seed)
    train_ids = pad_keywords([vocabulary.encode_known(words) for words in train_keywords])
    val_ids = pad_keywords([vocabulary.encode_known(words) for words in val_keywords])

    config = {
        "vocab_size": len(vocabulary),
        "latent_channels": train_latents.shape[1],
        "channels": list(channels),
        "time_dim": time_dim,
        "cond_dim": cond_dim,
        "embedding_dim": embedding_dim,
    }
    schedule_config = {"num_timesteps": num_timesteps, "beta_start": beta_start, "beta_end": beta_end}
    schedule = NoiseSchedule(**schedule_config)
    objective = DiffusionObjective(schedule, keyword_dropout)
    model = KeywordUNet(**config)
    mean, std = latent_statistics(train_latents)
    if init_from:
        file = load_pretrained(init_from, "diffusion", config, audio, output=model_path, may_differ=("vocab_size",))
        take_over(model, vocabulary, file)
        # in the units it was trained in: those of a few hundred kicks would shift and stretch all it knows
        mean, std = torch.tensor(file.extra["latent_mean"]), torch.tensor(file.extra["latent_std"])
    model = model.to(device, memory_format=torch.channels_last)
    train_latents = (train_latents - mean[:, None, None]) / std[:, None, None]
    val_latents = (val_latents - mean[:, None, None]) / std[:, None, None]
    ema = copy.deepcopy(model).requires_grad_(False).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    scaler = precision.scaler()

    examples_a_step = batch_size * gradient_accumulation
    tracker = Tracker(runs / fingerprint[:16] / "tensorboard", "train_diffusion", iterations, examples_a_step)
    state = TrainState(
        fingerprint,
        {
            "config": {**config, **schedule_config, "audio": audio.to_dict()},
            "vocabulary": list(vocabulary.words),
            "latent_mean": mean,
            "latent_std": std,
        },
        model=model.unet,
        text_encoder=model.text,
        ema=ema,
        optimizer=optimizer,
        scaler=scaler,
        tracker=tracker,
    )

    def batch_of(step: int) -> list[tuple[Tensor, Tensor]]:
        batches = []
        for part in range(gradient_accumulation):
            index = step * gradient_accumulation + part
            if train_weights is None:
                indices = batch_indices(index, len(train_latents), batch_size, seed)
            else:
                indices = drawn_indices(index, train_weights, batch_size, seed)
            latents = train_latents[indices].to(device, memory_format=torch.channels_last)
            batches.append((latents, train_ids[indices].to(device)))
        return batches

    def train_step(batches: list[tuple[Tensor, Tensor]], step: int) -> dict[str, Tensor]:
        model.train()
        optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=device)
        for latents, ids in batches:
            timestep = torch.randint(num_timesteps, (len(latents),))
            noise = torch.randn(latents.shape)
            with precision.autocast():
                loss = objective(model, latents, objective.drop_keywords(ids), timestep.to(device), noise.to(device))
            scaler.scale(loss / len(batches)).backward()
            total += loss.detach() / len(batches)
        grad_norm = step_optimizer(optimizer, scaler)
        update_ema(ema, model, ema_decay_at(step, ema_decay, ema_warmup))
        return {"loss": total, "grad_norm": grad_norm}

    def to_mels(latents: Tensor) -> Tensor:
        return preview(latents.cpu() * std[:, None, None] + mean[:, None, None])

    @torch.no_grad()
    def validate(step: int) -> None:
        # the same noise and evenly spread timesteps at every validation, so the curve shows the model alone
        generator = torch.Generator().manual_seed(seed)
        total, distance = 0.0, 0.0
        spread = (torch.arange(NUM_VALIDATION_DRAWS) * num_timesteps) // NUM_VALIDATION_DRAWS
        offsets = torch.randint(max(num_timesteps // NUM_VALIDATION_DRAWS, 1), (len(val_latents),), generator=generator)
        for first in spread if len(val_latents) else ():
            for part in torch.arange(len(val_latents)).split(256):
                noise = torch.randn(val_latents[part].shape, generator=generator)
                timestep = (first + offsets[part]).clamp(max=num_timesteps - 1)
                arguments = (val_latents[part], val_ids[part], timestep, noise)
                loss = objective(ema, *(item.to(device) for item in arguments))
                total += loss.item() * len(part) / (len(val_latents) * NUM_VALIDATION_DRAWS)
        for averaged, current in zip(ema.parameters(), model.parameters(), strict=True):
            distance += (averaged - current).square().sum().item()
        losses = {"loss": total} if len(val_latents) else {}
        tracker.validated(step, {**losses, "ema_distance": distance**0.5})
        if preview is not None and step % checkpoint_every == 0:
            show_samples(tracker, step, ema, schedule, train_latents.shape[1:], seed, to_mels, audio)

    run_training(
        state,
        RunFolder(runs, fingerprint, "diffusion", "step"),
        tracker,
        train_step,
        batch_of,
        validate,
        steps=iterations,
        seed=seed,
        validate_every=validate_every,
        save_every=checkpoint_every,
        steps_per_unit=1,
    )
    write_model(
        model_path,
        "diffusion",
        ema,
        config,
        audio,
        state.step,
        vocabulary=list(vocabulary.words),
        keyword_counts=list(vocabulary.counts),
        latent_mean=mean.tolist(),
        latent_std=std.tolist(),
        latent_shape=list(train_latents.shape[1:]),
        schedule=schedule_config,
    )
    return tracker
