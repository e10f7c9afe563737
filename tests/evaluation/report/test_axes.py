import numpy as np
import pytest

from kickpipe.evaluation.report.axes import HIGHEST_HZ, LOWEST_HZ, TimeAxis, frequency_ticks, log_ticks, round_ticks


def test_the_time_axis_holds_all_kicks_and_shows_most_of_them_whole():
    axis = TimeAxis.over([0.3] * 8 + [0.7, 1.9])
    assert (axis.start, axis.stop, axis.shown) == (0, 2000, 500)
    assert axis.stretch == 4 and axis.seconds == 2
    assert set(axis.choices) >= {250, 500, 1000, 2000}


def test_nothing_to_show_has_an_axis_too():
    assert TimeAxis.over([]).shown == 250


def test_ticks_are_round_and_in_their_place():
    axis = TimeAxis(0.0, 2000.0, 1000.0)
    assert [tick.label for tick in axis.ticks] == ["0", "200", "400", "600", "800", "1,000"]
    assert [tick.at for tick in axis.ticks] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    attack = TimeAxis.attack()
    assert {tick.label: round(tick.at, 2) for tick in attack.ticks}["0"] == 0.04


@pytest.mark.parametrize(("low", "high"), [(0, 250), (-1, 24), (0.02, 0.9), (3, 4.1), (0, 123456)])
def test_round_ticks_are_few_multiples_of_one_step(low, high):
    ticks = round_ticks(low, high)
    assert 2 <= len(ticks) <= 6
    assert min(ticks) >= low - 1e-9 and max(ticks) <= high + 1e-9
    assert np.allclose(np.diff(ticks), ticks[1] - ticks[0])


@pytest.mark.parametrize(("low", "high"), [(30, 400), (1e-5, 30), (5, 5000)])
def test_logarithmic_ticks_are_few_and_within(low, high):
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)


def test_frequencies_stand_where_their_octave_is():
    ticks = {tick.label: tick.at for tick in frequency_ticks()}
    octaves = np.log2(HIGHEST_HZ / LOWEST_HZ)
    assert (ticks["200 Hz"] - ticks["50 Hz"]) * octaves == pytest.approx(2)
    assert (ticks["5 kHz"] - ticks["1 kHz"]) * octaves == pytest.approx(np.log2(5))
