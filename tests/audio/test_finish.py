"""What finishing promises: start, end, level, length, pitch."""

import numpy as np
import pytest

from kickpipe.audio.defects import start_level
from kickpipe.audio.descriptors import onset_ms
from kickpipe.audio.finish import (
    FinishError,
    PitchError,
    finish,
    hz_to_midi,
    midi_to_hz,
    note_name,
    parse_pitch,
    remove_dc,
    root_hz,
)
from kickpipe.audio.io import prepare
from kickpipe.synth import synthesise

RATE = 44100


def tone(hz: float = 55.0, seconds: float = 2.0, tau: float = 0.15, silence: float = 0.0) -> np.ndarray:
    """A decaying cosine, which has its peak at its first sample, after some silence."""
    time = np.arange(round(seconds * RATE)) / RATE - silence
    return np.where(time >= 0, 0.7 * np.cos(2 * np.pi * hz * time) * np.exp(-np.maximum(time, 0) / tau), 0)


@pytest.mark.parametrize("silence", [0.0, 0.0001, 0.013, 0.5])
def test_it_starts_within_a_millisecond_of_its_onset(silence):
    samples = finish(tone(silence=silence), RATE).samples
    assert onset_ms(samples, RATE) <= 1.0
    assert len(samples) <= 0.15 * np.log(1000) * RATE + 0.01 * RATE


@pytest.mark.parametrize("index", range(4))
def test_synthesised_kicks_start_at_once_end_at_zero_and_peak_at_minus_one(index):
    samples = finish(synthesise(3, index), RATE).samples
    assert onset_ms(samples, RATE) <= 1.0
    assert samples[-1] == pytest.approx(0, abs=1e-6)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-1.0, abs=1e-3)


def test_the_tail_ends_where_it_falls_by_60_db():
    samples = finish(tone(), RATE).samples
    last = np.flatnonzero(np.abs(samples) >= np.abs(samples).max() * 1e-3)[-1]
    assert len(samples) - last <= 0.006 * RATE
    assert len(samples) / RATE == pytest.approx(0.15 * np.log(1000), abs=0.02)


def test_dc_is_removed():
    samples = finish(tone() + 0.2, RATE).samples
    clean = finish(tone(), RATE).samples
    assert abs(samples.mean()) < 1e-3
    assert len(samples) == len(clean)
    assert np.abs(samples - clean).max() < 1e-3


def test_removing_dc_leaves_the_bass():
    bass = np.sin(2 * np.pi * 40 * np.arange(RATE) / RATE)
    kept = remove_dc(bass, RATE)
    assert kept[RATE // 2 :].std() / bass[RATE // 2 :].std() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("length_ms", [30.0, 200.0, 1500.0, 5000.0])
def test_a_length_is_kept_to_the_sample(length_ms):
    samples = finish(tone(), RATE, length_ms=length_ms).samples
    assert len(samples) == round(length_ms / 1000 * RATE)
    assert abs(samples[-1]) < 1e-6


def test_a_long_fade_reaches_back():
    plain, faded = finish(tone(), RATE).samples, finish(tone(), RATE, fade_ms=400.0).samples
    middle = slice(len(plain) // 2, None)
    assert np.abs(faded[middle]).sum() < np.abs(plain[middle]).sum()


@pytest.mark.parametrize(
    ("tune", "hz"), [("A1", 55.0), ("F#1", 46.249), ("58.27", 58.27), ("70 Hz", 70.0), ("Bb1", 58.27)]
)
def test_tuning_moves_the_pitch_to_the_note(tune, hz):
    finished = finish(tone(50.0), RATE, tune=tune)
    assert finished.root_hz == pytest.approx(hz, rel=0.005)
    assert finished.tuning == pytest.approx(hz / 50.0, rel=0.005)


def test_a_note_without_octave_takes_the_nearest():
    assert finish(tone(100.0), RATE, tune="F#").root_hz == pytest.approx(92.5, rel=0.005)
    assert finish(tone(50.0), RATE, tune="F#").root_hz == pytest.approx(46.25, rel=0.005)


def swept(seed: int) -> np.ndarray:
    """A kick whose pitch still falls while it dies away, with noise: its pitch depends on where it is cut."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    hz = rng.uniform(40, 60) + rng.uniform(20, 60) * np.exp(-time / rng.uniform(0.1, 0.4))
    noise = 0.002 * rng.standard_normal(RATE) * np.exp(-time / 0.5)
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-time / rng.uniform(0.05, 0.2)) + noise


@pytest.mark.parametrize("seed", range(6))
def test_a_kick_that_is_tuned_is_in_tune(seed):
    assert abs(1200 * np.log2(finish(swept(seed), RATE, tune="F1").root_hz / 43.654)) <= 1.0


def test_real_kicks_are_in_tune_or_say_that_they_are_not(kicks, settings):
    missed, untuned = [], 0
    for path in sorted(kicks.rglob("*.flac"))[::2]:
        try:
            missed.append(abs(1200 * np.log2(finish(prepare(path, settings), RATE, tune="F1").root_hz / 43.654)))
        except PitchError:
            untuned += 1
    assert max(missed) <= 10 and np.percentile(missed, 90) <= 2
    assert untuned < 0.2 * len(missed)


def test_what_cannot_be_tuned_says_so_and_is_told_from_a_wrong_option():
    hiss = np.random.default_rng(0).standard_normal(RATE) * np.exp(-np.arange(RATE) / 2000)
    with pytest.raises(PitchError, match=r"no steady pitch|no pitch|choose a nearer note"):
        finish(hiss, RATE, tune="F1")
    with pytest.raises(FinishError) as caught:
        finish(tone(), RATE, tune="H2")
    assert not isinstance(caught.value, PitchError)


@pytest.mark.parametrize("silence", [0.0, 0.0001, 0.013])
def test_nothing_begins_with_a_step(silence):
    samples = finish(tone(silence=silence), RATE).samples
    assert samples[0] == 0
    assert start_level(samples) < 0.1


def test_the_result_knows_its_sample_rate():
    assert finish(tone(), RATE).sample_rate == RATE


def test_tuning_up_shortens():
    assert len(finish(tone(50.0), RATE, tune="75").samples) < 0.7 * len(finish(tone(50.0), RATE).samples)


@pytest.mark.parametrize(
    "samples", [np.zeros(100), np.zeros(0), np.full(100, 0.5), np.full(50, np.nan), np.zeros((2, 100))]
)
def test_what_is_no_kick_is_refused(samples):
    with pytest.raises(FinishError):
        finish(samples, RATE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"peak_db": 1.0}, "peak"),
        ({"peak_db": float("nan")}, "peak"),
        ({"length_ms": 0.0}, "length"),
        ({"length_ms": float("nan")}, "length"),
        ({"fade_ms": -1.0}, "fade"),
        ({"fade_ms": float("inf")}, "fade"),
        ({"tune": "H2"}, "cannot read the pitch 'H2'"),
        ({"tune": "C9"}, "between 10 and 1000"),
        ({"tune": "900"}, "choose a nearer note"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(FinishError, match=message):
        finish(tone(), RATE, **options)


def test_noise_has_no_pitch_to_tune():
    hiss = np.diff(np.random.default_rng(0).standard_normal(RATE), 6) * np.exp(-np.arange(RATE - 6) / 3000)
    assert root_hz(np.zeros(RATE), RATE) is None
    root = root_hz(hiss, RATE)
    assert root is None or root > 200


def test_notes_and_numbers_agree():
    assert hz_to_midi(440.0) == 69
    assert midi_to_hz(30) == pytest.approx(46.249, abs=1e-3)
    assert [note_name(hz) for hz in (46.25, 440.0, 261.63, 27.5)] == ["F#1", "A4", "C4", "A0"]
    assert parse_pitch("gb1")[0] == parse_pitch("F#1")[0] == parse_pitch("F♯1")[0]
    assert parse_pitch("Cb2")[0] == pytest.approx(parse_pitch("B1")[0])
    assert parse_pitch("F#") == (parse_pitch("F#1")[0], True)


@pytest.mark.parametrize("note", ["C#1", "D#0", "F#", "G#2", "A#0"])
def test_a_note_is_read_as_file_names_write_it(note):
    assert parse_pitch(note.replace("#", "s")) == parse_pitch(note)


def test_a_sharp_that_no_note_has_is_refused():
    for text in ("Es1", "Bs", "Css"):
        with pytest.raises(FinishError):
            parse_pitch(text)
