"""What counts as the same code, and what does not: two versions of a small program, file by file."""

import pytest

from scripts.same_code import Program, compare

FILES = {
    "stages/__init__.py": "",
    "stages/double.py": (
        "from p.tools import twice\n\ndef main():\n    print(twice(3))\n\nif __name__ == '__main__':\n    main()\n"
    ),
    "p/__init__.py": "",
    "p/tools.py": ("FACTOR = 2\n\ndef twice(x):\n    return FACTOR * x\n\ndef unused():\n    return 0\n"),
}


def program(files: dict[str, str | None], without: tuple[str, ...] = ()) -> Program:
    present = {path: text for path, text in files.items() if text is not None}
    return Program(present.get, [path for path in present if path not in without])


def differences(
    changes: dict[str, str | None], files: dict[str, str] = FILES, without: tuple[str, ...] = ()
) -> list[str]:
    """Where the program with some files changed, added or (None) removed is not what it was."""
    found = compare(program(files, without), program(files | changes, without), "stages.double")
    return [str(difference) for difference in found]


def with_tools(text: str) -> dict[str, str]:
    return {**FILES, "p/tools.py": text}


SAME = {
    "nothing": {},
    "comments and docstrings": {
        "p/tools.py": (
            '"""Tools."""\n'
            "# two\n"
            "FACTOR = 2\n"
            "\n"
            "def twice(x):\n"
            '    """Twice x."""\n'
            "    return FACTOR * x  # x\n"
            "\n"
            "def unused():\n"
            '    """0."""\n'
            "    return 0\n"
        )
    },
    "layout and order": {
        "p/tools.py": (
            "def unused():\n    return 0\ndef twice(x):\n    return (\n        FACTOR\n        * x\n    )\nFACTOR = 2\n"
        )
    },
    "annotations": {
        "p/tools.py": (
            "import typing\n"
            "FACTOR: int = 2\n"
            "\n"
            "def twice(x: int) -> int:\n"
            "    y: str\n"
            "    return typing.cast(int, FACTOR) * x\n"
        )
    },
    "what nothing leads to": {
        "p/tools.py": ("FACTOR = 2\n\ndef twice(x):\n    return FACTOR * x\n\ndef new():\n    return FACTOR\n")
    },
    "a moved module": {
        "p/tools.py": None,
        "p/sums/__init__.py": "",
        "p/sums/tools.py": FILES["p/tools.py"],
        "stages/double.py": FILES["stages/double.py"].replace("p.tools", "p.sums.tools"),
    },
    "a module split in two": {
        "p/tools.py": ("from p.factor import FACTOR\n\ndef twice(x):\n    return FACTOR * x\n"),
        "p/factor.py": "FACTOR = 2\n",
    },
    "an import of the module instead of the name": {
        "stages/double.py": FILES["stages/double.py"]
        .replace("from p.tools import twice", "from p import tools")
        .replace("twice(", "tools.twice(")
    },
    "an import of the whole name": {
        "stages/double.py": FILES["stages/double.py"]
        .replace("from p.tools import twice", "import p.tools")
        .replace("twice(", "p.tools.twice(")
    },
    "another name for an import": {
        "stages/double.py": FILES["stages/double.py"]
        .replace("import twice", "import twice as double")
        .replace("twice(", "double(")
    },
    "an import inside a function": {
        "stages/double.py": (
            "def main():\n"
            "    from p.tools import twice\n"
            "    print(twice(3))\n"
            "\n"
            "if __name__ == '__main__':\n"
            "    main()\n"
        )
    },
    "a relative import": {
        "p/__init__.py": "from .tools import twice\n",
        "stages/double.py": FILES["stages/double.py"].replace("p.tools", "p"),
    },
    "Python's own modules": {"p/tools.py": "import os\n" + FILES["p/tools.py"]},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_the_same_code(changes):
    assert differences(changes) == []


OTHER = {
    "another constant": ("p/tools.py: FACTOR", ("FACTOR = 3\n\ndef twice(x):\n    return FACTOR * x\n")),
    "another formula": ("p/tools.py: twice", ("FACTOR = 2\n\ndef twice(x):\n    return FACTOR + x\n")),
    "another name of an argument": ("p/tools.py: twice", ("FACTOR = 2\n\ndef twice(y):\n    return FACTOR * y\n")),
    "a default": ("p/tools.py: twice", ("FACTOR = 2\n\ndef twice(x=1):\n    return FACTOR * x\n")),
    "another text": (
        "p/tools.py: twice",
        ("FACTOR = 2\n\ndef twice(x):\n    assert x, 'none'\n    return FACTOR * x\n"),
    ),
    "a second binding": ("p/tools.py: FACTOR", ("FACTOR = 2\nFACTOR += 1\n\ndef twice(x):\n    return FACTOR * x\n")),
    "a decorator": ("p/tools.py: twice", ("import q\nFACTOR = 2\n\n@q.fast\ndef twice(x):\n    return FACTOR * x\n")),
    "a global that was local": (
        "p/tools.py: twice",
        ("def FACTOR(): ...\n\ndef twice(x):\n    FACTOR = 2\n    return FACTOR * x\n"),
    ),
    "an effect on import": ("p/tools.py: on import", FILES["p/tools.py"] + ("\nimport os\nos.umask(0)\n")),
    "an effect in an assignment": ("p/tools.py: on import", FILES["p/tools.py"] + ("\nimport os\nOLD = os.umask(0)\n")),
    "a package of others": ("imports of packages", "import numpy\n" + FILES["p/tools.py"]),
    "nothing there": ("p/tools.py: twice", "FACTOR = 2\n"),
}


@pytest.mark.parametrize(("where", "text"), OTHER.values(), ids=OTHER)
def test_other_code_is_named_with_its_file_and_definition(where, text):
    found = differences({"p/tools.py": text})
    assert any(line.startswith(where) for line in found), found


def test_the_lines_that_differ_are_shown():
    (found,) = differences({"p/tools.py": ("FACTOR = 2\n\ndef twice(x):\n    # twice\n    return FACTOR + x\n")})
    assert found.splitlines() == [
        "p/tools.py: twice",
        "    @@ -1,2 +1,2 @@",
        "     def twice(x):",
        "    -    return FACTOR * x",
        "    +    return FACTOR + x",
    ]


def test_a_name_that_leads_to_another_definition_of_the_same_text_is_followed():
    tools = "from p.more import FACTOR\n\ndef twice(x):\n    return FACTOR * x\n"
    assert differences({"p/tools.py": tools, "p/more.py": "FACTOR = 2\n"}) == []
    assert differences({"p/tools.py": tools, "p/more.py": "FACTOR = 4\n"})[0].startswith(
        "p/tools.py: FACTOR -> p/more.py: FACTOR"
    )


def test_local_names_hide_those_of_the_module_where_python_says_so():
    before = "x = 1\n\ndef twice(n):\n    def inner(x):\n        return [x for x in [x]]\n    return inner(n) * 2\n"
    assert differences({"p/tools.py": before.replace("x = 1", "x = 2")}, with_tools(before)) == []
    used = "x = 1\n\ndef twice(n):\n    return [y for y in range(x) if x]\n"
    assert differences({"p/tools.py": used.replace("x = 1", "x = 2")}, with_tools(used)) != []
    in_class = (
        "x = 1\n"
        "\n"
        "class Tool:\n"
        "    x = 5\n"
        "    def use(self):\n"
        "        return x\n"
        "\n"
        "def twice(n):\n"
        "    return Tool().use()\n"
    )
    assert differences({"p/tools.py": in_class.replace("x = 1", "x = 2")}, with_tools(in_class)) != []
    global_ = "x = 1\n\ndef twice(n):\n    global x\n    x = x + n\n    return x\n"
    assert differences({"p/tools.py": global_.replace("x = 1", "x = 2")}, with_tools(global_)) != []


def test_base_classes_methods_and_defaults_lead_on():
    tools = (
        "D = 1\n"
        "class A:\n"
        "    def f(self):\n"
        "        return 1\n"
        "class B(A):\n"
        "    def g(self, x=D):\n"
        "        return x\n"
        "def twice(x):\n"
        "    return B()\n"
    )
    assert differences({"p/tools.py": tools.replace("return 1", "return 2")}, with_tools(tools))[0].startswith(
        "p/tools.py: A"
    )
    assert differences({"p/tools.py": tools.replace("D = 1", "D = 2")}, with_tools(tools))[0].startswith(
        "p/tools.py: D"
    )


def test_annotations_count_where_a_class_is_built_from_them():
    pydantic = "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int\ndef twice(x):\n    return A(x=x)\n"
    assert differences({"p/tools.py": pydantic.replace("int", "float")}, with_tools(pydantic)) != []
    dataclass = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\ndef twice(x):\n    return A(x)\n"
    assert differences({"p/tools.py": dataclass.replace("int", "float")}, with_tools(dataclass)) == []
    assert (
        differences(
            {"p/tools.py": dataclass.replace("    x: int\n", ("    x: int\n    y: int = 0\n"))}, with_tools(dataclass)
        )
        != []
    )


def test_a_text_that_names_a_module_leads_to_all_of_it():
    tools = "import importlib\ndef twice(x):\n    return importlib.import_module('p.late').f\n"
    files = with_tools(tools) | {"p/late.py": ("def f():\n    return 1\n")}
    assert differences({"p/late.py": ("# moved\ndef f():\n    return 1\n")}, files) == []
    assert differences({"p/late.py": ("def f():\n    return 2\n")}, files)[0].startswith("p/late.py: f")
    moved = {"p/late.py": None, "p/later.py": files["p/late.py"], "p/tools.py": tools.replace("p.late", "p.later")}
    assert differences(moved, files) == []


def test_modules_declared_to_change_no_number_do_not_count_but_calling_another_does():
    files = FILES | {
        "p/log.py": ("def say():\n    print(1)\ndef tell():\n    print(2)\n"),
        "p/tools.py": ("from p.log import say\ndef twice(x):\n    say()\n    return 2 * x\n"),
    }
    assert differences({"p/log.py": ("def say():\n    print(3)\n")}, files, without=("p/log.py",)) == []
    assert differences({"p/log.py": ("def say():\n    print(3)\n")}, files) != []
    other = {"p/tools.py": files["p/tools.py"].replace("say", "tell")}
    assert differences(other, files, without=("p/log.py",)) != []


def test_imports_of_other_packages_in_a_function_are_kept_apart():
    tools = (
        "def twice(x):\n    try:\n        import quick\n    except ImportError:\n        return 2 * x\n    return 0\n"
    )
    assert differences({"p/tools.py": tools.replace("quick", "slow")}, with_tools(tools)) != []


def test_a_module_whose_names_are_imported_by_a_star_is_refused():
    with pytest.raises(ValueError, match=r"p/tools\.py:1: names imported by \*"):
        differences({"p/tools.py": "from os import *\n" + FILES["p/tools.py"]})
