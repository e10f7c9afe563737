"""dvc.lock after changes of code: what is taken over as it is, what after a proof, and what not at all.

A toy of two stages under real Git and DVC: ``repeat`` writes its numbers several times over, ``total`` adds them up.
"""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from dvc_projects import commit, dvc, git

from scripts.relock import relock
from scripts.trial import Experiment

FILES = {
    "params.yaml": "repeat:\n  source: data/source\n  times: 500\n  factor: 3\n  small: 0.00001\n",
    "dvc.yaml": """\
stages:
  repeat:
    cmd: python -m stages.repeat
    deps:
      - ${repeat.source}
      - stages/repeat.py
      - p/numbers.py
    params:
      - repeat
    outs:
      - data/numbers:
          cache: false
  total:
    cmd: python -m stages.total
    deps:
      - data/numbers
      - stages/total.py
      - p/numbers.py
    outs:
      - total.json:
          cache: false
metrics:
  - total.json
""",
    "stages/__init__.py": "",
    "stages/repeat.py": """\
import yaml

from p.numbers import read, write


def main():
    params = yaml.safe_load(open("params.yaml"))["repeat"]
    numbers = [params["factor"] * n for n in read(params["source"] + "/in.txt")]
    write("data/numbers/out.txt", numbers * params["times"])


main()
""",
    "stages/total.py": """\
import json
from pathlib import Path

from p.numbers import read


def main():
    numbers = read("data/numbers/out.txt")
    measures = {"total": sum(numbers), "mean": round(sum(numbers) / len(numbers), 5)}
    Path("total.json").write_text(json.dumps(measures))


main()
""",
    "p/__init__.py": "",
    "p/numbers.py": """\
from pathlib import Path


def read(path):
    return [int(line) for line in Path(path).read_text().split()]


def write(path, numbers):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(" ".join(map(str, numbers)))
""",
    ".gitignore": "/data/\n__pycache__/\n",
}


def write_source(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "in.txt").write_text("1 -2 7")


TINY = Experiment(write_source, "repeat.source", {"repeat.times": 2})


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The toy after ``dvc repro``, committed."""
    project = tmp_path_factory.mktemp("toy") / "project"
    for name, text in FILES.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_source(project / "data" / "source")
    git(project, "init", "--quiet")
    dvc(project, "init", "--quiet")
    dvc(project, "repro", "--quiet")
    commit(project, ".")
    return project


@pytest.fixture
def project(trained, tmp_path) -> Path:
    """A clone in which nothing that the stages read or write is there."""
    git(tmp_path, "clone", "--quiet", trained, "project")
    return tmp_path / "project"


def edit(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text(encoding="utf-8")
    assert old in text
    (project / name).write_text(text.replace(old, new), encoding="utf-8")


def move(project: Path, old: str, new: str) -> None:
    (project / new).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(project / old, project / new)


def kept(project: Path) -> dict[str, str]:
    return {name: (project / name).read_text(encoding="utf-8") for name in ("dvc.lock", "dvc.yaml")}


def verdicts(results) -> dict[str, str]:
    return {r.stage: "fresh" if r.fresh else "equal" if r.equal else "different" for r in results}


def nothing_runs(trained: Path, project: Path) -> bool:
    """Whether DVC, given the data of the toy, has nothing to do."""
    shutil.copytree(trained / "data", project / "data")
    return "up to date" in dvc(project, "status") and "Running" not in dvc(project, "repro", "--dry")


def test_a_lock_that_is_up_to_date_stays_as_it_is(project):
    before = kept(project)
    assert verdicts(relock(project, experiment=TINY)) == {"repeat": "fresh", "total": "fresh"}
    assert kept(project) == before


def test_moved_and_commented_modules_are_taken_over_and_nothing_runs_again(project, trained):
    move(project, "p/numbers.py", "p/files/text.py")
    (project / "p" / "files" / "__init__.py").touch()
    edit(project, "p/files/text.py", "def read", "# numbers between blanks\ndef read")
    for stage in ("repeat", "total"):
        edit(project, f"stages/{stage}.py", "p.numbers", "p.files.text")
    assert verdicts(relock(project)) == {"repeat": "equal", "total": "equal"}
    dag = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert dag["total"]["deps"] == ["data/numbers", "stages/total.py", "p/files/text.py"]
    assert "p/numbers.py" not in kept(project)["dvc.lock"]
    assert nothing_runs(trained, project)


def test_another_computation_is_named_and_changes_nothing(project):
    edit(project, "p/numbers.py", "[int(line)", "[int(line) + 1")
    before = kept(project)
    results = relock(project)
    assert verdicts(results) == {"repeat": "different", "total": "different"}
    assert "p/numbers.py: read" in str(results[0])
    assert "+    return [int(line) + 1 for line in pathlib.Path(path).read_text().split()]" in str(results[0])
    assert kept(project) == before


def test_only_the_stages_that_the_change_reaches_are_stale(project):
    edit(project, "p/numbers.py", '" ".join', "' \\n'.join")
    assert verdicts(relock(project)) == {"repeat": "different", "total": "equal"}


def test_a_refactoring_is_taken_over_after_a_proof(project, trained):
    edit(
        project,
        "p/numbers.py",
        "return [int(line) for line in Path(path).read_text().split()]",
        "return list(map(int, open(path).read().split()))",
    )
    assert verdicts(relock(project)) == {"repeat": "different", "total": "different"}
    results = relock(project, experiment=TINY)
    assert verdicts(results) == {"repeat": "equal", "total": "equal"}
    assert "proved" in str(results[0])
    assert git(project, "worktree", "list").count("\n") == 1
    assert git(project, "status", "--short").split() == ["M", "dvc.lock", "M", "p/numbers.py"]
    assert nothing_runs(trained, project)


def test_a_proof_that_fails_changes_nothing_and_names_the_output(project):
    edit(project, "stages/repeat.py", 'params["factor"] * n', 'abs(params["factor"] * n)')
    before = kept(project)
    results = relock(project, experiment=TINY)
    assert verdicts(results) == {"repeat": "different", "total": "fresh"}
    assert "data/numbers/out.txt: other bytes" in str(results[0])
    assert "dvc repro repeat" in str(results[0])
    assert kept(project) == before


def test_a_version_that_fails_is_no_proof_and_its_message_is_shown(project):
    edit(project, "stages/total.py", '"total": sum', '"total": 1 / 0 + sum')
    results = relock(project, experiment=TINY)
    assert verdicts(results) == {"repeat": "fresh", "total": "different"}
    assert "ZeroDivisionError" in str(results[1])


def test_check_and_no_write_write_nothing(project):
    edit(project, "p/numbers.py", "def read", "# a comment\ndef read")
    before = kept(project)
    assert verdicts(relock(project, write=False)) == {"repeat": "equal", "total": "equal"}
    assert kept(project) == before


def test_renamed_and_regrouped_params_are_taken_over_after_a_proof(project, trained):
    params = {"repeat": {"source": "data/source", "list": {"factor": 3, "times": 500}}}
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    edit(project, "stages/repeat.py", 'params["factor"]', 'params["list"]["factor"]')
    edit(project, "stages/repeat.py", 'params["times"]', 'params["list"]["times"]')
    assert verdicts(relock(project))["repeat"] == "different"
    assert "has another name" in str(relock(project, experiment=TINY)[0])
    renamed = Experiment(write_source, "repeat.source", {"repeat.list.times": 2}, {"repeat.list.times": "repeat.times"})
    results = relock(project, experiment=renamed)
    assert verdicts(results) == {"repeat": "equal", "total": "fresh"}
    commit(project, ".")
    edit(project, "stages/repeat.py", "for n in read", "for n in 1 * read")
    assert verdicts(relock(project, experiment=renamed))["repeat"] == "equal"  # both versions have the new name now
    assert nothing_runs(trained, project)


def test_a_renamed_param_may_not_have_another_value(project):
    edit(project, "params.yaml", "times: 500", "number: 501")
    edit(project, "stages/repeat.py", 'params["times"]', 'params["number"]')
    renamed = Experiment(write_source, "repeat.source", {"repeat.number": 2}, {"repeat.number": "repeat.times"})
    results = relock(project, experiment=renamed)
    assert verdicts(results)["repeat"] == "different"
    assert "repeat.number was 500, is 501" in str(results[0])


def test_a_param_with_another_value_is_no_matter_of_code(project):
    edit(project, "params.yaml", "factor: 3", "factor: 4")
    results = relock(project, experiment=TINY)
    assert verdicts(results)["repeat"] == "different"
    assert "param repeat.factor was 3, is 4\n  the stage has to be run" in str(results[0])


def test_other_inputs_and_outputs_have_to_be_run(project):
    edit(project, "dvc.yaml", "      - data/numbers\n", "      - data/numbers\n      - README\n")
    results = relock(project, experiment=TINY)
    assert verdicts(results) == {"repeat": "fresh", "total": "different"}
    assert "deps of dvc.yaml that dvc.lock lacks: README" in str(results[1])


def test_files_that_were_never_committed_cannot_be_compared(project):
    lock = yaml.safe_load((project / "dvc.lock").read_text(encoding="utf-8"))
    lock["stages"]["total"]["deps"][-1]["md5"] = "0" * 32
    (project / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    assert "no commit has all the files" in str(relock(project, ["total"])[0])


def test_the_commit_is_found_however_many_came_after_it(project):
    for n in range(3):
        edit(project, "p/numbers.py", "def read", f"# comment {n}\ndef read")
        commit(project, ".")
    assert verdicts(relock(project)) == {"repeat": "equal", "total": "equal"}


def test_a_proof_can_follow_a_proof(project):
    for old, new in (
        ('" ".join(map(str, numbers))', '" ".join([str(n) for n in numbers])'),
        ("[str(n) for", "[f'{n}' for"),
    ):
        edit(project, "p/numbers.py", old, new)
        assert verdicts(relock(project, experiment=TINY)) == {"repeat": "equal", "total": "equal"}
        commit(project, ".")
        assert verdicts(relock(project)) == {"repeat": "fresh", "total": "fresh"}


OLD_METRICS = '{"total": sum(numbers), "mean": round(sum(numbers) / len(numbers), 5)}'
NEW_METRICS = '{"average": round(sum(numbers) / len(numbers), 1)}'


def rearrange(project: Path, released: dict, more: dict | None = None) -> list:
    """Leaves the total out, rounds the mean and renames it, in code and in the file that Git has; adds a file if asked."""
    edit(project, "stages/total.py", OLD_METRICS, NEW_METRICS)
    (project / "total.json").write_text(json.dumps(released), encoding="utf-8")
    if more is not None:
        line = 'Path("total.json").write_text(json.dumps(measures))'
        extra = 'Path("more.json").write_text(json.dumps({"sum": sum(numbers)}))'
        edit(project, "stages/total.py", line, f"{line}\n    {extra}")
        option = "          cache: false\n"
        edit(project, "dvc.yaml", f"- total.json:\n{option}", f"- total.json:\n{option}      - more.json:\n{option}")
        (project / "more.json").write_text(json.dumps(more), encoding="utf-8")
    return relock(project, ["total"], experiment=TINY)


@pytest.mark.parametrize("more", [None, {"sum": 9000}])
def test_metrics_may_be_rearranged_where_those_of_the_release_are_so_too(project, trained, more):
    (result,) = rearrange(project, {"average": 6.0}, more)
    assert result.equal, str(result)
    assert "total.json: the same numbers rearranged" in str(result)
    assert nothing_runs(trained, project)


@pytest.mark.parametrize(
    ("released", "more"),
    [
        ({"average": 6.1}, None),
        ({"average": 9000}, None),
        ({"average": 6.0, "total": 9000}, None),
        ({}, None),
        ({"average": 6.0}, {"sum": 9001}),
        ({"average": 6.0}, {"sum": 6.0}),
    ],
)
def test_metrics_of_the_release_that_were_rearranged_in_another_way_are_refused(project, released, more):
    before = kept(project)["dvc.lock"]
    (result,) = rearrange(project, released, more)
    assert not result.equal
    assert "numbers in the metrics that were in none" in str(result)
    assert kept(project)["dvc.lock"] == before


def test_a_number_that_the_stage_did_not_write_before_has_to_be_run(project):
    edit(project, "stages/total.py", OLD_METRICS, '{"total": sum(numbers), "most": max(numbers)}')
    (project / "total.json").write_text(json.dumps({"total": 9000, "most": 21}), encoding="utf-8")
    (result,) = relock(project, ["total"], experiment=TINY)
    assert not result.equal
    assert "total.json: most" in str(result)


def test_a_stage_is_proved_where_one_before_it_has_other_params_now(project, trained):
    """As after an early stage has been run again and wrote the same data."""
    params = {"repeat": {"source": "data/source", "factor": 3, "number": 500}}
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    edit(project, "stages/repeat.py", 'params["times"]', 'params["number"]')
    shutil.copytree(trained / "data", project / "data")
    dvc(project, "repro", "--single-item", "--quiet", "repeat")
    edit(project, "stages/total.py", "sum(numbers) / len", "sum(numbers[:]) / len")
    renamed = Experiment(write_source, "repeat.source", {"repeat.number": 2}, {"repeat.number": "repeat.times"})
    assert verdicts(relock(project, experiment=renamed)) == {"repeat": "fresh", "total": "equal"}


def test_an_unknown_stage_is_refused(project):
    with pytest.raises(SystemExit, match=r"no stage 'rpeat'; dvc\.lock has repeat, total"):
        relock(project, ["rpeat"])
    assert json.loads((project / "total.json").read_text()) == {"total": 9000, "mean": 6.0}
