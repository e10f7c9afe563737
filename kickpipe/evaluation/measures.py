"""What every measure is called, what it means, in which unit and format it is written, and which way is better.

One table for the page, the model card and the terminal; no other module writes a label or rounds a number for people.
"""

__all__ = [
    "DEFECT_LABELS",
    "DESCRIPTOR_LABELS",
    "DESCRIPTOR_MEASURES",
    "DISTANCES",
    "HEADLINE",
    "KEYWORD_SCORES",
    "NOTHING",
    "ROUND_TRIPS",
    "SETS",
    "TRIPS",
    "Measure",
    "decibels",
    "defect_label",
    "number",
    "percent",
    "quantity",
]

from dataclasses import dataclass
from typing import Literal

from kickpipe.audio.descriptors import DESCRIPTORS

NOTHING = "–"
MINUS = "−"
NARROW_SPACE = "\u202f"  # between a number and its unit: they never part at the end of a line


@dataclass(frozen=True)
class Measure:
    """How a measure is written.

    Arguments:
        label: Its name, short.
        hint: What it means, in a line.
        unit: Of its values; empty for none.
        better: Which way is better; empty where neither is.
        share: Whether it is a share, 0 to 1, written in percent.
    """

    label: str
    hint: str = ""
    unit: str = ""
    better: Literal["lower", "higher", ""] = ""
    share: bool = False

    def format(self, value: float | None) -> str:
        """The value without its unit, percent aside; a dash for None."""
        return percent(value) if self.share else number(value)

    def with_unit(self) -> str:
        """The label with the unit of its column, for example "Onset error, ms"."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


def number(value: float | None) -> str:
    """Three significant digits, never an exponent: 1,234, 12.3, 2.00, 0.00123; whole numbers in full; a dash for None."""
    if value is None:
        return NOTHING
    if value == 0 or abs(value) < 1e-6:
        return "0"
    if abs(value) >= 999.5 or isinstance(value, int):
        return f"{value:,.0f}".replace("-", MINUS)
    text = f"{value:#.3g}".rstrip(".")
    return (f"{float(text):.9f}".rstrip("0") if "e" in text else text).replace("-", MINUS)


def percent(value: float | None) -> str:
    """A share in percent, with one decimal near 0 and near 100: 0.4%, 12%, 99.6%; a dash for None."""
    if value is None:
        return NOTHING
    near_an_end = 0 < value < 0.0995 or 0.9905 < value < 1
    return f"{100 * value:.{1 if near_an_end else 0}f}%".replace("-", MINUS)


def quantity(value: float | None, unit: str) -> str:
    """A number with its unit, for example "54.2 Hz"; a dash for None."""
    if value is None:
        return NOTHING
    return f"{number(value)}{NARROW_SPACE}{unit}" if unit else number(value)


def decibels(value: float | None) -> str:
    """A level or a distance with its unit, to a tenth: "8.2 dB"; nobody hears less."""
    return NOTHING if value is None else f"{value:.1f}{NARROW_SPACE}dB".replace("-", MINUS)


# The numbers of metrics/evaluate.json, in this order.
HEADLINE = {
    "kernel_ratio": Measure(
        "Distance to real kicks",
        "Kernel distance of the generated kicks to held-out real ones, as a multiple of the training kicks' own.",
        "×",
        "lower",
    ),
    "coverage": Measure(
        "Coverage", "Share of the held-out kicks with a generated one as a neighbour.", "", "higher", True
    ),
    "defects": Measure("Any defect", "Share of the generated kicks with something audibly wrong.", "", "lower", True),
    "copies": Measure("Copies", "Share of the generated kicks that repeat a training kick.", "", "lower", True),
    "top1": Measure(
        "Words come true",
        "Share of the prompted kicks that lie nearest to a real kick with that word.",
        "",
        "higher",
        True,
    ),
}
DISTANCES = {
    "kernel": Measure(
        "Kernel distance", "MMD of the embeddings, times 100; 0 in the mean for equal distributions", "", "lower"
    ),
    "frechet": Measure(
        "Fréchet distance", "of Gaussians fitted to the embeddings; never 0 for so few kicks", "dB²", "lower"
    ),
    "precision": Measure("Precision", "share of kicks that look like some real kick", "", "higher", True),
    "recall": Measure("Recall", "share of real kicks within the reach of these kicks", "", "higher", True),
    "density": Measure(
        "Density", "how densely real kicks surround these; 1 is expected for equal distributions", "", "higher"
    ),
    "coverage": Measure("Coverage", "share of real kicks that have one of these for a neighbour", "", "higher", True),
}
SETS = {
    "generated": "Generated",
    "training": "Training kicks",
    "synthesiser": "Synthesiser",
    "floor": "Real against real",
    "heldout": "Held-out kicks",
    "these": "These kicks",
    "library": "Library",
}
TRIPS = {
    "vocoder": Measure("Vocoder", "real mel → waveform as kicks are generated"),
    "refined": Measure("HiFi-GAN, refined", "real mel → HiFi-GAN, low band searched for, a few Griffin-Lim iterations"),
    "hifigan": Measure("HiFi-GAN alone", "real mel → HiFi-GAN"),
    "retrieved": Measure("No network", "real mel → low band searched for, 16 Griffin-Lim iterations"),
    "griffin_lim": Measure("Griffin-Lim", "real mel → 64 iterations from random phases"),
    "vae_vocoder": Measure("VAE + vocoder", "real mel → VAE → the same"),
    "vae_refined": Measure("VAE + HiFi-GAN, refined", "real mel → VAE → the same"),
    "vae_hifigan": Measure("VAE + HiFi-GAN alone", "real mel → VAE → the same"),
    "vae_retrieved": Measure("VAE, no network", "real mel → VAE → the same"),
    "vae_griffin_lim": Measure("VAE + Griffin-Lim", "real mel → VAE → the same"),
}
ROUND_TRIPS = {
    "convergence": Measure("Spectral convergence", "0 is perfect, silence scores 1", "", "lower"),
    "log_magnitude": Measure("Log magnitude", "mean difference of the log spectra", "nats", "lower"),
    "onset_error_ms": Measure("Onset error", "how far the start moved", "ms", "lower"),
    "first_1_ms_db": Measure("First 1 ms", "how much louder than the original, from its onset on; 0 is perfect", "dB"),
    "step": Measure("Step at the start", "the first sample that is no silence, over the peak", "", "lower"),
    "decay_error_ms": Measure("Decay error", "how far the decay to −20 dB moved", "ms", "lower"),
    "low_correlation": Measure("Correlation below 150 Hz", "1 is perfect", "", "higher"),
    "low_correlation_unsigned": Measure("In either polarity", "the same where an inverted wave counts", "", "higher"),
    "tail_db": Measure("Tail in silence", "level where the original is silent", "dBFS", "lower"),
}
KEYWORD_SCORES = {
    "top1": Measure(
        "Top-1",
        "share of kicks whose nearest real kick has the word, among equally many with and without",
        "",
        "higher",
        True,
    ),
    "auc": Measure("AUC", "how often a kick lies nearer to a real one with the word than to one without", "", "higher"),
    "holds": Measure("Deserved", "share of kicks whose descriptors deserve the word", "", "higher", True),
}
DEFECT_LABELS = {
    "any": "Any of these",
    "onsets": "More than one onset",
    "step": "Step at the start",
    "late": "Late start",
    "clipped": "Clipped",
    "dc": "DC",
    "tone": "Steady tone",
    "silent": "Silent",
    "tail_noise": "Noise in the tail",
    "rattle": "Rattle",
}
DESCRIPTOR_LABELS = {
    "onset_ms": "Onset",
    "attack_ms": "Attack",
    "decay_20_ms": "Decay to −20 dB",
    "decay_40_ms": "Decay to −40 dB",
    "duration_ms": "Duration to −60 dB",
    "f0_start_hz": "Pitch at the start",
    "f0_end_hz": "Pitch at the end",
    "sweep_ms": "Time of the pitch sweep",
    "sweep_octaves": "Depth of the pitch sweep",
    "centroid_hz": "Brightness (centroid)",
    "sub_share": "Energy below 100 Hz",
    "high_share": "Energy above 2 kHz",
    "crest_db": "Crest",
}
DESCRIPTOR_MEASURES = {
    name: Measure(
        DESCRIPTOR_LABELS.get(name, name), "", "" if unit.startswith("share") else unit, "", unit.startswith("share")
    )
    for name, unit in DESCRIPTORS.items()
}


def defect_label(name: str) -> str:
    """A defect's name for people."""
    return DEFECT_LABELS.get(name, name.replace("_", " ").capitalize())
