"""A folder of synthesised kicks as a producer's would look: nested folders, names like a sample pack's, strangers.

A kick's name carries the words that its measured descriptors deserve (`kickpipe.synth.words`), never mere intentions.
One file in ten is a stranger that a collector of kicks must leave out: a loop, a file tagged with its tempo, a snare,
a kick of less than 5 KB.
"""

__all__ = ["kick_name", "write_library"]

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kickpipe.audio.descriptors import describe
from kickpipe.common.files import replacing
from kickpipe.synth.draw import DrawnKick, draw_kick, synthesise
from kickpipe.synth.words import acoustic_words

FAMILY_NAMES = {
    "808": "808",
    "909": "909",
    "acoustic": "Acoustic",
    "house": "House",
    "techno": "Techno",
    "hardstyle": "Hardstyle",
    "lofi": "Lofi",
    "trap": "Trap",
    "electro": "Electro",
    "analog": "Analog",
    "machine": "Machine",
    "hiphop": "Hiphop",
}
FOLDER_OF_FAMILY = {
    "808": "Drum Machines",
    "909": "Drum Machines",
    "acoustic": "Studio",
    "house": "Club",
    "techno": "Club",
    "hardstyle": "Club",
    "lofi": "Beats",
    "trap": "Beats",
    "electro": "Drum Machines",
    "analog": "Drum Machines",
    "machine": "Drum Machines",
    "hiphop": "Beats",
}
STRANGERS_EVERY = 10


def kick_name(kick: DrawnKick, waveform: np.ndarray, sample_rate: int, index: int) -> str:
    """Path inside the pack, as 'Drum Machines/808/Deep 808 Kick 00003.wav', with at most three words."""
    words = acoustic_words(describe(waveform, sample_rate))
    if "dusty" in kick.intents:
        words.append("dusty")
    if len(words) > 3:
        keep = np.random.Generator(np.random.PCG64([kick.noise_seed, 1])).permutation(len(words))[:3]
        words = [words[place] for place in sorted(keep)]
    name = FAMILY_NAMES[kick.family]
    title = " ".join([*(word.capitalize() for word in words), name, "Kick", f"{index:05d}"])
    return f"{FOLDER_OF_FAMILY[kick.family]}/{name}/{title}.wav"


def _write(path: Path, waveform: np.ndarray, sample_rate: int, subtype: str = "PCM_16") -> None:
    import soundfile

    with replacing(path) as partial:
        soundfile.write(partial, waveform, sample_rate, subtype=subtype, format="WAV")


def _until_silence(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Without the silence at the end, but at least 0.1 s, which is 8.8 KB."""
    sound = np.flatnonzero(np.abs(waveform) > 1e-5)
    last = int(sound[-1]) + 1 if len(sound) else 0
    return waveform[: max(last, int(0.1 * sample_rate))]


def _write_kick(directory: Path, seed: int, index: int, sample_rate: int) -> None:
    waveform = synthesise(seed, index, sample_rate=sample_rate)
    name = kick_name(draw_kick(seed, index), waveform, sample_rate, index)
    _write(directory / name, _until_silence(waveform, sample_rate), sample_rate)


def _write_stranger(directory: Path, seed: int, index: int, sample_rate: int) -> None:
    waveform = synthesise(seed, index, sample_rate=sample_rate)
    number = f"{index:05d}"
    beat = int(0.5 * sample_rate)
    bar = np.tile(np.pad(waveform[:beat], (0, max(beat - len(waveform), 0))), 4)
    noise = np.random.Generator(np.random.PCG64([seed, index, 2])).standard_normal(beat).astype(np.float32)
    snare = 0.2 * noise * np.exp(-np.arange(beat) / (0.08 * sample_rate)).astype(np.float32)
    kinds: tuple[tuple[str, np.ndarray], ...] = (
        (f"Loops/Kick Loop {number}.wav", bar),
        (f"Loops/Techno Kick 120bpm {number}.wav", bar),
        (f"Studio/Snares/Tight Snare {number}.wav", snare),
        (f"Beats/Chopped/Tiny Kick {number}.wav", waveform[:1500]),
    )
    name, samples = kinds[index // STRANGERS_EVERY % len(kinds)]
    _write(directory / name, samples, sample_rate)


def write_library(
    directory: str | Path,
    count: int,
    seed: int,
    sample_rate: int = 44100,
    *,
    strangers: bool = True,
    num_workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes `count` kicks as 16-bit WAV, and a stranger beside every tenth; returns how many files it wrote.

    Kick i is the same for every count. `progress` is told how many kicks are done, now and then.

    Raises:
        ValueError: If count is negative.
    """
    if count < 0:
        raise ValueError(f"count must not be negative, got {count}")
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    odd = [index for index in range(count) if strangers and index % STRANGERS_EVERY == 0]
    jobs = [(_write_kick, index) for index in range(count)] + [(_write_stranger, index) for index in odd]
    if num_workers == 1:
        for done, (job, index) in enumerate(jobs, start=1):
            job(directory, seed, index, sample_rate)
            if progress is not None and done % 100 == 0:
                progress(done)
        return len(jobs)
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=num_workers, return_as="generator_unordered", batch_size=32)
    results = parallel(delayed(job)(directory, seed, index, sample_rate) for job, index in jobs)
    for done, _ in enumerate(results, start=1):
        if progress is not None and done % 100 == 0:
            progress(done)
    return len(jobs)
