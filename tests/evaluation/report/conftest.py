"""One page of an evaluation, built once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kickpipe.audio.settings import AudioSettings
from kickpipe.evaluation.analysis import Analyser, defect_shares
from kickpipe.evaluation.answers import Reasons, finite
from kickpipe.evaluation.compare import compare_sets
from kickpipe.evaluation.evaluate import Evaluation, Request, find_copies, nearest_training
from kickpipe.evaluation.library import Library
from kickpipe.evaluation.reconstruction import RoundTrips
from kickpipe.evaluation.report import build_report
from kickpipe.evaluation.report.origin import Origin
from kickpipe.evaluation.roundtrip import log_mel_error, measure_round_trip, summarise
from kickpipe.evaluation.summary import headline
from kickpipe.synth import synthesise

CLIPPED = 5
NAUGHTY = 'a<script>alert("x")</script>&.wav'


@pytest.fixture(scope="session")
def evaluation(settings: AudioSettings) -> Evaluation:
    """Synthesised kicks in the place of generated and of real ones; no vocoder, and no keyword was tested."""
    rate = settings.sample_rate
    analyser = Analyser(rate, settings.hop_length)

    def kicks(seed: int, count: int, name: str):
        waveforms = np.stack([synthesise(seed, i) for i in range(count)])
        return analyser.measure(waveforms, [f"{name}{i}.wav" for i in range(count)])

    training, heldout, generated = kicks(0, 24, "training"), kicks(1, 22, "heldout"), kicks(2, 22, "generated")
    training = replace(training, names=(NAUGHTY, *training.names[1:]))
    asked = [Request("deep <808>" if i % 2 else "", 2, i, 1.0) for i in range(22)]
    # One kick is clipped, whatever the synthesiser does.
    flat = [{**defects, "clipped": i == CLIPPED} for i, defects in enumerate(generated.defects)]
    generated = replace(generated, names=tuple(item.name for item in asked), defects=tuple(flat))
    waveforms = dict(zip(training.names, training.waveforms, strict=True))
    library = Library(
        settings,
        analyser,
        training,
        heldout,
        training.names,
        training.primary,
        {},
        waveforms.__getitem__,
        lambda names: None,
    )
    sets = {"generated": generated, "training": training, "synthesiser": generated}
    reasons = Reasons(keywords="no keyword has 10 real kicks")
    original = heldout.waveforms[:2]
    measures = summarise(measure_round_trip(original, 0.9 * original, rate))
    mel = summarise(log_mel_error(np.zeros((2, 1, 3, 4)), np.ones((2, 1, 3, 4))))
    trips = RoundTrips(
        heldout.names[:2],
        {"original": original, "griffin_lim": 0.9 * original},
        {"number": 2, "mel": mel, "griffin_lim": measures},
    )
    details = finite(
        {
            "kicks": {"generated": 22, "heldout": 22, "trained_on": 24},
            "distances": compare_sets(sets, heldout, training, 300, 2, 0),
            "defects": {name: defect_shares(generated) for name in ("generated", "heldout", "training")},
            "copies": find_copies(generated, library, reasons),
            "round_trips": trips.summary,
            "keywords": None,
        },
        reasons,
    )
    metrics = headline(details, reasons, 2.0)
    details = {**details, "reasons": dict(reasons)}
    requests = {item.name: item for item in asked}
    return Evaluation(metrics, details, generated, requests, nearest_training(generated, library), trips, library)


@pytest.fixture(scope="session")
def page(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """reports/index.html of that evaluation."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "vae.csv").write_text("step,loss,val_loss\n10,2.5,\n20,1.5,1.7\n30,1.2,1.5\n")
    (folder / "left_out.csv").write_text("path,reason,detail\npack/loop 1.wav,excluded,matches *loop\n")
    origin = Origin(
        curves={"VAE": folder / "vae.csv", "Vocoder": folder / "missing.csv"},
        left_out=[folder / "left_out.csv", folder / "missing.csv"],
        params="evaluate:\n  count: 22\n",
        commit="abc1234567",
        models={"vae": "0123456789abcdef"},
    )
    build_report(evaluation, folder / "reports" / "index.html", origin)
    return folder / "reports" / "index.html"
