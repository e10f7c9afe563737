"""The page of an evaluation: listen first, then the numbers, then what they were made from."""

__all__ = ["build"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kickpipe.evaluation.measures import HEADLINE, TRIPS, number, percent
from kickpipe.evaluation.report.cards import card_id, defect_links
from kickpipe.evaluation.report.charts import curve_charts, descriptor_charts
from kickpipe.evaluation.report.evaluation_cards import NUM_TRIPS, choose_rows, listen_text, make_cards, time_axis
from kickpipe.evaluation.report.origin import Origin, left_out_table
from kickpipe.evaluation.report.page import (
    Block,
    Cell,
    Charts,
    Page,
    Row,
    Section,
    Table,
    Text,
    Tile,
    Trips,
    render,
)
from kickpipe.evaluation.report.sounds import SoundBank
from kickpipe.evaluation.report.tables import (
    copies_table,
    defects_table,
    descriptor_table,
    distance_tables,
    keyword_table,
    round_trip_table,
    word_table,
)
from kickpipe.evaluation.summary import yardsticks

if TYPE_CHECKING:
    from kickpipe.evaluation.evaluate import Evaluation


def build(evaluation: "Evaluation", out: str | Path, origin: Origin) -> None:
    """Writes the page."""
    details = evaluation.details
    rows = choose_rows(evaluation)
    bank = SoundBank(evaluation.library.settings.sample_rate, time_axis(evaluation, rows))
    sections = [
        Section("listen", "Listen", listen_text(evaluation, rows), [make_cards(evaluation, rows, bank)]),
        defect_section(evaluation, rows),
        distance_section(evaluation),
        copies_section(evaluation, rows),
        keyword_section(details),
        trip_section(evaluation, bank),
        Section("training", "Training", "", [*curve_charts(origin.curves)]),
        Section("left-out", "Left out of the library", "", [left_out_table(origin.left_out)]),
        origin_section(details, origin),
    ]
    kicks = details["kicks"]
    subtitle = (
        f"{kicks['generated']:,} generated kicks against {kicks['heldout']:,} held-out real ones; "
        f"trained on {kicks['trained_on']:,}. Commit {origin.commit}."
    )
    filled = [section for section in sections if section.blocks]
    render(Page("How good are these kicks?", subtitle, bank, tiles(evaluation), filled), out)


def tiles(evaluation: "Evaluation") -> list[Tile]:
    """The five numbers, each with what it means and what to hold it against, or why there is none."""
    metrics, details = evaluation.metrics, evaluation.details
    beside = yardsticks(details)
    places = {"kernel_ratio": "distances", "coverage": "distances", "top1": "keywords"}
    found = []
    for name, measure in HEADLINE.items():
        value = metrics[name]
        if value is None:
            found.append(Tile(measure.label, measure.format(None), f"Not measured: {details['reasons'][name]}."))
            continue
        text = measure.format(value) + measure.unit
        found.append(Tile(measure.label, text, measure.hint, beside[name], f"#{places.get(name, name)}"))
    return found


def defect_section(evaluation: "Evaluation", rows: Sequence[int]) -> Section:
    """Shares of the kicks with each defect, and the generated kicks that have it."""
    generated = evaluation.generated
    names = {row: f"{asked.prompt or 'No prompt'} · {asked.index}" for row, asked in numbered(evaluation).items()}
    table = defects_table(evaluation.details["defects"], defect_links(generated, rows, names))
    text = "What is audibly wrong, and with which generated kicks. Real libraries have some, too."
    return Section("defects", "Defects", text, [table])


def numbered(evaluation: "Evaluation") -> dict[int, Any]:
    """What was asked for each generated kick, by its row."""
    return {row: evaluation.requests[name] for row, name in enumerate(evaluation.generated.names)}


def trip_section(evaluation: "Evaluation", bank: SoundBank) -> Section:
    """Round trips to hear, then their numbers."""
    trips = evaluation.round_trips
    blocks: list[Block] = []
    text = evaluation.details["reasons"].get("round_trips", "")
    if trips is not None:
        rows = []
        for i in range(min(NUM_TRIPS, len(trips.names))):
            waveforms = {name: copies[i] for name, copies in trips.waveforms.items()}
            sounds = [bank.add(waveforms.pop("original"), "Original")]
            for name, waveform in waveforms.items():
                kind = "copy" if "griffin" in name else "generated"
                sounds.append(bank.add(waveform, TRIPS[name].label, kind))
            rows.append((trips.names[i], sounds))
        mel = trips.summary["mel"]
        text = (
            "Held-out kicks through the networks and back. "
            f"The VAE alone changes the log-mel by {number(mel['db']['mean'])} dB in the mean, "
            f"{number(mel['l1']['mean'])} nats."
        )
        blocks = [Trips(rows), round_trip_table(trips.summary)]
    return Section("round-trips", "Round trips", text, blocks)


def distance_section(evaluation: "Evaluation") -> Section:
    """Generated kicks against held-out ones, with baselines and floor, and the descriptors."""
    library, generated = evaluation.library, evaluation.generated
    distances = evaluation.details["distances"]
    sets = {
        "real": library.heldout.descriptors if len(library.heldout) else library.training.descriptors,
        "generated": generated.descriptors,
    }
    real = "held-out kicks" if len(library.heldout) else "training kicks"
    charts = Charts(descriptor_charts(sets), [("generated", "generated"), ("real", real)])
    blocks: list[Block] = [charts]
    text = f"Not compared: {evaluation.details['reasons'].get('distances', '')}"
    if distances is not None:
        blocks = [*distance_tables(distances, library.analyser.embeddings), descriptor_table(distances), charts]
        text = (
            "Against held-out real kicks, at equal numbers. The training kicks show what a model trained on them can be "
            "asked for, the synthesiser what can be had without training, and halves of the real kicks against each other "
            "what chance alone does."
        )
    return Section("distances", "Generated against real", text, blocks)


def copies_section(evaluation: "Evaluation", rows: Sequence[int]) -> Section:
    """Near-copies, listed."""
    copies = evaluation.details["copies"]
    cards = {evaluation.generated.names[row]: f"#{card_id(row)}" for row in rows}
    pairs = copies["generated"]["pairs"]
    of_heldout = copies["heldout"]["share"]
    text = (
        f"Generated kicks lie {number(copies['ratio'])} times as far from the training kicks as held-out kicks do. "
        f"{percent(copies['generated']['share'])} repeat a training kick, confirmed on the waveform; of the held-out kicks, "
        f"{percent(of_heldout)} do, since libraries hold the same sample more than once."
    )
    blocks: list[Block] = (
        [copies_table(pairs, cards)] if pairs else [Text("No generated kick repeats a training kick.")]
    )
    return Section("copies", "Copies", text, blocks)


def keyword_section(details: dict[str, Any]) -> Section:
    """Whether the words do what they say."""
    keywords = details["keywords"]
    if not keywords:
        return Section(
            "keywords", "Keywords", "", [Text(f"Not tested: {details['reasons'].get('keywords', 'none asked for')}.")]
        )
    text = "Kicks generated for a keyword should sit nearer to the real kicks that have it than to the rest."
    words = word_table(keywords)
    return Section("keywords", "Keywords", text, [keyword_table(keywords), *([words] if words else [])])


def origin_section(details: dict[str, Any], origin: Origin) -> Section:
    """What the numbers came from, and which could not be had."""
    rows = [Row(f"{kind} model", "", [Cell(sha)]) for kind, sha in origin.models.items()]
    blocks: list[Block] = [
        Table(["SHA-256"], [Row("Code", "commit", [Cell(origin.commit)]), *rows]),
        Text(origin.params, code=True, fold="params.yaml"),
    ]
    if details["reasons"]:
        text = "\n".join(f"{name}: {reason}" for name, reason in details["reasons"].items())
        blocks.append(Text(text, code=True, fold=f"{len(details['reasons'])} measures without an answer"))
    return Section("origin", "Made from", "", blocks)
