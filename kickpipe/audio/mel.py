"""Log-mel spectrograms: log(max(mel power, floor)).

    |STFT|^2 (Hann window, centred, reflected ends) -> triangular bands, HTK scale -> log

``LogMel`` is ``torchaudio.transforms.MelSpectrogram``, which the pipeline uses; ``mel_spectrogram`` computes the same
in plain torch, so that generating kicks needs no torchaudio. A test holds the two together.

Mel scale: mel = 2595 log10(1 + f / 700) (O'Shaughnessy 1987, the formula of HTK).
Shapes: B waveforms, N samples, M mel bands, L frames.
"""

__all__ = ["LogMel", "mel_spectrogram", "mel_filterbank", "stft"]

import functools
import math
import sys
import types

import torch
from torch import Tensor, nn

from kickpipe.audio.settings import AudioSettings


class LogMel(nn.Module):
    """Waveforms to log-mel spectrograms with torchaudio (steps 7 and 8 of preprocessing).

    Arguments:
        settings: The audio settings.

    Raises:
        ImportError: If torchaudio is missing or does not fit the installed torch.
    """

    def __init__(self, settings: AudioSettings) -> None:
        super().__init__()
        transforms = import_transforms()
        self.mel = transforms.MelSpectrogram(
            sample_rate=settings.sample_rate,
            n_fft=settings.n_fft,
            hop_length=settings.hop_length,
            n_mels=settings.n_mels,
            power=2.0,
            mel_scale="htk",
        )
        self.mel_floor = settings.mel_floor

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveforms with shape (B, N) to mels with shape (B, 1, M, L)."""
        mel = self.mel(waveform)
        return mel.clamp(min=self.mel_floor).log().unsqueeze(1)


def stft(waveform: Tensor, settings: AudioSettings, window: Tensor) -> Tensor:
    """Complex spectra that all mels here are made of: centred frames, reflected ends.

    Arguments:
        waveform: Samples with shape (B, N), N above ``n_fft // 2``.
        window: Of shape (n_fft,).

    Returns:
        Spectra with shape (B, n_fft // 2 + 1, L), L = 1 + N // hop_length.
    """
    return torch.stft(
        waveform,
        settings.n_fft,
        settings.hop_length,
        window=window,
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )


def mel_spectrogram(waveform: Tensor, settings: AudioSettings) -> Tensor:
    """The same mels as ``LogMel``, in plain torch. Differentiable.

    Arguments:
        waveform: Samples with shape (B, N), N above ``n_fft // 2``.
        settings: The audio settings.

    Returns:
        Log-mel spectrograms with shape (B, 1, M, L), L = 1 + N // hop_length.
    """
    window = torch.hann_window(settings.n_fft, dtype=waveform.dtype, device=waveform.device)
    spectrum = stft(waveform, settings, window)
    power = spectrum.abs().pow(2.0)
    filterbank = filterbank_like(settings, power.device, power.dtype)
    mel = (power.transpose(-1, -2) @ filterbank).transpose(-1, -2)
    return mel.clamp(min=settings.mel_floor).log().unsqueeze(1)


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # a tensor made in inference mode could not take part in a training step later
def filterbank_like(settings: AudioSettings, device: torch.device, dtype: torch.dtype) -> Tensor:
    """``mel_filterbank`` on a device, moved there once."""
    return mel_filterbank(settings).to(device, dtype)


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)
def mel_filterbank(settings: AudioSettings) -> Tensor:
    """Triangles that are equally wide on the mel scale and reach 1 at their centres.

    The tensor is shared between calls: do not change it.

    Returns:
        Weights with shape (n_fft // 2 + 1, M): ``power (..., n_fft // 2 + 1) @ filterbank`` is the mel power.
    """
    nyquist = settings.sample_rate // 2
    frequencies = torch.linspace(0, nyquist, settings.n_fft // 2 + 1)
    mels = torch.linspace(0.0, hz_to_mel(nyquist), settings.n_mels + 2)
    corners = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)

    widths = corners[1:] - corners[:-1]
    distances = corners.unsqueeze(0) - frequencies.unsqueeze(1)
    rising = -distances[:, :-2] / widths[:-1]
    falling = distances[:, 2:] / widths[1:]
    return torch.minimum(rising, falling).clamp(min=0.0)


def hz_to_mel(frequency: float) -> float:
    return 2595.0 * math.log10(1.0 + frequency / 700.0)


def import_transforms() -> types.ModuleType:
    """``torchaudio.transforms``, also where torchaudio's compiled extension cannot load.

    PyPI's Linux wheels of torchaudio link CUDA libraries: beside a CPU build of torch, ``import torchaudio`` raises
    OSError. The transforms are pure Python and need nothing of the extension, so an empty module stands in for it.

    Raises:
        ImportError: If torchaudio is missing or does not fit the installed torch.
    """
    try:
        import torchaudio.transforms
    except OSError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        extension = types.ModuleType("torchaudio._extension")
        vars(extension).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=refuse_alignment)
        sys.modules["torchaudio._extension"] = extension
        try:
            import torchaudio.transforms
        except Exception as error:
            raise ImportError(
                f"torchaudio does not load beside torch {torch.__version__}: {error}; "
                "install the versions of constraints.txt"
            ) from error
    return torchaudio.transforms


def refuse_alignment(function: object) -> object:
    """Stands in for torchaudio's decorator of functions that need the extension; nobody here calls them."""
    return function
