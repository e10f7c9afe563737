"""The eight example kicks of the README, their picture and the tables that name them, made by the checkpoints that are there.

    python -m scripts.release.examples

Each file carries its recipe: `kickpipe again FILE` makes it again.
"""

__all__ = ["EXAMPLES", "main", "render"]

import argparse
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.generate import KickGenerator
from kickpipe.generate.files import Written, write_kick
from kickpipe.generate.options import FileOptions
from scripts.release.card_sections import fill, table

ROOT = Path(__file__).resolve().parents[2]
# Prompt and seed, chosen by eye from seven seeds each
EXAMPLES = (
    ("deep 808", 5),
    ("909 punchy", 1),
    ("acoustic", 3),
    ("clicky short", 4),
    ("hard techno", 4),
    ("soft house", 4),
    ("", 0),
    ("", 3),
)
SHOWN_SECONDS = 0.6
LOWEST_HZ, HIGHEST_HZ = 30.0, 16000.0
RANGE_DB = 70.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    options = parser.parse_args()
    out = ROOT / "docs" / "examples"
    generator = KickGenerator.load(options.checkpoints)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.wav"):
        old.unlink()
    kicks = [generator.generate(prompt, seed=seed)[0] for prompt, seed in EXAMPLES]
    written = [write_kick(kick, out, FileOptions(bits=16)) for kick in kicks]
    titles = [f'"{prompt}", seed {seed}' if prompt else f"no words, seed {seed}" for prompt, seed in EXAMPLES]
    draw(
        [(title, kick.finish().samples) for title, kick in zip(titles, kicks, strict=True)],
        generator,
        out / "kicks.png",
    )
    fill(ROOT / "README.md", {"examples": render(written, "docs/examples")})
    fill(ROOT / "docs" / "listen.md", {"examples": render(written, "examples", player="_static")})


def render(written: Sequence[Written], folder: str, player: str | None = None) -> str:
    """A table of kicks, each with a link to its file.

    Arguments:
        written: The kicks, with their files.
        folder: The folder of the files, as a link from the page.
        player: Also a player in each row, which finds the files below this address.
    """
    head = ["prompt", "seed", "note", "ms", "file", *([""] if player else [])]
    rows = []
    for kick in written:
        values, name = kick.to_dict(), quote(kick.path.name)
        play = f'<audio controls preload="none" src="{player}/{name}"></audio>'
        row = [values["prompt"] or "(no words)", values["seed"], values["note"] or "-", f"{values['length_ms']:.0f}"]
        rows.append([*row, f"[{kick.path.name}]({folder}/{name})", *([play] if player else [])])
    return table(head, rows, "lrlrl" + ("l" if player else ""))


def draw(kicks: list[tuple[str, np.ndarray]], generator: KickGenerator, out: Path) -> None:
    """Waveform and spectrogram of each kick, on the same axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings = generator.settings
    edges = np.linspace(0, 2595 * np.log10(1 + settings.sample_rate / 1400), settings.n_mels + 2)
    hz = 700 * (10 ** (edges[1:-1] / 2595) - 1)
    columns = len(kicks) // 2
    figure, axes = pyplot.subplots(4, columns, figsize=(3 * columns, 6.4), height_ratios=[1, 2, 1, 2], sharex=True)
    for number, (title, samples) in enumerate(kicks):
        row, column = 2 * (number // columns), number % columns
        wave, image = axes[row, column], axes[row + 1, column]
        length = round(SHOWN_SECONDS * settings.sample_rate)
        padded = np.pad(samples, (0, max(settings.num_samples - len(samples), 0)))[: settings.num_samples]
        time = np.arange(length) / settings.sample_rate * 1000
        wave.plot(time, padded[:length], color="black", linewidth=0.6)
        wave.set(title=title, ylim=(-1, 1), yticks=[])
        mel = mel_spectrogram(torch.from_numpy(padded.astype(np.float32))[None], settings)[0, 0].numpy()
        decibels = 10 / np.log(10) * mel
        frames = np.arange(mel.shape[1]) * settings.hop_length / settings.sample_rate * 1000
        image.pcolormesh(
            frames, hz, decibels, vmin=decibels.max() - RANGE_DB, vmax=decibels.max(), cmap="magma", rasterized=True
        )
        image.set(yscale="log", ylim=(LOWEST_HZ, HIGHEST_HZ), xlim=(0, 1000 * SHOWN_SECONDS))
        image.set_yticks([50, 200, 1000, 5000], ["50", "200", "1k", "5k"] if column == 0 else [])
        image.minorticks_off()
        if column == 0:
            image.set_ylabel("Hz")
        if row == 2:
            image.set_xlabel("ms")
    figure.tight_layout()
    figure.savefig(out, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


if __name__ == "__main__":
    main()
