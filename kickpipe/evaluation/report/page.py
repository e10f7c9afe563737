"""The page as data: sections of blocks, which the template lays out. No number is computed here or there."""

__all__ = [
    "Block",
    "Card",
    "Cards",
    "Cell",
    "Charts",
    "Command",
    "Fact",
    "Link",
    "Nearest",
    "Page",
    "Row",
    "Section",
    "Table",
    "Text",
    "Tile",
    "Trips",
    "render",
]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from kickpipe.common.files import write_text
from kickpipe.evaluation.report.axes import TimeAxis, frequency_ticks
from kickpipe.evaluation.report.figures import Chart
from kickpipe.evaluation.report.sounds import Sound, SoundBank

HERE = Path(__file__).parent
SCRIPTS = ("player.js", "browse.js")


@dataclass(frozen=True)
class Tile:
    """One number at the top.

    Arguments:
        label: What it is.
        value: A dash where nothing can be said.
        meaning: In a sentence; or the reason why there is no value.
        beside: What to hold it against.
        href: Where on the page to read on.
    """

    label: str
    value: str
    meaning: str
    beside: str = ""
    href: str = ""


@dataclass(frozen=True)
class Link:
    """A text that leads to a place on the page, or to a file."""

    text: str
    href: str


@dataclass(frozen=True)
class Cell:
    """A number of a table as text, with its range or another remark in small print."""

    text: str
    detail: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table: its head, what that means, its cells, and kicks that it is about, with ``more`` that have no card."""

    head: str
    hint: str
    cells: Sequence[Cell]
    links: Sequence[Link] = ()
    more: str = ""


@dataclass(frozen=True)
class Table:
    """A table; ``groups`` are headings over several columns, as (text, number of columns); title and note stand around it."""

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Row]
    groups: Sequence[tuple[str, int]] = ()
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class Fact:
    """One property of a kick: what it is, its value, and a remark in small print."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Command:
    """A line for a terminal, and what it does."""

    label: str
    text: str


@dataclass(frozen=True)
class Nearest:
    """The real kick that is nearest to a kick: its name, where it is, and how far away, as text."""

    name: str
    path: str
    distance: str
    sound: Sound


@dataclass(frozen=True)
class Card:
    """A kick to look at and listen to.

    Arguments:
        id: Of the element, unique on the page.
        title: Its prompt, or the name of its file.
        subtitle: Where it comes from, short.
        path: The same in full, shown where the pointer rests.
        sound: Its pictures and its sound.
        facts: Its properties.
        values: Numbers to sort by, by the keys of ``Cards.orders``; None where the kick has none.
        prompt: Its prompt, to filter by; None if it is not known.
        defects: Names and labels of what is wrong with it.
        copy_of: What it repeats.
        nearest: The nearest real kick.
        href: The file.
        commands: How to make it again, or more like it.
    """

    id: str
    title: str
    subtitle: str
    path: str
    sound: Sound
    facts: Sequence[Fact]
    values: Mapping[str, float | None]
    prompt: str | None = None
    defects: Sequence[tuple[str, str]] = ()
    copy_of: str = ""
    nearest: Nearest | None = None
    href: str = ""
    commands: Sequence[Command] = ()


@dataclass(frozen=True)
class Cards:
    """Kicks to browse.

    Arguments:
        cards: In their own order.
        orders: Labels of what they can be sorted by, by key of ``Card.values``.
        filters: Kinds of kicks to look at alone: key, label and number.
    """

    kind: ClassVar[str] = "cards"
    cards: Sequence[Card]
    orders: Mapping[str, str]
    filters: Sequence[tuple[str, str, int]] = ()

    @property
    def prompts(self) -> list[str]:
        """The prompts of the kicks, each once, if there is more than one."""
        prompts = list(dict.fromkeys(card.prompt for card in self.cards if card.prompt is not None))
        return prompts if len(prompts) > 1 else []


@dataclass(frozen=True)
class Trips:
    """Rows of sounds to compare: the original first."""

    kind: ClassVar[str] = "trips"
    rows: Sequence[tuple[str, Sequence[Sound]]]


@dataclass(frozen=True)
class Charts:
    """Charts; ``legend`` names the colours."""

    kind: ClassVar[str] = "charts"
    charts: Sequence[Chart]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Text:
    """Text to read or, if ``code``, to copy; folded away under ``fold`` if given."""

    kind: ClassVar[str] = "text"
    text: str
    code: bool = False
    fold: str = ""


Block = Table | Cards | Trips | Charts | Text


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading."""

    id: str
    title: str
    text: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """The whole page, and the bank that holds the sounds of its blocks."""

    title: str
    subtitle: str
    bank: SoundBank
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = field(default_factory=list)


def render(page: Page, out: str | Path) -> None:
    """Writes the page as one HTML file that needs no other."""
    import jinja2

    # Everything is escaped; styles, scripts and base64 are made here and marked as safe in the template.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE, encoding="utf-8"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    html = environment.get_template("page.html.jinja").render(
        page=page,
        style=(HERE / "style.css").read_text(encoding="utf-8"),
        scripts=[(HERE / name).read_text(encoding="utf-8") for name in SCRIPTS],
        whole=page.bank.axis,
        attack=TimeAxis.attack(),
        frequencies=frequency_ticks(),
        colour_maps=COLOUR_MAPS,
    )
    write_text(out, html)


# Colours of a spectrogram from the quietest to the loudest cell, by scheme and kind of kick.
COLOUR_MAPS = {
    "light-generated": ("#fbf7f1", "#f6d9bd", "#ee8f47", "#b23a07", "#3a0d00"),
    "light-real": ("#f5f8f7", "#c3e0dc", "#4aa8a2", "#0c5f68", "#03252c"),
    "light-copy": ("#f8f6fb", "#dbd3f0", "#9a86d8", "#4f38a3", "#180a47"),
    "dark-generated": ("#141210", "#3f1d16", "#a8431c", "#fb923c", "#fff3d6"),
    "dark-real": ("#0f1415", "#113437", "#1a7a78", "#4fd8c4", "#f0fffb"),
    "dark-copy": ("#131217", "#2a2247", "#6450b4", "#b3a3f7", "#f6f2ff"),
}
