"""dvc.yaml against the code: what it declares must be what the stages read, write and import."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from kickpipe.common.sources import imported_sources
from kickpipe.params import Params

ROOT = Path(__file__).parents[1]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = list(DVC["stages"])
WITHOUT_NUMBERS = {"states"}  # sections that change no number: DVC need not rerun a stage for them


def names(items: list) -> list[str]:
    """Paths of deps or outs, with or without options."""
    return [next(iter(item)) if isinstance(item, dict) else item for item in items]


def outs(stage: str) -> dict[str, dict]:
    """Options of each output."""
    items = DVC["stages"][stage]["outs"]
    return {names([item])[0]: item[names([item])[0]] if isinstance(item, dict) else {} for item in items}


def strings_of(path: Path) -> list[str]:
    """Every text in the code of a file, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {ast.get_docstring(tree, clean=False)}
    return [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value not in docs
    ]


def sections_read(path: Path) -> set[str]:
    """Sections of the params that a stage reads: the X of ``params.X`` and ``load_params().X``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            value = node.value
            loaded = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "load_params"
            if loaded or (isinstance(value, ast.Name) and value.id == "params"):
                found.add(node.attr)
    return found & set(Params.model_fields) - WITHOUT_NUMBERS


def test_every_stage_has_its_script_and_every_script_its_stage():
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__", "entry"}
    assert scripts == set(STAGES)
    for stage in STAGES:
        assert DVC["stages"][stage]["cmd"] == f"python -m stages.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_a_stage_depends_on_is_what_it_imports(stage):
    declared = [name for name in names(DVC["stages"][stage]["deps"]) if name.endswith(".py")]
    assert declared == [path.as_posix() for path in imported_sources(f"stages.{stage}", ROOT)]


@pytest.mark.parametrize("stage", STAGES)
def test_the_params_a_stage_depends_on_are_those_it_reads(stage):
    assert set(DVC["stages"][stage]["params"]) == sections_read(ROOT / "stages" / f"{stage}.py")


def test_every_section_of_the_params_belongs_to_a_stage():
    tracked = {name for stage in STAGES for name in DVC["stages"][stage]["params"]}
    assert tracked | WITHOUT_NUMBERS == set(Params.model_fields)
    assert not tracked & WITHOUT_NUMBERS


def test_no_output_belongs_to_two_stages():
    every = [name for stage in STAGES for name in outs(stage)]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_what_stages_before_it_write(stage):
    before = {name for earlier in STAGES[: STAGES.index(stage)] for name in outs(earlier)}
    inputs = [name for name in names(DVC["stages"][stage]["deps"]) if name.startswith(("data/", "checkpoints/"))]
    assert set(inputs) <= before


@pytest.mark.parametrize("stage", STAGES)
def test_model_files_are_the_only_outputs_that_dvc_keeps_and_pushes(stage):
    for name, options in outs(stage).items():
        assert options.get("cache", True) is bool(re.fullmatch(r"checkpoints/\w+\.safetensors", name)), name


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_fails_leaves_the_outputs_of_the_one_before(stage):
    assert all(options.get("persist") is True for options in outs(stage).values())


def test_metrics_are_those_that_the_stages_write():
    written = [name for stage in STAGES for name in outs(stage) if re.fullmatch(r"metrics/\w+\.json", name)]
    assert [name for name in written if not name.endswith("_details.json")] == DVC["metrics"]


@pytest.mark.parametrize("name", DVC["metrics"])
def test_a_metrics_file_has_at_most_five_numbers_and_no_nested_ones(name):
    values = json.loads((ROOT / name).read_text(encoding="utf-8"))
    shown = {key: value for key, value in values.items() if not isinstance(value, list)}  # DVC leaves lists out
    assert 1 <= len(shown) <= 5
    assert all(isinstance(value, (int, float)) for value in shown.values()), shown


def test_curves_are_plotted():
    plotted = {name for plot in DVC["plots"] for options in plot.values() for name in options["y"]}
    assert plotted == {name for stage in STAGES for name in outs(stage) if name.startswith("plots/")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_writes_the_metrics_and_curves_it_declares(stage):
    texts = strings_of(ROOT / "stages" / f"{stage}.py")
    for name in outs(stage):
        if name.startswith(("metrics/", "plots/", "checkpoints/")):
            assert name in texts
