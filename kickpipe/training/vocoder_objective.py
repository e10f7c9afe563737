"""What the two sides of the HiFi-GAN are trained to lower (Kong et al. 2020), with least squares (Mao et al. 2017).

    loss_d = sum over discriminators of  mean((D(real) - 1)^2) + mean(D(fake)^2)
    loss_g = adversarial + feature_matching_weight * feature matching + mel_weight * L1(mel(fake), mel(real))
             + stft_weight * multi-resolution STFT distance (Yamamoto et al. 2020)

The last term is not HiFi-GAN's and is off (0) as specified. The mel's window of 46 ms hardly sees when an attack begins and
its bands hide single frequencies; the discriminators see both, but take five sixths of a training's time on a CPU.
"""

__all__ = ["Judgements", "VocoderObjective", "split_judgements"]

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.settings import AudioSettings
from kickpipe.audio.spectral import stft_distance

Judgements = list[tuple[Tensor, list[Tensor]]]  # of each discriminator: its score, and the features of its layers


@dataclass(frozen=True)
class VocoderObjective:
    """The terms and their weights.

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
        return total((r.float() - 1).square().mean() + f.float().square().mean() for (r, _), (f, _) in pairs)

    def adversarial(self, fake: Judgements) -> Tensor:
        """How far the discriminators are from taking generated waveforms for real."""
        return total((score.float() - 1).square().mean() for score, _ in fake)

    def feature_matching(self, real: Judgements, fake: Judgements) -> Tensor:
        """L1 distance of the features, summed over discriminators and layers (Larsen et al. 2016)."""
        pairs = zip(real, fake, strict=True)
        return total(
            (a.float() - b.float()).abs().mean() for (_, x), (_, y) in pairs for a, b in zip(x, y, strict=True)
        )

    def mel(self, real: Tensor, fake: Tensor) -> Tensor:
        """L1 distance of the log-mels of waveforms (B, N), in nats."""
        return (mel_spectrogram(real, self.audio) - mel_spectrogram(fake, self.audio)).abs().mean()

    def stft(self, real: Tensor, fake: Tensor) -> Tensor:
        """Distance of the magnitude spectra of waveforms (B, N): spectral convergence plus L1 of the logarithms, in nats.

        The mean over windows of 512, 1024 and 2048 samples.
        """
        return stft_distance(real, fake)

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


def total(terms: Iterable[Tensor]) -> Tensor:
    """Sum of scalars, of which there is at least one."""
    return functools.reduce(torch.add, terms)


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
