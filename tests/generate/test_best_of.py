"""Choosing by mels: faults are found, and the chosen differ."""

import math

import numpy as np
import pytest
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.generate.best_of import Candidates, faults, penalty
from kickpipe.synth import synthesise


def mel_of(waveform: np.ndarray, settings) -> torch.Tensor:
    return mel_spectrogram(torch.from_numpy(waveform.astype(np.float32))[None], settings)[0, 0]


def choose(mels: torch.Tensor, settings, count: int) -> list[int]:
    candidates = Candidates(settings)
    for first in range(0, len(mels), 2):
        candidates.add(mels[first : first + 2], range(first, min(first + 2, len(mels))))
    return candidates.choose(count)


@pytest.fixture(scope="module")
def kick() -> np.ndarray:
    return synthesise(1, 1, words=("short",))


def test_a_kick_has_no_fault(kick, settings):
    found = faults(mel_of(kick, settings), settings)
    assert found["late_ms"] <= 12
    assert found["second_onset_db"] < 6
    assert found["steady_db"] == 0


def test_a_late_kick_is_late(kick, settings):
    late = np.roll(kick, 4410)
    assert faults(mel_of(late, settings), settings)["late_ms"] == pytest.approx(100, abs=25)


def test_a_second_hit_is_heard(kick, settings):
    twice = kick + np.roll(kick, 44100 // 2)
    assert faults(mel_of(twice, settings), settings)["second_onset_db"] > 12


def test_a_steady_tone_is_heard(kick, settings):
    tone = kick + 0.05 * np.sin(2 * np.pi * 3000 * np.arange(len(kick)) / 44100)
    assert faults(mel_of(tone, settings), settings)["steady_db"] > 25


def test_the_faulty_are_left_and_the_different_are_kept(settings):
    good = [mel_of(synthesise(1, 1, words=("short",)), settings), mel_of(synthesise(1, 2, words=("deep",)), settings)]
    noise = mel_of(0.3 * np.random.default_rng(0).standard_normal(88200), settings)
    mels = torch.stack([good[0], good[0] + 0.01, noise, good[1]])[:, None]
    chosen = choose(mels, settings, 2)
    assert 2 not in chosen
    assert 3 in chosen and len(chosen) == 2


def test_what_is_not_finite_is_taken_last(settings):
    mels = torch.stack([torch.full((1, 128, 173), math.nan), torch.zeros(1, 128, 173)])
    assert penalty(mels[0, 0], settings) == math.inf
    assert choose(mels, settings, 1) == [1]


def test_as_many_as_wanted_are_chosen_once_each(settings):
    mels = torch.randn(6, 1, 128, 173, generator=torch.Generator().manual_seed(0))
    for count in (1, 3, 6):
        chosen = choose(mels, settings, count)
        assert len(set(chosen)) == count and chosen == sorted(chosen)


def test_each_choice_is_the_one_farthest_from_those_before(settings):
    mels = torch.randn(30, 1, 128, 173, generator=torch.Generator().manual_seed(1))
    penalties = [penalty(mel[0], settings) for mel in mels]
    features = torch.nn.functional.adaptive_avg_pool2d(mels, (16, 22)).flatten(1)
    pool = sorted(range(30), key=penalties.__getitem__)[:12]  # noise is full of faults: no more than what is wanted
    chosen = [pool[0]]
    while len(chosen) < 12:
        left = [i for i in pool if i not in chosen]
        chosen.append(max(left, key=lambda i: min(float((features[i] - features[j]).abs().mean()) for j in chosen)))
    assert choose(mels, settings, 12) == sorted(chosen)


def test_little_is_kept_of_a_candidate_and_a_choice_is_one_pass_over_them(settings, monkeypatch):
    passes = []
    minimum = torch.minimum
    monkeypatch.setattr(torch, "minimum", lambda one, other: (passes.append(len(other)), minimum(one, other))[1])
    candidates = Candidates(settings)
    random = torch.Generator().manual_seed(0)
    for first in range(0, 200, 50):
        candidates.add(torch.randn(50, 1, 128, 173, generator=random), range(first, first + 50))
    assert sum(part.untyped_storage().nbytes() for part in candidates.features) == 200 * 352 * 4  # a mel: 88 KB
    assert len(candidates.choose(100)) == 100
    assert passes == [100] * 99
