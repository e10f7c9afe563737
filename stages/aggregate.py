"""Stage aggregate: the samples below ``aggregate.source_dir`` to data/raw and data/metadata.csv.

What was left out is in data/left_out.csv, file by file, and counted in metrics/aggregate.json.
"""

from pathlib import Path

from kickpipe.data.library import Filters, aggregate
from kickpipe.data.tables import write_left_out, write_metadata
from kickpipe.params import load_params
from stages.running import run, write_metrics

DATA = Path("data")


def main() -> None:
    params = load_params().aggregate
    filters = Filters(params.include, params.exclude, params.extensions, params.min_bytes, params.max_bytes)
    result = aggregate(Path(params.source_dir), DATA / "raw", filters, params.keep_numbers)
    write_metadata(DATA / "metadata.csv", result.samples)
    write_left_out(DATA / "left_out.csv", result.left_out)
    write_metrics(Path("metrics/aggregate.json"), result.metrics())
    print(result.summary(DATA / "left_out.csv"))


if __name__ == "__main__":
    run(main)
