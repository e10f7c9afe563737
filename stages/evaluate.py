"""Generates kicks and measures them against the library: checkpoints, data/ -> metrics/evaluate.json, reports/index.html."""

from pathlib import Path

from kickpipe.common.cpu import num_workers
from kickpipe.common.files import write_json
from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.evaluate import EvaluationOptions, evaluate
from kickpipe.evaluation.library import Choice, load_library
from kickpipe.evaluation.report import build_report
from kickpipe.evaluation.report.origin import Origin, current_commit
from kickpipe.evaluation.summary import comparison_text, headline_text
from kickpipe.generate import KickGenerator
from kickpipe.params import load_params
from stages.entry import run


def main() -> None:
    params = load_params()
    settings, asked = params.audio.settings(), params.evaluate
    generator = KickGenerator.load("checkpoints")
    choice = Choice(
        validation_share=params.split.validation_share,
        holdout=params.split.holdout,
        number=asked.real,
        not_real=asked.not_real,
        seed=asked.seed,
    )
    library = load_library("data", settings, choice, Analyser(settings.sample_rate, settings.hop_length, num_workers()))
    options = EvaluationOptions(
        prompts=asked.prompts,
        count=asked.count,
        seed=asked.seed,
        guidance=asked.guidance,
        compare=asked.compare,
        draws=asked.draws,
        round_trips=asked.round_trips,
        keywords=asked.keywords,
        keyword_kicks=asked.keyword_kicks,
        guidances=asked.guidances,
    )
    evaluation = evaluate(generator, library, options)
    write_json(Path("metrics/evaluate.json"), evaluation.metrics)
    write_json(Path("metrics/evaluate_details.json"), evaluation.details)
    origin = Origin(
        curves={name: Path(f"plots/train_{name.lower()}.csv") for name in ("VAE", "Diffusion", "Vocoder")},
        left_out=(Path("data/left_out.csv"), Path("data/preprocess_left_out.csv")),
        params=Path("params.yaml").read_text(encoding="utf-8"),
        commit=current_commit(),
        models=generator.hashes,
    )
    build_report(evaluation, "reports/index.html", origin)
    print(
        f"{headline_text(evaluation.metrics, evaluation.details['reasons'])}\n\n{comparison_text(evaluation.details)}"
    )


if __name__ == "__main__":
    run(main)
