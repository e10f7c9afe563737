"""Training of the HiFi-GAN vocoder (Kong et al. 2020) with least-squares adversarial losses (Mao et al. 2017).

    loss_d = sum over discriminators of  mean((D(real) - 1)^2) + mean(D(fake)^2)
    loss_g = adversarial + feature_matching_weight * feature matching + mel_weight * L1(mel(fake), mel(real))
             + stft_weight * multi-resolution STFT distance (Yamamoto et al. 2020)

The last term is not HiFi-GAN's and is off (0) as specified. The mel's window of 46 ms hardly sees when an attack begins and
its bands hide single frequencies; the discriminators see both, but take five sixths of a training's time on a CPU.
"""

__all__ = ["VocoderObjective", "train_vocoder"]

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import write_model
from kickpipe.data.crops import VocoderDataset
from kickpipe.models.discriminators import MultiPeriodDiscriminator, MultiScaleDiscriminator
from kickpipe.models.hifigan import Generator
from kickpipe.training.device import Precision, select_device
from kickpipe.training.loop import batch_indices, num_batches, optimize
from kickpipe.training.pretrained import load_pretrained
from kickpipe.training.preview import show_vocoded
from kickpipe.training.run import run_training
from kickpipe.training.state import RunFolder, TrainState
from kickpipe.training.tracking import Tracker

NUM_VALIDATED = 16  # validation kicks the losses are averaged over, each vocoded whole
STFT_RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))  # window and hop in samples
MAGNITUDE_FLOOR = 10**-3.5

Judgements = list[tuple[Tensor, list[Tensor]]]


@dataclass(frozen=True)
class VocoderObjective:
    """What the two sides of the game are trained to lower.

    Arguments:
        audio: Audio settings.
        feature_matching_weight, mel_weight, stft_weight: Weights of the generator's terms; adversarial has 1.
    """

    audio: AudioSettings
    feature_matching_weight: float
    mel_weight: float
    stft_weight: float

    def discriminator(self, real: Judgements, fake: Judgements) -> Tensor:
        """Loss of the discriminators, from their judgements of real and generated waveforms."""
        pairs = zip(real, fake, strict=True)
        return sum((r.float() - 1).square().mean() + f.float().square().mean() for (r, _), (f, _) in pairs)

    def adversarial(self, fake: Judgements) -> Tensor:
        """How far the discriminators are from taking generated waveforms for real."""
        return sum((score.float() - 1).square().mean() for score, _ in fake)

    def feature_matching(self, real: Judgements, fake: Judgements) -> Tensor:
        """L1 distance of the features, summed over discriminators and layers (Larsen et al. 2016)."""
        pairs = zip(real, fake, strict=True)
        return sum((a.float() - b.float()).abs().mean() for (_, x), (_, y) in pairs for a, b in zip(x, y, strict=True))

    def mel(self, real: Tensor, fake: Tensor) -> Tensor:
        """L1 distance of the log-mels of waveforms (B, N), in nats."""
        return (mel_spectrogram(real, self.audio) - mel_spectrogram(fake, self.audio)).abs().mean()

    def stft(self, real: Tensor, fake: Tensor) -> Tensor:
        """Distance of the magnitude spectra of waveforms (B, N): spectral convergence plus L1 of the logarithms, in nats.

        The mean over windows of 512, 1024 and 2048 samples. The norms of the convergence are over the whole batch: a silent
        crop has nothing to miss.
        """
        total = torch.zeros((), device=real.device)
        for length, hop in STFT_RESOLUTIONS:
            a, b = (magnitude(x, length, hop) for x in (real, fake))
            convergence = torch.linalg.vector_norm(a - b) / torch.linalg.vector_norm(a)
            total = total + convergence + (a.log() - b.log()).abs().mean()
        return total / len(STFT_RESOLUTIONS)

    def generator(
        self, real: Tensor, fake: Tensor, real_judged: Judgements, fake_judged: Judgements
    ) -> dict[str, Tensor]:
        """Terms of the generator's loss for waveforms (B, N), scalars; ``loss_g`` is their weighted sum.

        Without judgements those of the discriminators are left out.
        """
        terms = {"mel": self.mel(real, fake)}
        loss = self.mel_weight * terms["mel"]
        if fake_judged:
            terms["adversarial"] = self.adversarial(fake_judged)
            terms["feature_matching"] = self.feature_matching(real_judged, fake_judged)
            loss = loss + terms["adversarial"] + self.feature_matching_weight * terms["feature_matching"]
        if self.stft_weight:
            terms["stft"] = self.stft(real, fake)
            loss = loss + self.stft_weight * terms["stft"]
        return {"loss_g": loss, **terms}


def magnitude(waveform: Tensor, length: int, hop: int) -> Tensor:
    """Magnitudes (B, length // 2 + 1, L) of waveforms (B, N), at least 10^-3.5; silence around them, so that N is free."""
    window = torch.hann_window(length, device=waveform.device)
    spectrum = torch.stft(waveform, length, hop, window=window, pad_mode="constant", return_complex=True)
    # the root of a clamped power: the gradient of the absolute value has no limit where a bin is silent
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=MAGNITUDE_FLOOR**2).sqrt()


class Discriminators(nn.Module):
    """Both discriminators as one."""

    def __init__(self, periods: tuple[int, ...], num_scales: int, width: float) -> None:
        super().__init__()
        self.periods = MultiPeriodDiscriminator(periods, width)
        self.scales = MultiScaleDiscriminator(num_scales, width)

    def forward(self, waveform: Tensor) -> Judgements:
        """Judges waveforms (B, 1, N)."""
        return self.periods(waveform) + self.scales(waveform)


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Computes no gradients of the parameters of ``model`` inside; gradients pass through it."""
    model.requires_grad_(False)
    try:
        yield
    finally:
        model.requires_grad_(True)


def split_judgements(judged: Judgements, batch_size: int) -> tuple[Judgements, Judgements]:
    """Judgements of two waveforms that were concatenated along the batch, apart.

    The features of a period discriminator have ``batch_size * period`` items, in the order of the batch.
    """
    first, second = [], []
    for score, features in judged:
        halves = [feature.chunk(2) for feature in features]
        first.append((score[:batch_size], [half[0] for half in halves]))
        second.append((score[batch_size:], [half[1] for half in halves]))
    return first, second


def train_vocoder(
    train_set: VocoderDataset,
    val_set: VocoderDataset,
    *,
    audio: AudioSettings,
    channels: int,
    upsample_rates: tuple[int, ...],
    upsample_kernels: tuple[int, ...],
    resblock_kernels: tuple[int, ...],
    resblock_dilations: tuple[int, ...],
    periods: tuple[int, ...],
    num_scales: int,
    discriminator_width: float,
    reconstruction_steps: int,
    discriminator_warmup_steps: int,
    batch_size: int,
    lr: float,
    betas: tuple[float, float],
    lr_gamma: float,
    epochs: int,
    feature_matching_weight: float,
    mel_weight: float,
    stft_weight: float,
    mixed_precision: bool,
    checkpoint_every_epochs: int,
    seed: int,
    init_from: str | None,
    fingerprint: str,
    runs: Path,
    model_path: Path,
) -> Tracker:
    """Trains the vocoder, or continues the training of the same run, and writes the generator's model file.

    Arguments:
        train_set, val_set: Pairs of mel and waveform; ``val_set`` may be empty.
        discriminator_width: Factor on the channels of the discriminators; 1 is the paper's.
        reconstruction_steps: First steps, without discriminators: the generator's other losses alone.
        discriminator_warmup_steps: Steps after those in which the discriminators learn but the generator does not listen.
        init_from: Model file whose generator the training starts from; the discriminators always start from random
            weights, so give them ``discriminator_warmup_steps``.
        fingerprint, runs, model_path: As in ``train_vae``.

    Returns:
        The tracker with the curves.

    Raises:
        As ``train_vae``.
    """
    device = select_device()
    precision = Precision(device, mixed_precision)
    torch.manual_seed(seed)
    config = {
        "n_mels": audio.n_mels,
        "channels": channels,
        "upsample_rates": list(upsample_rates),
        "upsample_kernels": list(upsample_kernels),
        "resblock_kernels": list(resblock_kernels),
        "resblock_dilations": [list(resblock_dilations)] * len(resblock_kernels),
    }
    generator = Generator(**config)
    if init_from:
        file = load_pretrained(init_from, "vocoder", config, audio, output=model_path)
        generator.load_state_dict(file.model.state_dict())
    generator = generator.to(device)
    discriminators = Discriminators(periods, num_scales, discriminator_width).to(device)
    objective = VocoderObjective(audio, feature_matching_weight, mel_weight, stft_weight)
    optimizer_g = torch.optim.AdamW(generator.parameters(), lr=lr, betas=betas)
    optimizer_d = torch.optim.AdamW(discriminators.parameters(), lr=lr, betas=betas)
    scheduler_g = torch.optim.lr_scheduler.ExponentialLR(optimizer_g, lr_gamma)
    scheduler_d = torch.optim.lr_scheduler.ExponentialLR(optimizer_d, lr_gamma)
    scaler_g, scaler_d = precision.scaler(), precision.scaler()

    steps_per_epoch = num_batches(len(train_set), batch_size)
    steps = epochs * steps_per_epoch
    tracker = Tracker(runs / fingerprint[:16] / "tensorboard", "train_vocoder", steps, batch_size)
    state = TrainState(
        fingerprint,
        {"config": {**config, "audio": audio.to_dict()}},
        generator=generator,
        discriminator=discriminators,
        optimizer_g=optimizer_g,
        optimizer_d=optimizer_d,
        scheduler_g=scheduler_g,
        scheduler_d=scheduler_d,
        scaler_g=scaler_g,
        scaler_d=scaler_d,
        tracker=tracker,
    )

    def batch_of(step: int) -> tuple[Tensor, Tensor]:
        indices = batch_indices(step, len(train_set), batch_size, seed)
        mels, waveforms = zip(*(train_set.crop_at_random(i) for i in indices.tolist()), strict=True)
        return torch.stack(mels).to(device), torch.stack(waveforms).to(device)

    def train_step(batch: tuple[Tensor, Tensor], step: int) -> dict[str, Tensor]:
        mels, real = batch
        generator.train()
        with precision.autocast():
            fake = generator(mels)[:, 0]

        judged_terms: dict[str, Tensor] = {}
        if step >= reconstruction_steps:
            with precision.autocast():
                judged = discriminators(torch.cat([real, fake.detach()])[:, None])
            loss_d = objective.discriminator(*split_judgements(judged, len(real)))
            judged_terms = {"loss_d": loss_d, "grad_norm_d": optimize(optimizer_d, loss_d, scaler_d)}

        if step >= reconstruction_steps + discriminator_warmup_steps:
            with frozen(discriminators), precision.autocast():
                with torch.no_grad():
                    real_judged = discriminators(real[:, None])
                fake_judged = discriminators(fake[:, None])
            terms = objective.generator(real, fake.float(), real_judged, fake_judged)
        else:
            terms = objective.generator(real, fake.float(), [], [])
        norm_g = optimize(optimizer_g, terms["loss_g"], scaler_g)

        lr_now = torch.tensor(scheduler_g.get_last_lr()[0])
        if (step + 1) % steps_per_epoch == 0:
            scheduler_g.step()
            if step >= reconstruction_steps:
                scheduler_d.step()
        return {**terms, **judged_terms, "grad_norm_g": norm_g, "lr": lr_now}

    def vocode(mel: Tensor) -> Tensor:
        """Whole kicks: mel (B, 1, M, L) to waveforms (B, num_samples)."""
        with precision.autocast():
            waveform = generator(mel[:, 0].to(device))[:, 0, : audio.num_samples]
        return waveform.float().cpu()

    @torch.no_grad()
    def validate(step: int) -> None:
        generator.eval()
        sums: dict[str, float] = {}
        count = min(len(val_set), NUM_VALIDATED)
        for index in range(count):
            mel, real = val_set.pair(index)
            fake = vocode(mel[None])
            terms = {"mel": objective.mel(real[None], fake), "stft": objective.stft(real[None], fake)}
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.item() / count
        tracker.validated(step, sums)
        if count and step % (checkpoint_every_epochs * steps_per_epoch) == 0:
            show_vocoded(tracker, step, vocode, [val_set.pair(i) for i in range(count)], audio)

    run_training(
        state,
        RunFolder(runs, fingerprint, "vocoder", "epoch"),
        tracker,
        train_step,
        batch_of,
        validate,
        steps=steps,
        seed=seed,
        validate_every=steps_per_epoch,
        save_every=checkpoint_every_epochs * steps_per_epoch,
        steps_per_unit=steps_per_epoch,
    )
    write_model(model_path, "vocoder", generator, config, audio, state.step)
    return tracker
