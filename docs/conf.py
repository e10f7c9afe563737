"""The site: pages in Markdown, the Python reference from the docstrings. ``make docs`` builds it into build/docs."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kickpipe import __version__  # noqa: E402

project = "kickpipe"
author = "The kickpipe developers"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.apidoc", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
suppress_warnings = ["ref.python"]  # a field called "bytes" is no rival of the type

apidoc_modules = [
    {
        "path": str(ROOT / "kickpipe"),
        "destination": "api",
        "exclude_patterns": [str(ROOT / "kickpipe" / name) for name in ("cli", "cli/*", "__main__.py")],
        "separate_modules": True,
        "module_first": True,
    }
]
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
napoleon_use_param = False
napoleon_use_rtype = False

highlight_language = "none"  # most blocks are commands

html_theme = "pydata_sphinx_theme"
html_title = "kickpipe"
html_static_path = ["examples"]
html_show_sourcelink = False
html_sidebars = {page.stem: [] for page in (ROOT / "docs").glob("*.md")}  # the reference alone has more than a level
html_theme_options = {
    "header_links_before_dropdown": 4,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}

# Pages at the root of the repository that are part of the site
PAGES = {"README.md": "index.md", "MODEL_CARD.md": "model-card.md", "DATA_CARD.md": "data-card.md"}
INCLUDE = re.compile(r"^```\{include\} \.\./(\w+\.md)\n```$", re.MULTILINE)
LITERAL = re.compile(r"(``.+?``)")
MARKUP = re.compile(r"(?<!\\)([*|]|(?<=\w)_(?=\W|$))")


def take_in_pages(app, docname, source):
    """Links of the repository become links of the site, in pages of docs/ and in those that they take in."""
    text = INCLUDE.sub(lambda match: (ROOT / match[1]).read_text(encoding="utf-8"), source[0])
    for name, page in PAGES.items():
        text = re.sub(rf"\]\((\.\./)?{name}", f"]({page}", text)
    source[0] = text.replace("](docs/", "](")


def keep_plain(app, what, name, obj, options, lines):
    """Docstrings are plain text with ``literals``; an indented block of a module's is shown as it stands."""
    plain = []
    for line in lines:
        indented = line.startswith("    ")
        if what == "module" and indented and not (plain and plain[-1].startswith("    ")):
            plain += ["", "::", ""]
        elif what == "module" and line and not indented and plain and plain[-1].startswith("    "):
            plain.append("")
        if what == "module" and indented:
            plain.append(line)
            continue
        parts = LITERAL.split(line)
        plain.append("".join(part if part.startswith("``") else MARKUP.sub(r"\\\1", part) for part in parts))
    lines[:] = plain


def skip_member(app, what, name, obj, skip, options):
    """What another module defines is documented there; the fields of a tuple by its class."""
    module = app.env.current_document.autodoc_module
    elsewhere = what == "module" and getattr(obj, "__module__", module) != module
    return True if elsewhere or type(obj).__name__ == "_tuplegetter" else None


def setup(app):
    app.connect("source-read", take_in_pages)
    app.connect("autodoc-process-docstring", keep_plain, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", skip_member)
