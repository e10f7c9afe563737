import dataclasses
import math

import numpy as np
import pytest
import soundfile
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.preprocess import preprocess

HOP = 512


@pytest.fixture(scope="module")
def folder(tmp_path_factory, settings):
    """A kick of 0.2 s, the same turned over, and noise that lasts as long as a kick can."""
    folder = tmp_path_factory.mktemp("crops")
    (folder / "raw").mkdir()
    time = np.arange(round(0.2 * settings.sample_rate)) / settings.sample_rate
    kick = 0.8 * np.sin(2 * np.pi * 60 * time) * np.exp(-10 * time)
    sounds = {"a_kick.wav": kick, "b_down.wav": -kick}
    sounds["c_noise.wav"] = np.random.default_rng(0).uniform(-1, 1, settings.num_samples)
    for name, sound in sounds.items():
        soundfile.write(folder / "raw" / name, sound, settings.sample_rate, subtype="FLOAT")
    preprocess(folder / "raw", folder / "processed", list(sounds), settings, workers=1)
    return folder


def dataset(folder, settings, *names, segment_size=8192, crop="sound", align_polarity=False):
    return VocoderDataset(folder / "raw", folder / "processed", names, settings, segment_size, crop, align_polarity)


def starts(kicks, count=400):
    torch.manual_seed(0)
    mel, _ = kicks.pair(0)
    return torch.tensor([kicks.draw_start(mel) for _ in range(count)])


def test_a_pair_is_the_whole_kick_and_its_mel(folder, settings):
    mel, waveform = dataset(folder, settings, "c_noise.wav").pair(0)
    assert mel.shape == settings.mel_shape
    assert waveform.shape == (settings.num_samples,)
    torch.testing.assert_close(mel_spectrogram(waveform[None], settings)[0], mel, atol=1e-3, rtol=0)


def test_a_crop_is_a_segment_and_the_frames_over_it(folder, settings):
    kicks = dataset(folder, settings, "c_noise.wav")
    mel, waveform = kicks.crop_at_random(0)
    assert mel.shape == (128, 16)
    assert waveform.shape == (8192,)


@pytest.mark.parametrize("start", [0, 1, 80, 156])
def test_mel_and_waveform_of_a_crop_show_the_same_moment(folder, settings, start):
    kicks = dataset(folder, settings, "c_noise.wav")
    mel, waveform = kicks.pair(0)
    cut_mel, cut_waveform = kicks.cut(mel, waveform, start)
    assert torch.equal(cut_waveform, waveform[start * HOP : (start + 16) * HOP])
    # windows reach 2 frames over the ends of a crop; between them its own mel is that of the whole kick
    own = mel_spectrogram(cut_waveform[None], settings)[0, 0]
    torch.testing.assert_close(own[:, 2:14], cut_mel[:, 2:14], atol=1e-3, rtol=0)


def test_crops_lie_where_there_is_sound(folder, settings):
    drawn = starts(dataset(folder, settings, "a_kick.wav"))
    last_sound = 0.2 * settings.sample_rate / HOP + 2  # frames, with half a window
    assert drawn.max() <= last_sound
    uniform = starts(dataset(folder, settings, "a_kick.wav", crop="uniform"))
    assert (uniform > last_sound).float().mean() > 0.8  # what crops would be trained on otherwise


def test_uniform_crops_are_everywhere(folder, settings):
    drawn = starts(dataset(folder, settings, "a_kick.wav", crop="uniform"), 2000)
    assert drawn.min() == 0
    assert drawn.max() == 172 - 16
    assert drawn.float().mean().item() == pytest.approx(78, abs=5 * 45 / math.sqrt(2000))


def test_a_sound_that_fills_the_frame_is_seen_from_start_to_end(folder, settings):
    drawn = starts(dataset(folder, settings, "c_noise.wav"), 2000)
    assert drawn.min() == 0
    assert drawn.max() >= 150


def test_silence_is_cropped_anywhere(folder, settings):
    kicks = dataset(folder, settings, "a_kick.wav")
    silence = torch.full(settings.mel_shape, math.log(settings.mel_floor))
    torch.manual_seed(0)
    drawn = [kicks.draw_start(silence) for _ in range(300)]
    assert 0 <= min(drawn) < 36
    assert 120 < max(drawn) <= 156


def test_a_segment_longer_than_a_kick_is_the_whole_kick(folder, settings):
    kicks = dataset(folder, settings, "a_kick.wav", segment_size=1_000_000 // HOP * HOP)
    mel, waveform = kicks.crop_at_random(0)
    assert mel.shape == (128, 172)
    assert waveform.shape == (172 * HOP,)


def test_crops_follow_from_the_seed(folder, settings):
    kicks = dataset(folder, settings, "c_noise.wav")
    crops = []
    for _ in range(2):
        torch.manual_seed(7)
        crops.append(kicks.crop_at_random(0)[1])
    assert torch.equal(*crops)


def test_only_paths_are_kept_in_memory(folder, settings):
    kicks = dataset(folder, settings, "a_kick.wav", "b_down.wav")
    kicks.crop_at_random(1)
    assert not any(isinstance(value, (torch.Tensor, np.ndarray)) for value in vars(kicks).values())
    assert [path.relative_to(folder).as_posix() for path in kicks.paths()] == [
        "processed/a_kick.wav.pt",
        "raw/a_kick.wav",
        "processed/b_down.wav.pt",
        "raw/b_down.wav",
    ]


def test_aligned_waveforms_begin_upwards(folder, settings):
    up, down = (dataset(folder, settings, "a_kick.wav", "b_down.wav", align_polarity=True).pair(i)[1] for i in (0, 1))
    assert torch.equal(up, down)
    assert up[:200].sum() > 0
    as_recorded = dataset(folder, settings, "b_down.wav").pair(0)[1]
    assert torch.equal(as_recorded, -down)


def test_another_kind_of_crop_is_refused(folder, settings):
    with pytest.raises(ValueError, match="crop 'louder': expected one of sound, uniform"):
        dataset(folder, settings, "a_kick.wav", crop="louder")


def test_other_audio_settings_have_other_frames(tmp_path, settings):
    small = dataclasses.replace(settings, duration=0.5, hop_length=256, n_fft=1024)
    kicks = dataset(tmp_path, small, segment_size=2048)
    assert kicks.num_crop_frames == 8
    assert len(kicks) == 0
