"""Generates kicks and measures them against the library: checkpoints, data/ -> metrics/evaluate.json, reports/index.html."""

from pathlib import Path

from kickpipe.common.cpu import num_workers
from kickpipe.common.files import write_json
from kickpipe.evaluation.evaluate import evaluate
from kickpipe.evaluation.library import load_library
from kickpipe.evaluation.report import build_report
from kickpipe.evaluation.report.origin import current_commit
from kickpipe.evaluation.summary import printed
from kickpipe.generate import KickGenerator
from kickpipe.params import load_params
from stages.entry import run


def main() -> None:
    params = load_params()
    workers = num_workers()
    options = params.evaluate.model_dump()
    generator = KickGenerator.load("checkpoints")
    library = load_library(
        "data",
        params.audio.settings(),
        validation_share=params.split.validation_share,
        holdout=params.split.holdout,
        num_real=options.pop("real"),
        not_real=options.pop("not_real"),
        seed=params.evaluate.seed,
        workers=workers,
    )
    evaluation = evaluate(generator, library, **options, workers=workers)
    write_json(Path("metrics/evaluate.json"), evaluation.metrics)
    write_json(Path("metrics/evaluate_details.json"), evaluation.details)
    build_report(
        evaluation,
        "reports/index.html",
        curves={name: Path(f"plots/train_{name.lower()}.csv") for name in ("VAE", "Diffusion", "Vocoder")},
        left_out=(Path("data/left_out.csv"), Path("data/preprocess_left_out.csv")),
        params=Path("params.yaml").read_text(encoding="utf-8"),
        commit=current_commit(),
        models=generator.hashes,
    )
    print(printed(evaluation.details))


if __name__ == "__main__":
    run(main)
