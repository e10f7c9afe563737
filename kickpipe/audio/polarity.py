"""Which way round a kick is. A mel is the same for a waveform and its negative, so both are turned the same way.

The vocoder's training turns its waveforms so that this is 1 (``data.crops``), and so does whatever finds a waveform
for a mel. Of real kicks about half are 1.
"""

__all__ = ["polarity"]

import numpy as np

SMOOTHING_SECONDS = 0.0025


def polarity(waveform: np.ndarray, sample_rate: float) -> np.float32:
    """Sign of the first strong half-wave of a kick: 1 or -1.

    That is where the waveform (N,), smoothed over 2.5 ms so that a click or noise does not decide, first reaches half of
    its peak.

    Arguments:
        waveform: Samples with shape (N,).
        sample_rate: Samples a second (Hz).
    """
    width = max(round(SMOOTHING_SECONDS * sample_rate), 1)
    totals = np.cumsum(np.pad(waveform.astype(np.float64), (width, 0)))
    smooth = totals[width:] - totals[:-width]
    first = int(np.argmax(np.abs(smooth) >= 0.5 * np.abs(smooth).max()))
    return np.float32(-1.0 if smooth[first] < 0 else 1.0)
