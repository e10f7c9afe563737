"""Griffin-Lim: waveforms whose mel is the wanted one."""

import numpy as np
import pytest
import torch

from kickpipe.audio.descriptors import onset_ms
from kickpipe.audio.griffin_lim import griffin_lim
from kickpipe.audio.io import prepare
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.polarity import polarity
from kickpipe.evaluation.roundtrip import spectral_distances
from kickpipe.synth import synthesise

NUM_FRAMES = 44  # half a second is enough


@pytest.fixture(scope="module")
def kick(settings) -> torch.Tensor:
    return torch.from_numpy(synthesise(1, 0)[: (NUM_FRAMES - 1) * settings.hop_length])[None]


@pytest.fixture(scope="module")
def mel(kick, settings) -> torch.Tensor:
    return mel_spectrogram(kick, settings)


def audible_distance(waveform: torch.Tensor, mel: torch.Tensor, settings) -> float:
    """Mean difference in nats where the mel is within 60 dB of its peak."""
    audible = mel > mel.max() - 60 / 10 * np.log(10)
    return float((mel_spectrogram(waveform, settings) - mel).abs()[audible].mean())


def test_iterations_bring_the_waveform_to_the_mel(mel, settings):
    distances = [audible_distance(griffin_lim(mel, settings, n, plain=True), mel, settings) for n in (0, 8, 64)]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < distances[0] / 2


def test_from_the_true_waveform_nothing_changes(kick, mel, settings):
    refined = griffin_lim(mel, settings, 4, initial=kick, plain=True)
    assert torch.allclose(refined, kick, atol=2e-3)


def test_refining_pulls_a_wrong_waveform_to_the_mel(kick, mel, settings):
    wrong = 0.5 * kick + 0.01 * torch.randn(kick.shape, generator=torch.Generator().manual_seed(0))
    before = audible_distance(wrong, mel, settings)
    after = audible_distance(griffin_lim(mel, settings, 4, initial=wrong), mel, settings)
    assert after < 0.5 * before


def test_no_iterations_replace_the_low_band_alone(kick, mel, settings):
    assert torch.equal(griffin_lim(mel, settings, 0, initial=kick, plain=True), kick)
    noise = 0.3 * torch.randn(kick.shape, generator=torch.Generator().manual_seed(0))
    made = griffin_lim(mel, settings, 0, initial=noise)
    before, after = (torch.fft.rfft(x[0]) for x in (noise, made))
    hz = torch.arange(len(before)) * settings.sample_rate / kick.shape[1]
    assert torch.allclose(before[hz > 400], after[hz > 400], atol=0.02 * before.abs().max())
    assert (before - after)[hz < 200].abs().max() > before.abs().max()


def test_the_low_band_brings_kicks_nearer_than_many_plain_iterations(settings):
    num_samples = (NUM_FRAMES - 1) * settings.hop_length
    kicks = torch.from_numpy(np.stack([synthesise(2, index)[:num_samples] for index in range(4)]))
    mels = mel_spectrogram(kicks, settings)
    plain, held = (
        spectral_distances(kicks.numpy(), griffin_lim(mels, settings, n, plain=plain).numpy())["convergence"].mean()
        for n, plain in ((64, True), (8, False))
    )
    assert held < 0.75 * plain


@pytest.fixture(scope="module")
def real(kicks, settings) -> torch.Tensor:
    """Half a second of every fourth real kick."""
    paths = sorted(kicks.rglob("*.flac"))[::4]
    num_samples = (NUM_FRAMES - 1) * settings.hop_length
    return torch.from_numpy(np.stack([prepare(path, settings)[:num_samples] for path in paths]))


@pytest.fixture(scope="module")
def copies(real, settings) -> torch.Tensor:
    return griffin_lim(mel_spectrogram(real, settings), settings, 16)


def steps(waveforms: torch.Tensor) -> torch.Tensor:
    """First samples over peaks."""
    return waveforms[:, 0].abs() / waveforms.abs().amax(dim=1)


def test_no_real_kick_comes_back_with_a_step_at_its_start(real, copies):
    assert (steps(real) > 0.1).float().mean() < 0.1
    assert (steps(copies) == 0).all()


def test_a_refined_waveform_begins_with_silence_too(real, settings):
    cosine = torch.cos(2 * torch.pi * 50 * torch.arange(real.shape[1]) / settings.sample_rate).expand_as(real)
    assert (steps(griffin_lim(mel_spectrogram(real, settings), settings, 1, initial=cosine)) == 0).all()


@pytest.mark.parametrize(("ms", "within_db"), [(1, 2.0), (2, 1.5), (4, 1.5)])
def test_the_first_milliseconds_come_back_nearly_as_loud(real, copies, ms, within_db, settings):
    length = round(ms / 1000 * settings.sample_rate)
    onsets = [int(onset_ms(row.numpy(), settings.sample_rate) / 1000 * settings.sample_rate) for row in real]
    levels = [
        10 * torch.log10(copy[onset : onset + length].square().sum() / row[onset : onset + length].square().sum())
        for row, copy, onset in zip(real, copies, onsets, strict=True)
    ]
    assert abs(float(torch.stack(levels).median())) < within_db


def test_a_start_from_silence_leaves_the_mel_alone(real, copies, settings):
    mel = mel_spectrogram(real, settings)
    plain = griffin_lim(mel, settings, 16, plain=True)
    assert audible_distance(copies, mel, settings) < audible_distance(plain, mel, settings)


def test_a_kick_and_its_negative_come_back_the_same_way_round(real, settings):
    mel = mel_spectrogram(-real[:3], settings)
    for made in (griffin_lim(mel, settings, 2), griffin_lim(mel, settings, 2, initial=-real[:3])):
        assert [polarity(row.numpy(), settings.sample_rate) for row in made] == [1, 1, 1]


def test_a_sine_keeps_its_frequency(settings):
    time = torch.arange((NUM_FRAMES - 1) * settings.hop_length) / settings.sample_rate
    sine = torch.sin(2 * torch.pi * 1000 * time)[None]
    made = griffin_lim(mel_spectrogram(sine, settings), settings, 32)[0]
    spectrum = np.abs(np.fft.rfft(made.numpy()))
    peak_hz = spectrum.argmax() * settings.sample_rate / len(made)
    assert abs(peak_hz - 1000) < 2 * settings.sample_rate / settings.n_fft


def test_a_row_does_not_depend_on_its_batch_and_a_call_repeats(mel, settings):
    both = griffin_lim(torch.cat([mel - 1, mel]), settings, 3)
    assert torch.allclose(both[1], griffin_lim(mel, settings, 3)[0], atol=1e-5)
    assert torch.equal(griffin_lim(mel, settings, 3), griffin_lim(mel, settings, 3))


def test_silence_stays_silent(settings):
    floor = torch.full((1, 1, settings.n_mels, NUM_FRAMES), float(np.log(settings.mel_floor)))
    assert griffin_lim(floor, settings, 8).abs().max() < 1e-3


def test_a_whole_mel_gives_a_whole_kick(settings):
    mel = torch.full((2, *settings.mel_shape), -6.0)
    assert griffin_lim(mel, settings, 1).shape == (2, settings.num_samples)


@pytest.mark.parametrize(
    ("shape", "iterations", "initial", "message"),
    [
        ((1, 128, 44), 1, None, "expected a mel of shape"),
        ((1, 1, 64, 44), 1, None, "expected a mel of shape"),
        ((1, 1, 128, 2), 1, None, "more than half a window"),
        ((1, 1, 128, 44), -1, None, "at least 0"),
        ((1, 1, 128, 44), 1, (2, 22016), "expected 1 initial waveforms"),
        ((1, 1, 128, 44), 1, (1, 9000), "18 frames, the mel 44"),
    ],
)
def test_what_does_not_fit_is_refused(shape, iterations, initial, message, settings):
    start = None if initial is None else torch.zeros(initial)
    with pytest.raises(ValueError, match=message):
        griffin_lim(torch.zeros(shape), settings, iterations, start)
