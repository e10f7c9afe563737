"""One kick from its parameters: a falling sine in an envelope, and what surrounds it in a real recording.

    body    sin(2 pi integral of f), f(t) = end + (start - end) exp(-t / sweep) + knock exp(-t / 4 ms), with a second
            harmonic, in an envelope of a fast and a slow exponential after an optional hold
    sub     a steady sine at a fraction of the end pitch, swelling in
    shell   the modes of a circular membrane (Rossing, "Science of Percussion Instruments", 2000, table 2.1)
    click   filtered noise of a few ms and a short resonance: beater or transistor click
    noise   filtered noise that decays with the body: snare wires, air, tape
    room    early reflections and an exponentially decaying, darkening tail
    colour  asymmetric saturation, tilt, low- and high-pass, few bits, a low sample rate, a cut tail, a noise floor

All filters are analogue transfer functions evaluated at the bins of one Fourier transform: causal, vectorised, cheap.
"""

__all__ = ["MEMBRANE_MODES", "Patch", "render"]

from dataclasses import dataclass

import numpy as np

MEMBRANE_MODES = (1.594, 2.136, 2.296, 2.653, 2.918)
KNOCK_SECONDS = 0.004
PAD_SECONDS, FADE_SECONDS = 0.05, 0.03


@dataclass(frozen=True)
class Patch:
    """Parameters of one kick. Levels in dB are relative to the body, times in seconds, frequencies in Hz."""

    # body
    start_hz: float = 180.0
    end_hz: float = 50.0
    sweep: float = 0.03
    knock_hz: float = 0.0
    phase: float = 0.0
    harmonic_db: float = -60.0
    attack: float = 0.001
    hold: float = 0.0
    decay: float = 0.12
    slow_decay: float = 0.3
    slow_share: float = 0.0
    bend: float = 1.0
    line: float = 0.0
    # sub and shell
    sub_db: float = -60.0
    sub_ratio: float = 1.0
    sub_decay: float = 0.25
    shell_db: float = -60.0
    shell_decay: float = 0.05
    shell_spread: float = 1.0
    # click and noise
    click_db: float = -60.0
    click_decay: float = 0.003
    click_low: float = 1000.0
    click_high: float = 8000.0
    beater_db: float = -60.0
    beater_hz: float = 3000.0
    beater_decay: float = 0.004
    noise_db: float = -60.0
    noise_decay: float = 0.08
    noise_low: float = 200.0
    noise_high: float = 5000.0
    noise_damp: float = 1.0
    # room and colour
    room_db: float = -60.0
    room_decay: float = 0.15
    room_high: float = 4000.0
    room_damp: float = 0.5
    drive: float = 0.0
    bias: float = 0.0
    clip_db: float = 0.0
    tilt_db: float = 0.0
    boost_db: float = 0.0
    boost_hz: float = 80.0
    low_cut: float = 20.0
    high_cut: float = 20000.0
    steep: int = 1
    bits: int = 16
    hold_rate: float = 44100.0
    delay: float = 0.0
    cut: float = 2.0
    fade: float = 0.01
    floor_db: float = -96.0
    polarity: float = 1.0


def _gain(level_db: float) -> float:
    return 10.0 ** (level_db / 20.0) if level_db > -60.0 else 0.0


def _low_pass(hz: np.ndarray, cutoff: float, order: int = 2) -> np.ndarray:
    """Butterworth low-pass of an even order at the frequencies hz: 1 / prod (s^2 + s / q + 1), s = i hz / cutoff."""
    s = 1j * hz / cutoff
    response = np.ones(len(hz), dtype=np.complex128)
    for pair in range(order // 2):
        response /= s * s + 2.0 * np.sin(np.pi * (2 * pair + 1) / (2 * order)) * s + 1.0
    return response


def _high_pass(hz: np.ndarray, cutoff: float) -> np.ndarray:
    s = 1j * hz / cutoff
    return s * s / (s * s + np.sqrt(2.0) * s + 1.0)


def _fft_size(num_samples: int) -> int:
    """The next multiple of 4096: few distinct factors, so that the transform is fast."""
    return -(-num_samples // 4096) * 4096


def _decaying_noise(
    rng: np.random.Generator, size: int, sample_rate: int, band: tuple[float, float], decay: float, damp: float
) -> np.ndarray:
    """Noise with shape (size,) through a band (low, high) in Hz that starts with a root mean square of 1 and decays.

    Above the middle of the band it decays `damp` times as fast as below: heads, rooms and tape lose their highs first.
    """
    size = _fft_size(size)
    hz = np.arange(size // 2 + 1) * sample_rate / size
    spectrum = np.fft.rfft(rng.standard_normal(size)) * _high_pass(hz, band[0]) * _low_pass(hz, band[1])
    spectrum /= np.sqrt(2.0 * np.sum(np.abs(spectrum) ** 2)) / size + 1e-20
    t = np.arange(size) / sample_rate
    if damp >= 1.0:
        return np.fft.irfft(spectrum, size) * np.exp(-t / decay)
    dark = 1.0 / (1.0 + 1j * hz / np.sqrt(band[0] * band[1]))
    slow, fast = np.fft.irfft(spectrum * dark, size), np.fft.irfft(spectrum * (1.0 - dark), size)
    return slow * np.exp(-t / decay) + fast * np.exp(-t / (decay * damp))


def _body(patch: Patch, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Body with sub and shell, and the body's envelope; both with shape (N,)."""
    sweep = patch.sweep
    if patch.bend != 1.0:
        # Stretched exponential, exp(-(t / sweep) ** bend): under 1 it falls fast and then hesitates, as a 909 does.
        fall = np.exp(-((t / sweep) ** patch.bend))
        turns = patch.end_hz * t + (patch.start_hz - patch.end_hz) * np.cumsum(fall) * (t[1] - t[0])
    else:
        turns = patch.end_hz * t + (patch.start_hz - patch.end_hz) * sweep * (1.0 - np.exp(-t / sweep))
    if patch.line > 0.0:
        # Mixed with a straight fall that ends where the exponential has 10% to go.
        end = np.log(10.0) * sweep
        inside = np.minimum(t, end)
        straight = patch.end_hz * t + (patch.start_hz - patch.end_hz) * (inside - inside**2 / (2.0 * end))
        turns = (1.0 - patch.line) * turns + patch.line * straight
    if patch.knock_hz > 0.0:
        turns += patch.knock_hz * KNOCK_SECONDS * (1.0 - np.exp(-t / KNOCK_SECONDS))
    angle = 2.0 * np.pi * turns + patch.phase
    after = np.maximum(t - patch.hold, 0.0)
    envelope = (1.0 - patch.slow_share) * np.exp(-after / patch.decay)
    if patch.slow_share > 0.0:
        envelope += patch.slow_share * np.exp(-after / patch.slow_decay)
    envelope *= np.minimum(t / max(patch.attack, 1e-5), 1.0)
    x = np.sin(angle)
    harmonic = _gain(patch.harmonic_db)
    if harmonic > 0.0:
        x += harmonic * np.sin(2.0 * angle + 0.5)
    x *= envelope
    sub = _gain(patch.sub_db)
    if sub > 0.0:
        swell = 1.0 - np.exp(-t / 0.015)
        x += sub * swell * np.exp(-t / patch.sub_decay) * np.sin(2.0 * np.pi * patch.end_hz * patch.sub_ratio * t)
    shell = _gain(patch.shell_db)
    if shell > 0.0:
        short = t[: int(9.0 * patch.shell_decay / (t[1] - t[0]))]  # after it, 78 dB down, five sines are wasted time
        for order, ratio in enumerate(MEMBRANE_MODES):
            level = shell * 0.75**order
            mode_hz = patch.end_hz * (1.0 + (ratio - 1.0) * patch.shell_spread)
            ring = np.exp(-short * (1.0 + 0.4 * order) / patch.shell_decay)
            x[: len(short)] += level * ring * np.sin(2.0 * np.pi * mode_hz * short + 0.7 * order)
    return x, envelope


def _transient(patch: Patch, t: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Click, beater and noise with shape (N,)."""
    x = np.zeros(len(t))
    click = _gain(patch.click_db)
    if click > 0.0:
        num = min(len(t), int(8.0 * patch.click_decay * sample_rate) + 64)
        band = (patch.click_low, max(patch.click_high, 1.5 * patch.click_low))
        x[:num] += click * _decaying_noise(rng, num, sample_rate, band, patch.click_decay, 1.0)[:num]
    beater = _gain(patch.beater_db)
    if beater > 0.0:
        num = min(len(t), int(10.0 * patch.beater_decay * sample_rate) + 64)
        ring = np.exp(-t[:num] / patch.beater_decay) * np.minimum(t[:num] / 0.0005, 1.0)
        x[:num] += beater * ring * np.sin(2.0 * np.pi * patch.beater_hz * t[:num])
    noise = _gain(patch.noise_db)
    if noise > 0.0:
        num = min(len(t), int(8.0 * patch.noise_decay * sample_rate) + 64)
        band = (patch.noise_low, max(patch.noise_high, 1.5 * patch.noise_low))
        air = _decaying_noise(rng, num, sample_rate, band, patch.noise_decay, patch.noise_damp)[:num]
        x[:num] += noise * air * np.minimum(t[:num] / 0.002, 1.0)
    return x


def _saturate(patch: Patch, x: np.ndarray) -> np.ndarray:
    if patch.drive > 0.0:
        gain = 1.0 + patch.drive
        x = np.tanh(gain * x + patch.bias) - np.tanh(patch.bias)
    if patch.clip_db > 0.0:
        ceiling = np.abs(x).max() * 10.0 ** (-patch.clip_db / 20.0)
        x = np.clip(x, -ceiling, ceiling)
    return x


def _colour(patch: Patch, x: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Room, tilt, boost, low- and high-pass in one pass through the frequency domain."""
    room = _gain(patch.room_db)
    tail = min(int(6.0 * patch.room_decay * sample_rate), sample_rate) if room > 0.0 else 0
    size = _fft_size(len(x) + tail + int(PAD_SECONDS * sample_rate))
    hz = np.arange(size // 2 + 1) * sample_rate / size
    spectrum = np.fft.rfft(x, size)
    if room > 0.0:
        band = (60.0, max(patch.room_high, 200.0))
        echo = _decaying_noise(rng, tail, sample_rate, band, patch.room_decay, patch.room_damp)[:tail]
        echo *= 1.0 - np.exp(-np.arange(tail) / (0.006 * sample_rate))
        for place, level in zip(rng.uniform(0.001, 0.02, 4), rng.uniform(-1.0, 1.0, 4), strict=True):
            echo[int(place * sample_rate)] += 12.0 * level
        echo /= np.sqrt(np.sum(echo**2) + 1e-20)
        spectrum *= 1.0 + room * np.fft.rfft(echo, size) * _low_pass(hz, patch.room_high)
    response = _high_pass(hz, patch.low_cut) * _low_pass(hz, min(patch.high_cut, 0.49 * sample_rate), 2 * patch.steep)
    if patch.tilt_db != 0.0:
        # A shelf around 400 Hz with gain tilt_db above it: (1 + g s) / (1 + s), first order.
        s = 1j * hz / 400.0
        response *= (1.0 + 10.0 ** (patch.tilt_db / 20.0) * s) / (1.0 + s)
    if patch.boost_db != 0.0:
        s = 1j * hz / patch.boost_hz
        response *= (s * s + 10.0 ** (patch.boost_db / 20.0) * s + 1.0) / (s * s + s + 1.0)
    out = np.fft.irfft(spectrum * response, size)
    # The transform is circular: what an abrupt start rings backwards lands at the end, and is faded out there.
    fade = int(FADE_SECONDS * sample_rate)
    out[-fade:] *= np.linspace(1.0, 0.0, fade)
    return out


def render(patch: Patch, sample_rate: int, rng: np.random.Generator, num_samples: int) -> np.ndarray:
    """The kick as float64 waveform with shape (num_samples,), peak 1. `rng` draws its noise."""
    longest = max(patch.hold + 7.0 * patch.decay, 7.0 * patch.slow_decay if patch.slow_share > 0.0 else 0.0)
    longest = max(longest, 7.0 * patch.sub_decay if patch.sub_db > -60.0 else 0.0, 0.1)
    t = np.arange(min(int(longest * sample_rate), num_samples)) / sample_rate
    body, _ = _body(patch, t)
    x = _saturate(patch, body + _transient(patch, t, sample_rate, rng))
    x = _colour(patch, x, sample_rate, rng)
    start = int(patch.delay * sample_rate)
    out = np.zeros(num_samples)
    length = min(len(x), num_samples - start)
    out[start : start + length] = x[:length]
    if patch.hold_rate < sample_rate:
        # A sampler of the eighties: every sample held until the next tick of a slower clock.
        ticks = np.floor(np.arange(num_samples) * patch.hold_rate / sample_rate) * sample_rate / patch.hold_rate
        out = out[ticks.astype(np.int64)]
    out *= patch.polarity / max(np.abs(out).max(), 1e-12)
    if patch.floor_db > -90.0:
        out += 10.0 ** (patch.floor_db / 20.0) * rng.standard_normal(num_samples)
    if patch.bits < 16:
        steps = 2.0 ** (patch.bits - 1)
        out = np.round(out * steps) / steps
    end = min(start + int(patch.cut * sample_rate), num_samples)
    fade = min(max(int(patch.fade * sample_rate), 1), end)
    out[end - fade : end] *= np.linspace(1.0, 0.0, fade)
    out[end:] = 0.0
    return out / max(np.abs(out).max(), 1e-12)
