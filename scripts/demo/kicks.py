"""Eight kicks of the models in a folder, and how fast they are: a process of the demo.

python -m scripts.demo.kicks CHECKPOINTS OUT [--speed FILE] [--vocoder NAME]
"""

__all__ = ["main", "prompts_for"]

import argparse
from collections.abc import Collection, Iterable
from pathlib import Path

from kickpipe.checkpoints import read_metadata
from kickpipe.common.cpu import set_torch_threads
from kickpipe.generate import KickGenerator
from kickpipe.generate.files import write_kick
from scripts.release.examples import EXAMPLES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vocoder", default="auto")
    options = parser.parse_args()
    set_torch_threads()
    words = read_metadata(options.checkpoints / "diffusion.safetensors", "diffusion")["extra"]["vocabulary"]
    generator = KickGenerator.load(options.checkpoints)
    for prompt, seed in prompts_for(EXAMPLES, words):
        (kick,) = generator.generate(prompt, seed=seed, vocoder=options.vocoder)
        written = write_kick(kick, options.out)
        print(f"{written.path.name}  {prompt or '(no words)'}", flush=True)


def prompts_for(examples: Iterable[tuple[str, int]], words: Collection[str]) -> list[tuple[str, int]]:
    """Prompts and seeds, each prompt without the words that the models do not know, and no two of them alike."""
    chosen: list[tuple[str, int]] = []
    for prompt, seed in examples:
        known = " ".join(word for word in prompt.split() if word in words)
        while (known, seed) in chosen:
            seed += 1
        chosen.append((known, seed))
    return chosen


if __name__ == "__main__":
    main()
