import io

import numpy as np
import pytest

from kickpipe.evaluation.report.axes import HIGHEST_HZ, LOWEST_HZ, TimeAxis
from kickpipe.evaluation.report.pictures import (
    ATTACK,
    HEIGHT,
    WHOLE,
    WIDTH,
    attack_path,
    grey_png,
    outline_path,
    segment,
    spectrogram,
)
from kickpipe.evaluation.report.sounds import SoundBank, audible_seconds

RATE = 44100
AXIS = TimeAxis(0.0, 1000.0, 1000.0)


def points(path):
    numbers = path.replace("M", " ").replace("L", " ").replace("Z", " ").split()
    return np.array(numbers, float).reshape(-1, 2)


def row_of(hz, rows):
    """The row, from the top, that a frequency is drawn in."""
    return rows - 1 - int(rows * np.log(hz / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ))


def test_an_outline_stays_in_its_box_and_reaches_the_peaks():
    found = points(outline_path(np.clip(np.random.default_rng(0).standard_normal(50000), -1, 1)))
    assert found.min() >= 0 and found[:, 0].max() < WIDTH and found[:, 1].max() <= HEIGHT
    assert found[:, 1].min() <= 4 and found[:, 1].max() >= HEIGHT - 4


def test_silence_is_a_line_of_few_points():
    found = points(outline_path(np.zeros(50000)))
    assert len(found) == 4 and set(found[:, 1]) == {HEIGHT / 2 - 1, HEIGHT / 2 + 1}


def test_the_line_of_an_attack_keeps_a_click_of_one_sample():
    x = np.zeros(1100)
    x[400] = -1
    found = points(attack_path(x))
    lowest = found[found[:, 1].argmax()]
    assert lowest[1] >= HEIGHT - 4 and lowest[0] == pytest.approx(400 / 1100 * WIDTH, abs=2)


def test_a_segment_beyond_the_ends_is_silent():
    x = np.ones(100, np.float32)
    part = segment(x, 1000, TimeAxis(-10.0, 150.0, 150.0))
    assert len(part) == 160 and part[:10].sum() == 0 and part[10:110].all() and part[110:].sum() == 0


@pytest.mark.parametrize("resolution", [WHOLE, ATTACK])
@pytest.mark.parametrize("hz", [100.0, 400.0, 3000.0, 9000.0])
def test_a_sine_is_drawn_in_the_row_of_its_frequency(hz, resolution):
    x = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
    levels = spectrogram(x, RATE, AXIS, resolution)
    middle = levels[:, levels.shape[1] // 2]
    assert levels.shape == (80, resolution.columns) and levels.max() == pytest.approx(1)
    # Levels rise by 3 dB an octave, so a broad low sine peaks a little above its row.
    assert abs(int(middle.argmax()) - row_of(hz, 80)) <= (4 if hz < 200 and resolution is ATTACK else 2)


def test_a_click_is_drawn_at_its_time():
    x = np.zeros(RATE, np.float32)
    x[RATE // 4] = 1
    levels = spectrogram(x, RATE, AXIS)
    column = levels[row_of(5000, 80)].argmax()
    assert (column + 0.5) / levels.shape[1] == pytest.approx(0.25, abs=0.01)
    assert levels[row_of(5000, 80), levels.shape[1] // 2] == 0


def test_silence_is_empty_and_a_low_sample_rate_has_nothing_above_its_half():
    assert spectrogram(np.zeros(RATE), RATE, AXIS).max() == 0
    noise = np.random.default_rng(0).standard_normal(8000)
    levels = spectrogram(noise, 8000, AXIS)
    assert levels[row_of(6000, 80)].max() == 0 < levels[row_of(2000, 80)].min()


def test_a_png_holds_the_values():
    from PIL import Image

    levels = np.linspace(0, 1, 60).reshape(5, 12)
    picture = Image.open(io.BytesIO(grey_png(levels)))
    assert picture.mode == "L" and picture.size == (12, 5)
    assert np.abs(np.asarray(picture) / 255 - levels).max() <= 2.01 / 255
    assert grey_png(levels) == grey_png(levels.copy())


def test_audible_part_ends_with_the_tail():
    x = np.zeros(RATE, np.float32)
    x[: RATE // 2] = 0.5
    assert audible_seconds(x, RATE) == pytest.approx(0.55, abs=1e-3)
    assert audible_seconds(np.zeros(RATE, np.float32), RATE) == pytest.approx(0.2)


def test_the_attack_begins_at_the_onset_and_small_pictures_have_no_spectrogram():
    x = np.zeros(2 * RATE, np.float32)
    x[RATE // 10 :] = np.sin(np.arange(2 * RATE - RATE // 10) / 100) * np.exp(-np.arange(2 * RATE - RATE // 10) / 9000)
    bank = SoundBank(RATE, AXIS)
    sound, small = bank.add(x, "kick"), bank.add(x, "kick", small=True)
    assert sound.onset_seconds == pytest.approx(0.1, abs=2e-3)
    assert [item.audio for item in (sound, small)] == [0, 1] and len(bank.audio) == 2
    assert sound.mel.startswith("data:image/png;base64,") and small.mel == small.attack_mel == ""
    first = points(sound.attack)
    assert np.abs(first[first[:, 0] < 0.03 * WIDTH, 1] - HEIGHT / 2).max() < 0.12 * HEIGHT, "1 ms before the onset"
