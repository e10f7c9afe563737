"""One version of a program: its modules, what their statements do, and where a name leads."""

__all__ = [
    "DECORATORS",
    "FUNCTIONS",
    "Module",
    "Program",
    "Reference",
    "Target",
    "called",
    "imported",
    "is_type_checking",
]

import ast
import builtins
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import PurePosixPath

# Calls without effects: a constant made by them need not be compared where nothing reads it
PURE = frozenset(dir(builtins)) - {
    "exec",
    "eval",
    "compile",
    "open",
    "print",
    "input",
    "__import__",
    "setattr",
    "delattr",
}
# Decorators that neither register what they decorate nor look at its annotations
DECORATORS = frozenset(
    {
        "abc.abstractmethod",
        "classmethod",
        "contextlib.contextmanager",
        "dataclasses.dataclass",
        "functools.cache",
        "functools.cached_property",
        "functools.lru_cache",
        "functools.wraps",
        "property",
        "staticmethod",
        "torch.inference_mode",
        "torch.no_grad",
        "typing.final",
        "typing.overload",
        "typing.override",
        "typing.runtime_checkable",
    }
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Target = tuple[str, str | None]  # module, and the name in it; None for the module itself


@dataclass
class Module:
    """A module, sorted by what its statements do.

    Arguments:
        name: Dotted.
        path: Relative to the root.
        definitions: The statements that bind each name, in order.
        imports: What each imported name stands for.
        effects: Statements that run on import and are no definitions.
        entry: Statements that run where the module is the program.
    """

    name: str
    path: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Target] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)
    entry: list[ast.stmt] = field(default_factory=list)

    @property
    def package(self) -> str:
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Reference:
    """A definition of the program, or a module of it where ``name`` is None."""

    module: str
    name: str | None


class Program:
    """One version of a program.

    Arguments:
        read: Text of a file by its path relative to the root, or None where there is no such file.
        counted: Paths of the modules that count; of the others, only that they are called is compared.
    """

    def __init__(self, read: Callable[[str], str | None], counted: Collection[str]) -> None:
        self.read = read
        self.counted = frozenset(counted)
        self.modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """A module of this program by its dotted name, or None."""
        if name not in self.modules:
            self.modules[name] = None
            base = name.replace(".", "/")
            for path in (f"{base}.py", f"{base}/__init__.py"):
                text = self.read(path) if name else None
                if text is not None:
                    self.modules[name] = module = Module(name, path)
                    sort_statements(ast.parse(text, path).body, module, ())
                    break
        return self.modules[name]

    def counts(self, name: str) -> bool:
        module = self.module(name)
        return module is not None and module.path in self.counted

    def own_module(self, path: str) -> Module:
        parts = PurePosixPath(path).with_suffix("").parts
        module = self.module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        assert module is not None, path
        return module

    def follow(
        self, module: str, parts: list[str], seen: frozenset[Target] = frozenset()
    ) -> tuple[Reference, list[str]] | None:
        """What ``module.parts[0].parts[1]...`` stands for, and the attributes of it that remain; None outside the program."""
        found = self.module(module)
        if found is None or (module, parts[0] if parts else None) in seen:
            return None
        if not parts:
            return Reference(module, None), []
        first, *rest = parts
        if first in found.definitions:
            return Reference(module, first), rest
        if first in found.imports:
            target, name = found.imports[first]
            return self.follow(target, [name, *rest] if name else rest, seen | {(module, first)})
        if self.module(f"{module}.{first}"):
            return self.follow(f"{module}.{first}", rest, seen)
        return Reference(module, first), rest

    def packages(self) -> set[str]:
        """Packages of others that the modules import; Python's own change no number."""
        roots = set()
        for path in self.counted:
            module = self.own_module(path)
            roots |= {target.partition(".")[0] for target, _ in module.imports.values() if not self.module(target)}
        return roots - sys.stdlib_module_names


def sort_statements(body: list[ast.stmt], module: Module, within: tuple[ast.stmt, ...]) -> None:
    """Sorts statements into ``module``.

    Arguments:
        within: The statement of the module around them, an ``if`` or ``try``: the names that they bind lead to it.
    """
    for statement in body:
        whole = within[0] if within else statement
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module.imports.update(imported(statement, module))
        elif isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            module.definitions.setdefault(statement.name, []).append(whole)
            if not within and any(called(d, module) not in DECORATORS for d in statement.decorator_list):
                module.effects.append(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and (names := assigned(statement)):
            if names == ["__all__"]:
                continue
            for name in names:
                module.definitions.setdefault(name, []).append(whole)
            calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
            if not within and any(called(call, module) not in PURE for call in calls):
                module.effects.append(statement)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        elif isinstance(statement, ast.If) and is_type_checking(statement.test):
            for inner in statement.body:
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    module.imports.update(imported(inner, module))
        elif isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'" and not within:
            module.entry += statement.body
        else:
            if not within:
                module.effects.append(statement)
            for block in ("body", "orelse", "finalbody"):
                sort_statements(getattr(statement, block, []), module, (whole,))
            for handler in getattr(statement, "handlers", []):
                sort_statements(handler.body, module, (whole,))


def imported(statement: ast.Import | ast.ImportFrom, module: Module) -> dict[str, Target]:
    """Names that an import binds, and what they stand for."""
    if isinstance(statement, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: (
                alias.name if alias.asname else alias.name.partition(".")[0],
                None,
            )
            for alias in statement.names
        }
    base = statement.module or ""
    if statement.level:
        parts = module.package.split(".")
        base = ".".join(parts[: len(parts) - statement.level + 1] + ([base] if base else []))
    if any(alias.name == "*" for alias in statement.names):
        raise ValueError(
            f"{module.path}:{statement.lineno}: names imported by * cannot be followed; import them one by one"
        )
    return {alias.asname or alias.name: (base, alias.name) for alias in statement.names}


def assigned(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str]:
    """Names that an assignment binds; empty where it also changes something else, such as an attribute."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    leaves = [leaf for target in targets for leaf in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return (
        [leaf.id for leaf in leaves if isinstance(leaf, ast.Name)]
        if all(isinstance(x, ast.Name) for x in leaves)
        else []
    )


def called(node: ast.expr, module: Module) -> str:
    """Full dotted name of a decorator or of what is called, as far as imports tell."""
    while isinstance(node, ast.Call):
        node = node.func
    root, dot, rest = ast.unparse(node).partition(".")
    if root in module.imports:
        target, name = module.imports[root]
        root = f"{target}.{name}" if name else target
    return root + dot + rest


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
