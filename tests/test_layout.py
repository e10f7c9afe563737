"""The house: which room may know which, and how large files and signatures may be.

A room is a package of ``kickpipe`` or a module beside them. It may import rooms on lower floors only, so there are no
circles between rooms, and what stands low can be used and tested alone. Inside a room modules form no circle either.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the top down. The studio is the web application.
FLOORS = (
    {"stages", "kickpipe.cli", "kickpipe.studio"},
    {"kickpipe.evaluation"},
    {"kickpipe.generate", "kickpipe.training", "kickpipe.release"},
    {"kickpipe.data", "kickpipe.synth", "kickpipe.checkpoints", "kickpipe.params"},
    {"kickpipe.audio"},
    {"kickpipe.models", "kickpipe.diffusion", "kickpipe.common"},
    {"kickpipe"},  # the version
)
MAX_LINES = 300
MAX_PARAMETERS = 10


@cache
def modules() -> dict[str, Path]:
    """Every module of the package and of the stages, by its dotted name."""
    found = {}
    for path in sorted([*(ROOT / "kickpipe").rglob("*.py"), *(ROOT / "stages").rglob("*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: str) -> set[str]:
    """Modules of ours that a module imports when it runs, at its top or in a function; not what only a type checker reads."""
    found = set()
    for node in running(tree(modules()[module])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are written with the whole name here"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in modules() else str(node.module))
    return {name for name in found if name in modules()} - {module}


def running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from running(child)


def room(module: str) -> str:
    if module == "kickpipe.__main__":
        return "kickpipe.cli"
    parts = module.split(".")
    return parts[0] if parts[0] == "stages" else ".".join(parts[:2])


def floor(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room(module) in rooms)


def test_every_room_has_its_floor():
    rooms = [name for rooms in FLOORS for name in rooms]
    assert len(rooms) == len(set(rooms))
    assert {room(module) for module in modules()} <= set(rooms)
    assert set(rooms) - {room(module) for module in modules()} <= {"kickpipe.studio"}


def test_arrows_between_rooms_go_down():
    arrows = [(one, other) for one in modules() for other in imports(one) if room(one) != room(other)]
    assert len(arrows) > 100
    assert [f"{one} -> {other}" for one, other in arrows if floor(one) >= floor(other)] == []


def test_modules_form_no_circle():
    left = {module: imports(module) for module in modules()}
    for package in list(left):  # a package that passes names on is not imported by what it is made of
        left[package] -= {name for name in left[package] if package.startswith(f"{name}.")}
    while free := [module for module, targets in left.items() if not targets & left.keys()]:
        for module in free:
            del left[module]
    assert left == {}


def test_only_the_top_floor_knows_the_params():
    readers = {module for module in modules() if "kickpipe.params" in imports(module)}
    assert readers
    assert {module for module in readers if floor(module) > 0} == set()


def test_files_are_short():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*modules().values(), *(ROOT / "scripts").rglob("*.py")]
    }
    assert {path for path, length in lengths.items() if length > MAX_LINES} == set()


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def test_signatures_are_short():
    long = set()
    for path in modules().values():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(parameters(node)) > MAX_PARAMETERS:
                long.add(f"{path.relative_to(ROOT).as_posix()}: {node.name}")
    assert long == set()


@pytest.mark.parametrize("name", ["kickpipe", "kickpipe.generate", "kickpipe.cli"])
def test_a_module_is_found_under_its_name(name):
    assert name in modules()
