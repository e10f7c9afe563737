"""What the trained networks compute: everything that generating asks of a runtime stands behind this one class.

Shapes: B kicks, D numbers of conditioning, C x H x W latent, M mel bands, T frames, N samples; float32. Another runtime needs
these five methods and nothing of PyTorch's modules.
"""

__all__ = ["Networks"]

import math
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from kickpipe.checkpoints import CheckpointError, ModelFile, load_model
from kickpipe.generate.checks import GenerateError
from kickpipe.generate.facts import REMEDY, Facts
from kickpipe.generate.fast import BUCKET, fast_vocoder, look_ahead, pack
from kickpipe.models.hifigan import Generator
from kickpipe.models.unet import KeywordUNet
from kickpipe.models.vae import VAE

MAX_CONTEXT = 8  # frames: silence beyond changes the waveform by 100 dB less than its level (measured)


class Networks:
    """A VAE, a diffusion model and, where there are such, a vocoder and texture, for any number of threads.

    An item's result does not depend on its batch: the denoiser is arranged so (see ``fast``), and the others, which gain
    nothing from batches, take one item after the other.

    Arguments:
        vae, diffusion: Model files as loaded by ``kickpipe.checkpoints.load_model``.
        vocoder: Likewise; None leaves Griffin-Lim.
        texture: Likewise; None leaves mels as the VAE decodes them.

    Attributes:
        facts: What the files say of themselves.
        context: Frames of silence that the vocoder has to see after the last audible one.

    Raises:
        CheckpointError: If a file is not what kickpipe writes.
        GenerateError: If the files do not belong together.
    """

    def __init__(
        self,
        vae: ModelFile,
        diffusion: ModelFile,
        vocoder: ModelFile | None = None,
        texture: ModelFile | None = None,
    ) -> None:
        files = [file for file in (vae, diffusion, vocoder, texture) if file is not None]
        metadata = {file.kind: {"audio": file.audio.to_dict(), "extra": file.extra} for file in files}
        self.facts = Facts.of(metadata, {file.kind: file.sha256 for file in files})
        self._vocoder: Generator | None = None if vocoder is None else generator_of(vocoder)
        self._texture = None if texture is None else texture.model
        assert isinstance(vae.model, VAE)  # a model file's kind says as much
        assert isinstance(diffusion.model, KeywordUNet)
        check_sizes(self.facts, vae.model, diffusion.model, self._vocoder)
        self._vae = vae.model
        self._text = diffusion.model.text
        self._unet = pack(diffusion.model.unet)
        self._fast: dict[str, Callable[[Tensor], Tensor]] = {}
        self._lock = Lock()
        self.context = 0 if self._vocoder is None else min(look_ahead(self._vocoder), MAX_CONTEXT)
        self._pack_weights()

    @classmethod
    def load(cls, directory: str | PathLike[str]) -> "Networks":
        """Loads vae.safetensors, diffusion.safetensors and, if they are there, the others from a folder: see ``Facts.read``.

        Raises:
            CheckpointError: If a file is missing, damaged or of another kind.
            GenerateError: If the files do not belong together.
        """
        directory = Path(directory)
        vae = load_model(directory / "vae.safetensors", "vae")
        diffusion = load_model(directory / "diffusion.safetensors", "diffusion")
        vocoder, texture = (
            load_model(path, kind) if (path := directory / f"{kind}.safetensors").exists() else None
            for kind in ("vocoder", "texture")
        )
        return cls(vae, diffusion, vocoder, texture if texture is not None and texture.step else None)

    @torch.inference_mode()
    def embed(self, ids: Sequence[int], weights: Sequence[float]) -> Tensor:
        """The conditioning vector (1, D) of keywords, given by their place in the vocabulary; none: the unconditional one."""
        places = torch.tensor([list(ids)], dtype=torch.long).reshape(1, -1)
        return self._text(places, torch.tensor([list(weights)], dtype=torch.float32).reshape(1, -1))

    @torch.inference_mode()
    def denoise(self, latent: Tensor, timestep: Tensor, cond: Tensor) -> Tensor:
        """The noise in standardised latents (B, C, H, W) at timesteps (B,), under conditioning vectors (B, D)."""
        return self._unet(latent, timestep, cond)

    @torch.inference_mode()
    def encode(self, mel: Tensor) -> Tensor:
        """Log-mels (B, 1, M, T) to latents (B, C, H, W): the encoder's mean. Raises ValueError for other shapes."""
        return torch.cat([self._vae.encode(row)[0] for row in mel.split(1)])

    @torch.inference_mode()
    def decode(self, latent: Tensor, noise: Tensor | None = None, texture: float = 0.0) -> Tensor:
        """Latents (B, C, H, W) to log-mels (B, 1, M, T) from floor to full scale.

        Arguments:
            noise: White noise (B, 1, M, T) that texture is made from.
            texture: How much of it, 0 to 1; 0 is the decoder's mean, to the last bit.

        Raises:
            ValueError: For other shapes.
            GenerateError: If there is no texture model.
        """
        # The Hann window sums to n_fft / 2: no sine of full scale has more power than the square of that
        audio = self.facts.audio
        lowest, highest = math.log(audio.mel_floor), 2 * math.log(audio.n_fft / 2)
        mel = torch.cat([self._vae.decode(row) for row in latent.split(1)]).clamp(lowest, highest)
        if noise is None or texture == 0:
            return mel
        if self._texture is None:
            raise GenerateError("texture: there is no texture model beside the others: choose 0")
        rough = torch.cat([self._texture(*rows) for rows in zip(mel.split(1), noise.split(1), strict=True)])
        return (mel + texture * (rough - mel)).clamp(lowest, highest)

    @torch.inference_mode()
    def vocode(self, mel: Tensor, precision: str) -> Tensor:
        """Log-mels (B, M, T) of any length to waveforms (B, 1, T * hop_length).

        Arguments:
            precision: "float32", or "bfloat16" in the coarse stages.

        Raises:
            GenerateError: If there is no vocoder.
        """
        return self._arranged(precision)(mel).float()

    def _arranged(self, precision: str) -> Callable[[Tensor], Tensor]:
        """The vocoder for a precision: arranged once, whole before another thread sees it."""
        if self._vocoder is None:
            raise GenerateError("vocoder: there is none beside the other models: choose griffin-lim")
        with self._lock:
            if precision not in self._fast:
                fast = fast_vocoder(self._vocoder, precision)
                fast(torch.zeros(1, self.facts.audio.n_mels, BUCKET))  # packs the weights
                self._fast[precision] = fast
        return self._fast[precision]

    @torch.inference_mode()
    def _pack_weights(self) -> None:
        """Runs the denoiser once: its weights are packed at their first use, which threads must not share."""
        self._unet(torch.zeros(1, *self.facts.latent_shape), torch.zeros(1, dtype=torch.long), self.embed([], []))


def generator_of(vocoder: ModelFile) -> Generator:
    assert isinstance(vocoder.model, Generator)
    return vocoder.model


def check_sizes(facts: Facts, vae: VAE, diffusion: KeywordUNet, vocoder: Generator | None) -> None:
    """Refuses networks whose sizes are not those that the files say.

    Raises:
        CheckpointError, GenerateError: Names the two and what differs.
    """
    if vae.latent_shape != facts.latent_shape:
        raise GenerateError(
            f"the vae and diffusion models do not belong together: latents of shape {vae.latent_shape} and "
            f"{facts.latent_shape}; {REMEDY}"
        )
    channels = diffusion.unet.input.in_channels
    if channels != facts.latent_shape[0]:
        raise CheckpointError(
            f"the diffusion model file is for latents of {channels} channels, not {facts.latent_shape[0]}"
        )
    if len(facts.vocabulary) != diffusion.text.vocab_size:
        raise CheckpointError(
            f"the diffusion model file has {len(facts.vocabulary)} words for {diffusion.text.vocab_size} embeddings"
        )
    if vocoder is not None and vocoder.upsample_factor != facts.audio.hop_length:
        raise CheckpointError(
            f"the vocoder makes {vocoder.upsample_factor} samples a frame, its audio settings {facts.audio.hop_length}"
        )
