"""How many files a second aggregate and preprocess take, and how much memory, for libraries of growing size.

    python -m benchmarks.bench_preprocess [--count 850 3400 13600] [--workers 2] [--source DIR] [--repro]

Each size is a project of its own in a temporary folder, with a synthesised library (or ``--source``), and the stages
run as ``dvc repro`` runs them, start-up included. CPU is the processor seconds of all processes, which other work on
the machine disturbs less; memory is the peak of the largest process. ``--repro`` adds the seconds of a ``dvc repro``
that finds nothing to do in these two stages.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SEED = 1

# Runs a stage and reports its seconds, the processor seconds of it and its workers, and the largest process in KiB
MEASURE = """
import json, platform, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
peak_kib = usage.ru_maxrss / (1024 if platform.system() == "Darwin" else 1)
print(json.dumps({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_kib": peak_kib}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, nargs="+", default=[850, 3400, 13600], help="kicks to synthesise")
    parser.add_argument("--source", type=Path, help="a folder of samples, instead of synthesised ones")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--repro", action="store_true", help="time a dvc repro with nothing to do as well")
    arguments = parser.parse_args()

    columns = ("files", "aggregate", "preprocess", "together", "files/s", "CPU", "peak MiB", "no-op")
    print("".join(f"{name:>12}" for name in columns))
    for count in arguments.count if arguments.source is None else [0]:
        with tempfile.TemporaryDirectory(prefix="kickpipe-bench-") as folder:
            row = measure(Path(folder), count, arguments.source, arguments.workers, arguments.repro)
        seconds = "".join(f"{row[name]:10.1f} s" for name in ("aggregate", "preprocess", "together"))
        no_op = f"{row['no_op']:10.1f} s" if arguments.repro else f"{'-':>12}"
        rate = row["files"] / row["together"]
        print(f"{row['files']:12,}{seconds}{rate:12.0f}{row['cpu']:10.1f} s{row['peak_mib']:12.0f}{no_op}", flush=True)


def measure(project: Path, count: int, source: Path | None, workers: int, repro: bool) -> dict[str, float]:
    """One row of the table: seconds of each stage, peak memory in MiB, and the number of files that went in."""
    if source is None:
        from kickpipe.synth import write_library

        source = project / "data" / "source"
        write_library(source, count, SEED, num_workers=workers)
    copy_project(project, source.resolve())
    environment = {**os.environ, "KICKPIPE_WORKERS": str(workers), "PYTHONPATH": str(project)}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # dvc runs "python"
    peaks, cpu, row = [], 0.0, {}
    for stage in ("aggregate", "preprocess"):
        command = [sys.executable, "-c", MEASURE, sys.executable, "-m", f"stages.{stage}"]
        output = subprocess.run(
            command, cwd=project, env=environment, check=True, capture_output=True, text=True
        ).stdout
        measured = json.loads(output.splitlines()[-1])
        row[stage] = measured["seconds"]
        cpu += measured["cpu"]
        peaks.append(measured["peak_kib"] / 1024)
    row["together"] = row["aggregate"] + row["preprocess"]
    row["cpu"] = cpu
    row["peak_mib"] = max(peaks)
    row["files"] = json.loads((project / "metrics" / "aggregate.json").read_text(encoding="utf-8"))["kicks"]
    if repro:
        row["no_op"] = time_no_op(project, environment)
    return row


def copy_project(project: Path, source: Path) -> None:
    """Copies what the two stages need, with ``aggregate.source_dir`` set."""
    for name in ("kickpipe", "stages"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dvc.yaml", project)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["aggregate"]["source_dir"] = source.as_posix()
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def time_no_op(project: Path, environment: dict[str, str]) -> float:
    """Seconds of a ``dvc repro preprocess`` with nothing to do."""
    dvc = [sys.executable, "-m", "dvc"]
    quiet = {"cwd": project, "env": environment, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*dvc, "init", "--no-scm", "-q"], **quiet)
    subprocess.run([*dvc, "commit", "-q", "--force", "--with-deps", "preprocess"], **quiet)  # as if DVC had run them
    start = time.perf_counter()
    output = subprocess.run([*dvc, "repro", "preprocess"], **quiet | {"stdout": subprocess.PIPE}, text=True).stdout
    seconds = time.perf_counter() - start
    if "Running stage" in output:
        raise RuntimeError(f"dvc repro was to find nothing to do, but said:\n{output}")
    return seconds


if __name__ == "__main__":
    main()
