"""Stage preprocess: every file of data/raw to a log-mel tensor in data/processed.

Files that cannot be used are in data/preprocess_left_out.csv with reasons, and counted by reason in
metrics/preprocess_details.json.
"""

from pathlib import Path

from kickpipe.common.files import write_json
from kickpipe.data.preprocess import preprocess
from kickpipe.data.tables import read_metadata, write_left_out
from kickpipe.params import load_params
from stages.entry import run

DATA = Path("data")


def main() -> None:
    params = load_params()
    samples = read_metadata(DATA / "metadata.csv")
    result = preprocess(
        DATA / "raw", DATA / "processed", [sample.filename for sample in samples], params.audio.settings()
    )
    table = DATA / "preprocess_left_out.csv"
    write_left_out(table, result.left_out)
    write_json("metrics/preprocess.json", result.metrics())
    write_json("metrics/preprocess_details.json", result.details())
    print(result.summary(table))
    result.check(params.preprocess.max_failed_share, table)


if __name__ == "__main__":
    run(main)
