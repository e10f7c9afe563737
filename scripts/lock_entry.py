"""A stage's entry in dvc.lock beside its section of dvc.yaml: what differs, what may be taken over, and taking it over."""

__all__ = ["changed_params", "is_file_of", "matches", "outside_the_code", "paths", "rearranged", "rewrite"]

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.trial import flatten, paths

COMPARED = {"deps": ".py", "outs": ".json"}  # what is compared by what it holds; other files have to be the same ones


def outside_the_code(root: Path, entry: dict[str, Any], stage: dict[str, Any]) -> Iterator[str]:
    """What of dvc.yaml no comparison of code can take over."""
    if entry["cmd"] != stage["cmd"]:
        yield f"cmd was {entry['cmd']}, is {stage['cmd']}"
    params = YAML(typ="safe").load(root / "params.yaml")
    for kind in ("deps", "outs"):
        locked = {item["path"] for item in entry.get(kind, ()) if not item["path"].endswith(COMPARED[kind])}
        declared = {interpolate(path, params) for path in paths(stage, kind) if not path.endswith(COMPARED[kind])}
        yield from (f"{kind} of dvc.lock that dvc.yaml lacks: {path}" for path in sorted(locked - declared))
        yield from (f"{kind} of dvc.yaml that dvc.lock lacks: {path}" for path in sorted(declared - locked))


def interpolate(name: str, params: dict[str, Any]) -> str:
    """``${section.name}`` as DVC reads it."""
    if name.startswith("${") and name.endswith("}"):
        value: Any = params
        for part in name[2:-1].split("."):
            value = value[part]
        return str(value)
    return name


def changed_params(root: Path, entry: dict[str, Any], stage: dict[str, Any]) -> Iterator[str]:
    """Params with another value than in the lock."""
    locked, today = flatten(locked_params(entry)), flatten(declared_params(root, stage))
    for name in locked:
        if name in today and locked[name] != today[name]:
            yield f"param {name} was {locked[name]}, is {today[name]}"


def rearranged(root: Path, entry: dict[str, Any], stage: dict[str, Any]) -> list[str]:
    """Params and metrics files that only the lock or only today's files have."""
    locked, today = flatten(locked_params(entry)), flatten(declared_params(root, stage))
    lines = [f"param that was: {name}: {locked[name]}" for name in locked if name not in today]
    lines += [f"param that is new: {name}: {today[name]}" for name in today if name not in locked]
    before, now = {out["path"] for out in entry["outs"]}, set(paths(stage, "outs"))
    lines += [f"metrics file that was: {path}" for path in sorted(before - now) if path.endswith(".json")]
    return lines + [f"metrics file that is new: {path}" for path in sorted(now - before) if path.endswith(".json")]


def locked_params(entry: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = entry.get("params", {}).get("params.yaml", {})
    return params


def declared_params(root: Path, stage: dict[str, Any]) -> dict[str, Any]:
    params = YAML(typ="safe").load(root / "params.yaml")
    return {section: params[section] for section in stage.get("params", ())}


def rewrite(root: Path, entry: dict[str, Any], stage: dict[str, Any], metrics: list[str]) -> None:
    """Puts today's code, params and, where there are any, metrics into a stage's entry of the lock."""
    code = [{"path": path, **hash_of(root / path)} for path in paths(stage, "deps") if path.endswith(".py")]
    deps = [dep for dep in entry["deps"] if not dep["path"].endswith(".py")]
    entry["deps"][:] = sorted([*deps, *code], key=lambda dep: dep["path"])
    today = declared_params(root, stage)
    if flatten(locked_params(entry)) != flatten(today):
        entry["params"] = {"params.yaml": today}
    if metrics:
        outs = [out for out in entry["outs"] if not out["path"].endswith(".json")]
        files = [{"path": path, **hash_of(root / path)} for path in paths(stage, "outs") if path.endswith(".json")]
        entry["outs"][:] = sorted([*outs, *files], key=lambda out: out["path"])


def hash_of(path: Path) -> dict[str, Any]:
    """What DVC writes of a file."""
    data = path.read_bytes()
    return {"hash": "md5", "md5": hashlib.md5(data).hexdigest(), "size": len(data)}


def is_file_of(path: Path, dep: dict[str, Any]) -> bool:
    return path.is_file() and matches(path.read_bytes(), dep)


def matches(data: bytes, dep: dict[str, Any]) -> bool:
    """Whether a file has the hash of a dep: of its bytes since DVC 3, with Unix line ends in entries before."""
    if "hash" not in dep:
        data = data.replace(b"\r\n", b"\n")
    return hashlib.md5(data).hexdigest() == dep["md5"]
