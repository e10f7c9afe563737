"""Round trips of held-out kicks through the generator's networks, with Griffin-Lim beside them on the same mels."""

__all__ = ["RoundTrips", "evaluate_round_trips"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.library import Library
from kickpipe.evaluation.roundtrip import log_mel_error, measure_round_trip, summarise
from kickpipe.generate import KickGenerator
from kickpipe.progress import progress

BATCH = 8
VOCODERS = {"vocoder": "hifigan", "refined": "hifigan+griffin-lim", "griffin_lim": "griffin-lim"}


@dataclass(frozen=True)
class RoundTrips:
    """Held-out kicks and what became of them.

    Arguments:
        names: Of the kicks.
        waveforms: Shape (N, samples) by trip: "original", then "vocoder", "refined" and "griffin_lim" from the real mels,
            and the same after "vae_" from the mels that the VAE gave back. Trips with a vocoder only where there is one.
        summary: ``mel`` (l1 in nats, db) and each trip's measures, as ``roundtrip.summarise`` gives them.
    """

    names: tuple[str, ...]
    waveforms: dict[str, np.ndarray]
    summary: dict[str, Any]


def evaluate_round_trips(generator: KickGenerator, library: Library, limit: int) -> RoundTrips:
    """Sends up to ``limit`` held-out kicks through VAE and vocoders, and measures what comes back.

    Raises:
        NoAnswer: If no kicks are held out.
    """
    kicks = library.heldout.take(range(min(limit, len(library.heldout))))
    if len(kicks) == 0:
        raise NoAnswer("no held-out kicks")
    vocoders = {name: kind for name, kind in VOCODERS.items() if kind == "griffin-lim" or "vocoder" in generator.hashes}
    trips: dict[str, list[np.ndarray]] = {"original": []}
    errors: dict[str, list[np.ndarray]] = {"l1": [], "db": []}
    starts = range(0, len(kicks), BATCH)
    for start in progress(starts, len(starts), "round trips", "batches"):
        names = kicks.names[start : start + BATCH]
        trips["original"].append(np.stack([library.load(name) for name in names]))
        mel = library.mels(names)
        with torch.inference_mode():
            decoded = generator.decode(generator.encode(mel))
            for name, values in log_mel_error(mel.numpy(), decoded.numpy()).items():
                errors[name].append(values)
            for prefix, source in (("", mel), ("vae_", decoded)):
                for name, kind in vocoders.items():
                    trips.setdefault(prefix + name, []).append(generator.vocode(source, kind).numpy())
    waveforms = {name: np.concatenate(parts) for name, parts in trips.items()}
    rate = library.settings.sample_rate
    measured = {
        name: summarise(measure_round_trip(waveforms["original"], copy, rate))
        for name, copy in waveforms.items()
        if name != "original"
    }
    mel_summary = summarise({name: np.concatenate(values) for name, values in errors.items()})
    return RoundTrips(kicks.names, waveforms, {"number": len(kicks), "mel": mel_summary, **measured})
