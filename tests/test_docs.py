"""README and docs: links lead somewhere, and what they say of the project's files is so."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from test_layout import FLOORS

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """What GitHub and the site make of the headings: lower case, without punctuation, hyphens for spaces."""
    headings = re.findall(
        r"^#+ +(.+)$", re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL), re.M
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files_and_headings_that_are_there(page):
    dead = []
    for link in (markdown or html for markdown, html in LINK.findall(text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#") if not link.endswith(".wav") else (unquote(link), "", "")
        # the site serves the examples from _static
        target = page.parent / name.replace("_static/", "examples/") if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_holds_what_a_merge_left(page):
    assert not re.findall(r"^(<{7}|={7}$|>{7})", text_of(page), re.MULTILINE)


def test_the_readme_stays_short():
    assert len(text_of(ROOT / "README.md").splitlines()) <= 150


def test_every_page_of_the_docs_is_in_the_contents_of_the_site():
    contents = re.findall(r"[\w-]+", text_of(ROOT / "docs" / "index.md"))
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} <= set(contents)


def test_the_map_names_every_room():
    rooms = [path.parent.name for path in (ROOT / "kickpipe").glob("*/__init__.py")]
    assert len(rooms) > 5
    assert [room for room in rooms if room not in text_of(ROOT / "README.md")] == []


def test_the_picture_of_the_rooms_has_the_floors_that_imports_are_held_to():
    texts = re.findall(r'y="(\d+)"[^>]*font-weight="600"[^>]*>([^<]+)<', text_of(ROOT / "docs" / "rooms.svg"))
    drawn: dict[int, set[str]] = {}
    for height, names in texts:
        drawn.setdefault(int(height), set()).update(re.split(r"/|\.py", name.strip())[0] for name in names.split())
    floors = [
        {
            room.removeprefix("kickpipe.")
            for room in floor
            if (ROOT / room.replace(".", "/")).is_dir() or is_module(room)
        }
        for floor in FLOORS
        if floor != {"kickpipe"}
    ]
    assert [drawn[height] for height in sorted(drawn)] == floors


def is_module(room: str) -> bool:
    return (ROOT / f"{room.replace('.', '/')}.py").is_file()


def test_files_that_the_architecture_names_are_there():
    named = re.findall(
        r"`((?:kickpipe|stages|scripts|tests)/[\w/]+\.(?:py|yaml))`", text_of(ROOT / "docs" / "architecture.md")
    )
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []
