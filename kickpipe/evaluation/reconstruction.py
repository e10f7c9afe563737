"""Round trips of held-out kicks through the generator's networks, with Griffin-Lim beside them on the same mels."""

__all__ = ["RoundTrips", "evaluate_round_trips"]

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kickpipe.evaluation.analysis import with_progress
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.library import Library
from kickpipe.evaluation.roundtrip import log_mel_error, measure_round_trip, summarise
from kickpipe.generate import KickGenerator
from kickpipe.generate.noise import texture_noise
from kickpipe.generate.options import Vocoder
from kickpipe.generate.vocoding import vocode, vocode_griffin_lim

BATCH = 8
SHOWN = 8
OTHERS: dict[str, Vocoder] = {"refined": "hifigan+griffin-lim", "hifigan": "hifigan", "retrieved": "griffin-lim"}
PLAIN_ITERATIONS = 64


@dataclass(frozen=True)
class RoundTrips:
    """Held-out kicks and what became of them.

    Arguments:
        names: Of the first kicks, to be shown.
        waveforms: Of these kicks, with shape (len(names), samples), by trip: "original", then from the real mels "vocoder" (as
            kicks are generated), whatever of the following this is not: "refined" (the network, the low band searched for, a
            few iterations of Griffin-Lim), "hifigan" (the network alone) and "retrieved" (the same without it), and
            "griffin_lim" (the plain algorithm, the baseline); and the same after "vae_" from the mels that the VAE gave
            back. Trips with a network only where there is one.
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
    kicks = library.heldout.names[:limit]
    if not kicks:
        raise NoAnswer("no held-out kicks")
    networks = generator.networks
    default = networks.facts.default_vocoder
    vocoders: dict[str, Callable[[Tensor], Tensor]] = {
        "vocoder": partial(vocode, networks=networks, vocoder=default),
        **{
            name: partial(vocode, networks=networks, vocoder=kind)
            for name, kind in OTHERS.items()
            if kind != default and (kind == "griffin-lim" or networks.facts.has_vocoder)
        },
    }
    vocoders["griffin_lim"] = partial(
        vocode_griffin_lim, settings=generator.settings, iterations=PLAIN_ITERATIONS, plain=True
    )
    rate = library.settings.sample_rate
    shown: dict[str, list[np.ndarray]] = defaultdict(list)
    measured: dict[str, list[dict[str, np.ndarray]]] = defaultdict(list)
    starts = range(0, len(kicks), BATCH)
    batches = (
        (range(start, start + len(kicks[start : start + BATCH])), kicks[start : start + BATCH]) for start in starts
    )
    for numbers, names in with_progress(batches, len(kicks), "round trips"):
        original = np.stack([library.load(name) for name in names])
        mel = library.mels(names)
        with torch.inference_mode():
            latents = networks.encode(mel)
            decoded = networks.decode(latents)
            measured["mel"].append(log_mel_error(mel.numpy(), decoded.numpy()))
            if networks.facts.has_texture:  # as kicks are generated; the mean is the nearest mel, not the likest
                decoded = networks.decode(
                    latents, texture_noise([(0, number) for number in numbers], mel.shape[1:]), 1.0
                )
            trips = {
                prefix + name: trip(source).numpy()
                for prefix, source in (("", mel), ("vae_", decoded))
                for name, trip in vocoders.items()
            }
        for name, copy in trips.items():
            measured[name].append(measure_round_trip(original, copy, rate))
        if len(shown["original"]) * BATCH < SHOWN:  # all of them would take half a gigabyte
            for name, copy in {"original": original, **trips}.items():
                shown[name].append(copy)
    summary = {
        name: summarise({measure: np.concatenate([part[measure] for part in parts]) for measure in parts[0]})
        for name, parts in measured.items()
    }
    waveforms = {name: np.concatenate(parts)[:SHOWN] for name, parts in shown.items()}
    return RoundTrips(kicks[:SHOWN], waveforms, {"number": len(kicks), **summary})
