"""A definition in a form that depends on nothing but what it does, and the definitions that it leads to."""

__all__ = ["Canonical", "canonical"]

import ast
import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

from scripts.same_code.program import (
    DECORATORS,
    Module,
    Program,
    Reference,
    Target,
    called,
    imported,
    is_type_checking,
)

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
TUPLES = frozenset({"typing.NamedTuple"})
KEEPS_ANNOTATIONS = " "  # no name; marks a class whose annotations mean something: pydantic converts by them


@dataclass(frozen=True)
class Canonical:
    """A definition in a form that does not depend on where it is, and what it leads to, in order of appearance."""

    text: str
    references: tuple[Reference, ...]

    @property
    def key(self) -> tuple[str, int]:
        """Equal for two that differ in nothing but, perhaps, in what they lead to."""
        return self.text, len(self.references)


def canonical(program: Program, module: Module, statements: Iterable[ast.stmt]) -> Canonical:
    """Normalises statements of a module."""
    form = Normaliser(program, module)
    body = form.visit_body(copy.deepcopy(list(statements)))
    tree = ast.fix_missing_locations(ast.Module(body=body or [ast.Pass()], type_ignores=[]))
    return Canonical(ast.unparse(tree), tuple(form.references))


@dataclass
class Scope:
    """Names bound in a function, class, lambda or comprehension; imports in it stand for something else."""

    bound: set[str]
    imports: dict[str, Target] = field(default_factory=dict)
    is_class: bool = False


def names_bound(nodes: Iterable[ast.AST], module: Module) -> Scope:
    """What a block binds, without the blocks inside it that have a scope of their own."""
    scope = Scope(set())
    outer: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Import() | ast.ImportFrom():
                scope.imports.update(imported(node, module))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.bound.add(node.name)
                continue
            case ast.Global() | ast.Nonlocal():
                outer.update(node.names)
            case ast.Name(ctx=ast.Store() | ast.Del()):
                scope.bound.add(node.id)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                scope.bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                scope.bound.add(name)
            case ast.Lambda():
                continue
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                scope.bound |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
                continue
        waiting.extend(ast.iter_child_nodes(node))
    scope.bound -= outer
    return scope


def arguments_of(arguments: ast.arguments) -> set[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument}


class Normaliser(ast.NodeTransformer):
    """Rewrites a definition so that its text depends on nothing but what it does; collects what it leads to."""

    def __init__(self, program: Program, module: Module) -> None:
        self.program = program
        self.module = module
        self.scopes: list[Scope] = []
        self.references: list[Reference] = []

    # Names

    def target_of(self, name: str) -> Target | None:
        """What a name stands for here: a target, or None for a local or built-in one."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.is_class and depth:
                continue
            if name in scope.imports:
                return scope.imports[name]
            if name in scope.bound:
                return None
        if name in self.module.definitions:
            return self.module.name, name
        return self.module.imports.get(name)

    def refer(self, root: str, attributes: list[str]) -> ast.expr | None:
        target = self.target_of(root)
        if target is None:
            return None
        module, name = target
        parts = ([name] if name else []) + attributes
        followed = self.program.follow(module, parts)
        if followed is None:
            return dotted([*module.split("."), *parts])
        reference, rest = followed
        self.references.append(reference)
        return dotted([reference.name or "MODULE", *rest])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return (self.refer(node.id, []) if isinstance(node.ctx, ast.Load) else None) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        attributes: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            attributes.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and (found := self.refer(inner.id, attributes)):
            return found
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        value = node.value
        if (
            isinstance(value, str)
            and "." in value
            and value.replace(".", "_").isidentifier()
            and self.program.counts(value)
        ):
            self.references.append(Reference(value, None))
            return ast.Constant("MODULE")
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return node.args[1] if ast.unparse(node.func) == "typing.cast" and len(node.args) == 2 else node

    # Statements

    def visit_body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in body:
            found = self.visit(statement)
            result += found if isinstance(found, list) else [found] if found else []
        return result

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and not body:  # only docstrings or imports were in it
            body.append(ast.Pass())
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        self.generic_visit(node)
        return node

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        """An import of the program's own is followed where its names are used; that of another package stays."""
        names = [
            (module, name) for module, name in imported(node, self.module).values() if not self.program.module(module)
        ]
        if isinstance(node, ast.Import):
            names = [(alias.name, None) for alias in node.names if not self.program.module(alias.name)]
        return [ast.Import([ast.alias(f"{module}.{name}" if name else module)]) for module, name in names]

    visit_ImportFrom = visit_Import

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        if self.scopes and self.scopes[-1].is_class:
            if self.scopes[-1].bound.isdisjoint({KEEPS_ANNOTATIONS}) and not is_class_variable(node.annotation):
                node.annotation = ast.Constant(...)
            self.generic_visit(node)
            return node
        if node.value is None:
            return None
        return self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        if is_type_checking(node.test):
            return self.visit_body(node.orelse)
        self.generic_visit(node)
        return node

    # Scopes

    def visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        plain = all(called(d, self.module) in DECORATORS or is_setter(d) for d in node.decorator_list)
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.args = self.visit_arguments(node.args, plain)
        node.returns = None if plain or node.returns is None else self.visit(node.returns)
        scope = names_bound(node.body, self.module)
        scope.bound |= arguments_of(node.args)
        self.scopes.append(scope)
        node.body = self.visit_body(node.body) or [ast.Pass()]
        self.scopes.pop()
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_function

    def visit_arguments(self, node: ast.arguments, plain: bool = True) -> ast.arguments:
        def bare(argument: ast.arg) -> ast.arg:
            return ast.arg(argument.arg, None if plain or not argument.annotation else self.visit(argument.annotation))

        return ast.arguments(
            [bare(a) for a in node.posonlyargs],
            [bare(a) for a in node.args],
            node.vararg and bare(node.vararg),
            [bare(a) for a in node.kwonlyargs],
            [default and self.visit(default) for default in node.kw_defaults],
            node.kwarg and bare(node.kwarg),
            [self.visit(default) for default in node.defaults],
        )

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        arguments = self.visit_arguments(node.args)
        self.scopes.append(Scope(arguments_of(node.args)))
        body = self.visit(node.body)
        self.scopes.pop()
        return ast.Lambda(arguments, body)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        bases = {called(base, self.module) for base in node.bases}
        decorators = {called(decorator, self.module) for decorator in node.decorator_list}
        node.bases = [self.visit(base) for base in node.bases]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        scope = names_bound(node.body, self.module)
        scope.is_class = True
        if "dataclasses.dataclass" not in decorators and not bases & TUPLES:
            scope.bound.add(KEEPS_ANNOTATIONS)
        self.scopes.append(scope)
        node.body = self.visit_body(node.body) or [ast.Pass()]
        self.scopes.pop()
        return node

    def visit_comprehension_of(self, node: Comprehension) -> ast.expr:
        first, *rest = node.generators
        first_iter = self.visit(first.iter)  # runs in the scope around it
        self.scopes.append(names_bound([g.target for g in node.generators], self.module))
        fields = {name: self.visit(getattr(node, name)) for name in node._fields if name != "generators"}
        generators = [
            ast.comprehension(
                self.visit(g.target),
                first_iter if g is first else self.visit(g.iter),
                [self.visit(condition) for condition in g.ifs],
                g.is_async,
            )
            for g in [first, *rest]
        ]
        self.scopes.pop()
        return type(node)(**fields, generators=generators)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of


def is_class_variable(annotation: ast.expr) -> bool:
    """Annotations that a dataclass looks at."""
    text = ast.unparse(annotation)
    return any(word in text for word in ("ClassVar", "InitVar", "KW_ONLY"))


def is_setter(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Attribute) and decorator.attr in {"setter", "deleter"}


def dotted(parts: list[str]) -> ast.expr:
    node: ast.expr = ast.Name(parts[0], ast.Load())
    for part in parts[1:]:
        node = ast.Attribute(node, part, ast.Load())
    return node
