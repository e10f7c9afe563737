"""The commands around the generator: keywords, play, synth."""

__all__ = ["keywords", "play", "synth"]

import json
import os
from collections import deque
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from kickpipe.cli.app import say
from kickpipe.cli.options import Checkpoints, Json

PLAYERS = {
    "ffplay": ["-nodisp", "-autoexit", "-loglevel", "error"],
    "afplay": [],
    "pw-play": [],
    "paplay": [],
    "aplay": ["-q"],
    "play": ["-q"],
}
INSTALL = {
    "linux": "install one, for example with 'apt install ffmpeg' or 'apt install alsa-utils'",
    "darwin": "install one, for example with 'brew install ffmpeg'",
}


def keywords(checkpoints: Checkpoints = Path("checkpoints"), as_json: Json = False) -> None:
    """List the words the models know, with counts.

    What stands to the right of a word may be written for it. Case, hyphens and the ending of a plural do not count.
    """
    from kickpipe.checkpoints import CheckpointError, read_metadata
    from kickpipe.data.vocabulary import Vocabulary
    from kickpipe.generate.synonyms import synonyms_of

    path = checkpoints / "diffusion.safetensors"
    extra = read_metadata(path, "diffusion")["extra"]
    try:
        vocabulary = Vocabulary(tuple(map(str, extra["vocabulary"])), tuple(map(int, extra["keyword_counts"])))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: has no list of keywords with their counts: {error}") from None
    synonyms = synonyms_of(vocabulary)
    counts = dict(zip(vocabulary.words, vocabulary.counts, strict=True))
    if as_json:
        say(json.dumps({"keywords": counts, "synonyms": synonyms}, ensure_ascii=False))
        return
    width = max((len(word) for word in vocabulary.words), default=0)
    for word, count in counts.items():
        say(f"{count:7,}  {word:{width}}  {', '.join(synonyms.get(word, []))}".rstrip())


def play(file: Annotated[Path, typer.Argument(help="An audio file.")]) -> None:
    """Play a kick.

    With the first of ffplay, afplay, pw-play, paplay, aplay and play (SoX) that can, or else the program that opens such
    files on this computer.
    """
    import shutil
    import subprocess
    import sys

    from kickpipe.common.errors import KickpipeError

    if not file.is_file():
        raise KickpipeError(f"{file}: {'a folder, not a file' if file.is_dir() else 'no such file'}")
    path = str(file.resolve())
    if sys.platform == "win32":
        os.startfile(path)
        return
    commands = {name: [name, *options, path] for name, options in PLAYERS.items() if shutil.which(name)}
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):  # else it may open the file in a text browser
        commands |= {name: [name, path] for name in ("xdg-open",) if shutil.which(name)}
    for command in commands.values():
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
    if commands:
        raise KickpipeError(
            f"{file}: {', '.join(commands)} could not play it; is it an audio file, and is there a sound card?"
        )
    advice = INSTALL.get(sys.platform, "install one")
    raise KickpipeError(f"no audio player found (one of {', '.join(PLAYERS)}): {advice}, or open {file} yourself")


MANY_KICKS = 500


def synth(
    directory: Annotated[Path, typer.Argument(help="Folder to write to.")],
    count: Annotated[int, typer.Option(min=1, help="Number of kicks.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Kick i of a seed is always the same kick.")] = 0,
) -> None:
    """Synthesise a folder of kicks to train on.

    It looks like a sample library, so that the pipeline can be tried without one.
    """
    from kickpipe.common.cpu import num_workers
    from kickpipe.common.errors import KickpipeError
    from kickpipe.common.progress import progress
    from kickpipe.synth import write_library

    # the start of processes costs as much as a few hundred kicks
    workers = num_workers() if count >= MANY_KICKS else 1
    line = progress(range(count), count, "synth", "kicks")

    def on_hundred(done: int) -> None:
        deque(islice(line, 100), maxlen=0)

    try:
        written = write_library(directory, count, seed, num_workers=workers, progress=on_hundred)
    except OSError as error:
        raise KickpipeError(f"{directory}: cannot be written: {error.strerror or error}") from error
    say(f"{directory}: {count} kicks and {written - count} other files")
