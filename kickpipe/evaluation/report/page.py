"""The page as data: sections of blocks, which the template lays out. No number is computed here or there."""

__all__ = ["Block", "Cell", "Charts", "Page", "Pairs", "Row", "Section", "Table", "Text", "Tile", "Trips", "render"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from kickpipe.common.files import write_text
from kickpipe.evaluation.report.sounds import Sound

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Tile:
    """One number at the top: what it is, its value, and what to hold it against."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Cell:
    """A number of a table as text, with its range or another remark in small print."""

    text: str
    detail: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table: its head, what that means, and its cells."""

    head: str
    hint: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Table:
    """A table; ``groups`` are headings over several columns, as (text, number of columns)."""

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Row]
    groups: Sequence[tuple[str, int]] = ()
    note: str = ""


@dataclass(frozen=True)
class Pairs:
    """Cards of two or more sounds that belong together, each with a heading."""

    kind: ClassVar[str] = "pairs"
    cards: Sequence[tuple[str, Sequence[Sound]]]


@dataclass(frozen=True)
class Trips:
    """Rows of sounds to compare: the original first."""

    kind: ClassVar[str] = "trips"
    rows: Sequence[tuple[str, Sequence[Sound]]]


@dataclass(frozen=True)
class Charts:
    """Charts with captions; ``legend`` names the colours."""

    kind: ClassVar[str] = "charts"
    charts: Sequence[tuple[str, str]]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Text:
    """Text to read or, if ``code``, to copy; folded away under ``fold`` if given."""

    kind: ClassVar[str] = "text"
    text: str
    code: bool = False
    fold: str = ""


Block = Table | Pairs | Trips | Charts | Text


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading."""

    id: str
    title: str
    text: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """The whole page."""

    title: str
    subtitle: str
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = field(default_factory=list)


def render(page: Page, out: str | Path) -> None:
    """Writes the page as one HTML file that needs no other."""
    import jinja2

    # Everything is escaped; charts, pictures and sounds are made here and marked as safe in the template.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE, encoding="utf-8"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style = (HERE / "style.css").read_text(encoding="utf-8")
    script = (HERE / "player.js").read_text(encoding="utf-8")
    write_text(out, environment.get_template("page.html.jinja").render(page=page, style=style, script=script))
