"""Recordings that are nearly the same, found by correlation of their waveforms."""

__all__ = ["fingerprints", "near_duplicates"]

from collections.abc import Iterable

import numpy as np

from kickpipe.audio.io import fit


def fingerprints(waveforms: Iterable[np.ndarray], size: int = 8192) -> np.ndarray:
    """The first 186 ms after each onset, with unit energy: shape (K, size)."""
    prints = []
    for waveform in waveforms:
        onset = int(np.argmax(np.abs(waveform) > 0.1 * np.abs(waveform).max()))
        part = fit(waveform[onset:], size)
        prints.append(part / np.linalg.norm(part))
    return np.stack(prints) if prints else np.zeros((0, size), np.float32)


def near_duplicates(others: np.ndarray, references: np.ndarray, max_lag: int = 200) -> list[tuple[int, float]]:
    """For each of `others` the most similar of `references`, as (index, correlation), in either polarity.

    Arguments:
        others: Fingerprints with shape (K, N).
        references: Fingerprints with shape (M, N), M at least 1.
        max_lag: Samples by which they may be shifted.
    """
    size = 2 * others.shape[1]
    spectra = np.fft.rfft(references, size)
    found = []
    for other in others:
        correlation = np.fft.irfft(np.conj(np.fft.rfft(other, size)) * spectra, size)
        near = np.abs(np.concatenate([correlation[:, : max_lag + 1], correlation[:, -max_lag:]], axis=1)).max(axis=1)
        found.append((int(near.argmax()), float(near.max())))
    return found
