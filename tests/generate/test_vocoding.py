"""Vocoding stops where the sound does, and what it gives is what the whole mel would have given."""

import math

import pytest
import torch

from kickpipe.audio.low_band import first_band_above
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.generate.fast import look_ahead
from kickpipe.generate.vocoding import audible_frames, vocode_griffin_lim, vocode_hifigan
from kickpipe.models.hifigan import Generator
from kickpipe.synth import synthesise

SMALL = {"channels": 32, "resblock_kernels": (3, 11), "resblock_dilations": ((1, 3, 5), (1, 5))}


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(**SMALL).eval().requires_grad_(False)


@pytest.mark.parametrize(
    "config", [{}, SMALL, {"channels": 32, "upsample_rates": (4, 4, 2), "upsample_kernels": (8, 10, 4)}]
)
def test_no_sample_depends_on_frames_beyond_the_look_ahead(config):
    torch.manual_seed(0)
    generator = Generator(**{"channels": 32, **config}).eval()
    frames = 60
    ahead = look_ahead(generator)
    mel = torch.randn(1, 128, frames, requires_grad=True)
    last = 20
    generator(mel)[0, 0, last * generator.upsample_factor : (last + 1) * generator.upsample_factor].sum().backward()
    reached = mel.grad.abs().amax(dim=(0, 1)).nonzero().max()
    assert last < reached <= last + ahead
    assert ahead <= reached - last + 1  # and hardly a frame too many


@pytest.mark.parametrize("audible", [1, 30, 100, 173])
def test_a_mel_is_audible_up_to_its_last_loud_frame(audible, settings):
    mel = torch.full((128, 173), math.log(settings.mel_floor))
    mel[:20, :audible] = 2.0
    assert audible_frames(mel, settings.mel_floor) == audible


def test_a_mel_at_its_floor_is_silence(generator, settings):
    mel = torch.full((2, *settings.mel_shape), math.log(settings.mel_floor))
    assert audible_frames(mel[0, 0], settings.mel_floor) == 0
    assert not vocode_hifigan(mel, generator, settings, 10).any()
    assert not vocode_griffin_lim(mel, settings, 2).any()


def test_a_tail_far_below_the_peak_is_not_vocoded(settings):
    mel = torch.full((128, 173), math.log(settings.mel_floor))
    mel[:, :20] = 8.0
    mel[:, 20:] = 8.0 - 80 / 10 * math.log(10)
    assert audible_frames(mel, settings.mel_floor) == 20


@pytest.mark.parametrize(("tail_db", "audible"), [(-64, 9), (-56, 120)])
def test_above_the_low_band_60_db_under_the_loudest_frame_is_silence(settings, tail_db, audible):
    above = first_band_above(settings)
    level = 10 / math.log(10)
    mel = torch.full((128, 173), math.log(settings.mel_floor))
    mel[:above, :120] = 8.0
    mel[above:, :120] = 8.0 + tail_db / level + math.log(above / (128 - above))
    mel[above:, :9] = 0.0  # a click 35 dB below the sub: its own peak is no measure
    assert audible_frames(mel, settings.mel_floor, above) == audible


def test_the_network_stops_where_only_the_low_band_sounds_on(generator, settings):
    above = first_band_above(settings)
    mel = torch.full(settings.mel_shape, math.log(settings.mel_floor))
    mel[:, :above, :120] = 8.0  # a sub of 1.4 s under a click of 0.1 s
    mel[:, :, :9] = 6.0
    seen = []

    def recording(frames: torch.Tensor) -> torch.Tensor:
        seen.append(frames.shape[-1])
        return generator(frames)

    with torch.inference_mode():
        waveform = vocode_hifigan(mel[None], recording, settings, context=4, first_band=above)[0]
    assert audible_frames(mel[0], settings.mel_floor) == 120
    assert seen == [16]
    assert waveform[: 8 * settings.hop_length].any()
    assert not waveform[9 * settings.hop_length :].any()


def test_the_sound_is_that_of_the_whole_mel(generator, settings):
    with torch.inference_mode():
        mel = torch.randn(1, *settings.mel_shape)
        mel[..., 30:] = math.log(settings.mel_floor)
        whole = generator(mel[:, 0])[0]
        cut = vocode_hifigan(mel, generator, settings, look_ahead(generator))
    kept = 29 * settings.hop_length  # the last hop fades
    assert torch.allclose(cut[0, :kept], whole[0, :kept], atol=1e-5)
    assert not cut[0, 30 * settings.hop_length :].any()


def test_griffin_lim_serves_where_there_is_no_vocoder(settings):
    waveform = torch.from_numpy(synthesise(2, 1))[None]
    mel = mel_spectrogram(waveform, settings)
    made = vocode_griffin_lim(mel, settings, 32)
    assert made.shape == waveform.shape
    loud = mel > mel.max() - 60 / 10 * math.log(10)
    assert (mel_spectrogram(made, settings) - mel)[loud].abs().mean() < 0.5
