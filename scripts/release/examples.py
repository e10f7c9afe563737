"""The eight example kicks of the README, and their picture, made by the checkpoints that are there.

    python -m scripts.release.examples [--out docs/examples]

Each file carries its recipe: `kickpipe again FILE` makes it again.
"""

__all__ = ["EXAMPLES", "main"]

import argparse
from pathlib import Path

import numpy as np
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.generate import KickGenerator
from kickpipe.generate.files import FileOptions, write_kick

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
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "examples")
    options = parser.parse_args()
    generator = KickGenerator.load(options.checkpoints)
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("*.wav"):
        old.unlink()
    shown = []
    for prompt, seed in EXAMPLES:
        (kick,) = generator.generate(prompt, seed=seed)
        written = write_kick(kick, options.out, FileOptions(bits=16))
        finished = kick.finish().samples
        shown.append((f'"{prompt}", seed {seed}' if prompt else f"no words, seed {seed}", finished))
        print(f"{written.path.name}: {len(finished) / kick.sample_rate:.2f} s")
    draw(shown, generator, options.out / "kicks.png")


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
