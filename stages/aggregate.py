"""Stage aggregate: the samples below ``aggregate.source_dir`` to data/raw and data/metadata.csv.

What was left out is in data/left_out.csv, file by file, and counted by reason in metrics/aggregate_details.json.
"""

from pathlib import Path

from kickpipe.common.files import write_json
from kickpipe.data.aggregate import Filters, aggregate
from kickpipe.data.tables import write_left_out, write_metadata
from kickpipe.params import load_params
from stages.entry import run

DATA = Path("data")


def main() -> None:
    params = load_params().aggregate
    source_dir = Path(params.source_dir)
    filters = Filters(
        params.include, params.exclude, params.extensions, params.min_bytes, params.max_bytes, params.tempos
    )
    result = aggregate(source_dir, DATA / "raw", filters, params.keep_numbers)
    write_left_out(DATA / "left_out.csv", result.left_out)
    result.check(source_dir)
    write_metadata(DATA / "metadata.csv", result.samples)
    write_json("metrics/aggregate.json", result.metrics())
    write_json("metrics/aggregate_details.json", result.details())
    print(result.summary(DATA / "left_out.csv"))


if __name__ == "__main__":
    run(main)
