import subprocess
import sys
from pathlib import Path

import pytest

from kickpipe.common.sources import WITHOUT_NUMBERS, imported_sources, source_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A small package, and stages that import from it in every way."""
    files = {
        "stages/__init__.py": "",
        "stages/direct.py": "import kickpipe.a\nfrom kickpipe import b\n",
        "stages/late.py": "def main():\n    from kickpipe.c import thing\n",
        "stages/outside.py": "import os\nimport kickpipes\nfrom numpy import array\n",
        "stages/messages.py": "from kickpipe.common.progress import progress\n",
        "kickpipe/__init__.py": "",
        "kickpipe/a.py": "from kickpipe.package.inner import x\n",
        "kickpipe/b.py": "import kickpipe.a\n",
        "kickpipe/c.py": "from kickpipe.d import *\n",
        "kickpipe/d.py": "import kickpipe.c\n",
        "kickpipe/common/progress.py": "import kickpipe.d\n",
        "kickpipe/package/__init__.py": "from kickpipe.package.inner import x\n",
        "kickpipe/package/inner.py": "x = 1\n",
        "kickpipe/package/unused.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def sources(project, module):
    return [path.as_posix() for path in imported_sources(module, project)]


def test_imports_are_followed_and_the_module_itself_comes_first(project):
    assert sources(project, "stages.direct") == [
        "stages/direct.py",
        "kickpipe/a.py",
        "kickpipe/b.py",
        "kickpipe/package/inner.py",
    ]


def test_imports_inside_functions_count_and_circles_end(project):
    assert sources(project, "stages.late") == ["stages/late.py", "kickpipe/c.py", "kickpipe/d.py"]


def test_packages_of_others_do_not_count(project):
    assert sources(project, "stages.outside") == ["stages/outside.py"]


def test_modules_that_change_no_number_are_left_out_with_what_only_they_import(project):
    assert sources(project, "stages.messages") == ["stages/messages.py"]


def test_names_that_are_no_modules_have_no_file(project):
    assert source_of("kickpipe.a.function", project) is None
    assert source_of("kickpipe.package", project) == Path("kickpipe/package/__init__.py")


def test_everything_that_is_left_out_exists():
    missing = [name for name in WITHOUT_NUMBERS if source_of(name, ROOT) is None]
    assert not missing


def test_nothing_that_a_stage_loads_escapes(monkeypatch):
    code = "import sys, stages.train_vae; print(*(n for n in sys.modules if n.split('.')[0] in ('kickpipe', 'stages')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {source_of(name, ROOT) for name in done.stdout.split()}
    monkeypatch.setattr("kickpipe.common.sources.WITHOUT_NUMBERS", frozenset())
    followed = set(imported_sources("stages.train_vae", ROOT))
    assert {path for path in loaded if path.name != "__init__.py"} <= followed
