"""Whether two versions of a program are the same code, wherever its definitions lie and whatever its comments say.

A program is what one module runs: its own statements and, from there, each function, class and constant that a name leads to.
Two versions are compared definition by definition, side by side from the entry: a name that is imported is followed to
the definition it stands for, so a definition may move to another module, a module to another package, a package may be
split, and an import may be written in another way. What a definition itself is called may not change. Left out are
comments, docstrings, the annotations of variables, arguments and results, ``typing.cast``, and whatever nothing leads to.

Statements that run on import, other than definitions, count in every module that is imported; so do new packages of others.
A text that names a module of the program (``"kickpipe.models.vae"``, for ``importlib``) leads to all that it defines.
"""

__all__ = ["Difference", "compare"]

import difflib
from dataclasses import dataclass

from scripts.same_code.normalise import Canonical, canonical
from scripts.same_code.program import Module, Program, Reference


@dataclass(frozen=True)
class Difference:
    """Where two versions part.

    Arguments:
        old: File and definition, ``kickpipe/audio/mel.py: LogMel``.
        new: The same of today.
        lines: A unified diff of both, normalised; or what is missing, in words.
    """

    old: str
    new: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        where = self.old if self.old == self.new else f"{self.old} -> {self.new}"
        return "\n".join([where, *(f"    {line}" for line in self.lines)])


def compare(old: Program, new: Program, entry: str) -> list[Difference]:
    """Where two versions of a program part; empty if they are the same code.

    Arguments:
        entry: Dotted name of the module that is run.
    """
    comparison = Comparison(old, new)
    comparison.compare_packages()
    comparison.compare_effects(entry)
    comparison.follow()
    return sorted(set(comparison.differences), key=str)


class Comparison:
    """Two versions side by side.

    Arguments:
        old: One version.
        new: The other.
    """

    def __init__(self, old: Program, new: Program) -> None:
        self.old = old
        self.new = new
        self.differences: list[Difference] = []
        self.waiting: list[tuple[Reference, Reference]] = []

    def compare_packages(self) -> None:
        before, now = self.old.packages(), self.new.packages()
        lines = [f"-import {name}" for name in sorted(before - now)]
        lines += [f"+import {name}" for name in sorted(now - before)]
        if lines:
            self.differences.append(Difference("imports of packages", "imports of packages", tuple(lines)))

    def compare_effects(self, entry: str) -> None:
        """Pairs what runs on import by its text, whichever module it is in."""
        before, now = effects_of(self.old, entry), effects_of(self.new, entry)
        for key in sorted(before.keys() | now.keys()):
            olds, news = before.get(key, []), now.get(key, [])
            for (_, one), (_, other) in zip(olds, news, strict=False):
                self.waiting += zip(one.references, other.references, strict=True)
            for sign, rest in (("-", olds[len(news) :]), ("+", news[len(olds) :])):
                for module, form in rest:
                    where = f"{module.path}: on import"
                    lines = tuple(f"{sign}{line}" for line in form.text.splitlines())
                    self.differences.append(Difference(where, where, lines))

    def follow(self) -> None:
        """Compares the definitions that wait, then those that they lead to, until none is left."""
        seen = set()
        while self.waiting:
            pair = self.waiting.pop()
            one, other = pair
            if pair in seen or not (self.old.counts(one.module) or self.new.counts(other.module)):
                continue  # modules that are declared to change no number in both versions
            seen.add(pair)
            if one.name is None or other.name is None:
                self.compare_modules(one, other)
            else:
                self.compare_definitions(one, other)

    def compare_definitions(self, one: Reference, other: Reference) -> None:
        before, now = definition(self.old, one), definition(self.new, other)
        if before and now and before.key == now.key:
            self.waiting += zip(before.references, now.references, strict=True)
        elif before or now:
            self.differ(one, other, diff(before, now))

    def compare_modules(self, one: Reference, other: Reference) -> None:
        """Pairs all definitions of two modules, where the module itself is handed around."""
        before, now = self.old.module(one.module), self.new.module(other.module)
        if before and now and one.name is other.name is None and before.definitions.keys() == now.definitions.keys():
            self.waiting += [(Reference(one.module, n), Reference(other.module, n)) for n in sorted(now.definitions)]
        else:
            names = [sorted(module.definitions) if module else [] for module in (before, now)]
            self.differ(one, other, tuple(f"{sign}defines {', '.join(n)}" for sign, n in zip("-+", names, strict=True)))

    def differ(self, one: Reference, other: Reference, lines: tuple[str, ...]) -> None:
        self.differences.append(Difference(place(self.old, one), place(self.new, other), lines))


def effects_of(program: Program, entry: str) -> dict[tuple[str, int], list[tuple[Module, Canonical]]]:
    """Statements that run on import in all modules that count, and in the entry when it is the program; by text."""
    found: dict[tuple[str, int], list[tuple[Module, Canonical]]] = {}
    for path in sorted(program.counted):
        module = program.own_module(path)
        for statement in module.effects + (module.entry if module.name == entry else []):
            form = canonical(program, module, [statement])
            found.setdefault(form.key, []).append((module, form))
    return found


def definition(program: Program, reference: Reference) -> Canonical | None:
    module = program.module(reference.module)
    if module is None or reference.name not in module.definitions:
        return None
    return canonical(program, module, dict.fromkeys(module.definitions[reference.name]))


def place(program: Program, reference: Reference) -> str:
    module = program.module(reference.module)
    path = module.path if module else reference.module
    return f"{path}: {reference.name}" if reference.name else path


def diff(old: Canonical | None, new: Canonical | None) -> tuple[str, ...]:
    """Lines that differ; None stands for nothing."""
    before, now = (form.text.splitlines() if form else [] for form in (old, new))
    lines = list(difflib.unified_diff(before, now, n=1, lineterm=""))[2:]
    return tuple(lines) or ("a name that was local leads to a definition, or the other way round",)
