"""The tiny run in which ``scripts.relock --prove`` compares two versions: all that params.yaml switches on, in few steps."""

__all__ = ["TINY_RUN"]

from pathlib import Path

from scripts.trial import Experiment


def write_source(folder: Path) -> None:
    """A producer's folder in miniature: synthesised kicks in several formats, some where the patterns of params.yaml point."""
    import numpy as np
    import soundfile

    from kickpipe.synth import write_library

    write_library(folder / "synth", 24, seed=0)
    kicks = sorted(path for path in (folder / "synth").rglob("*.wav") if soundfile.info(path).duration > 0.1)[:12]
    places = [
        "real/deb_fluid-soundfont-gm",
        "real/oramics__sampled/sampled",
        "real/sfzinstruments__DrumGizmo.MuldjordKit",
    ]
    for number, path in enumerate(kicks):
        samples, rate = soundfile.read(path, always_2d=True)
        stereo = np.concatenate([samples, 0.5 * samples], axis=1)
        target = folder / places[number % len(places)] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        name = target.stem if "kick" in target.stem.lower() else f"{target.stem}_kick"
        ending, rate = [(".wav", rate), (".flac", 48_000), (".ogg", rate), (".aiff", 22_050)][number // 3]
        soundfile.write(target.with_name(name + ending), stereo, rate)
    for path, name in zip(kicks, ["Same_Kick.wav", "BD0050.wav", "kdrum_2.wav", "Bass Drum 3.wav"], strict=False):
        samples, rate = soundfile.read(path)
        soundfile.write(path.with_name(name), samples if name.startswith("Same") else 0.8 * samples, rate)
    (folder / "broken_kick.wav").write_bytes(b"RIFF" + bytes(6000))
    (folder / "notes.txt").write_text("no sample\n", encoding="utf-8")


TINY_RUN = Experiment(
    write_source,
    "aggregate.source_dir",
    {
        "preprocess.max_failed_share": 0.5,
        "vae.channels": [4, 4, 8, 8],
        "vae.epochs": 3,
        "vae.kl_anneal_epochs": 2,
        "vae.checkpoint_every_epochs": 2,
        "diffusion.channels": [8, 8, 16],
        "diffusion.time_dim": 8,
        "diffusion.cond_dim": 16,
        "diffusion.embedding_dim": 8,
        "diffusion.num_timesteps": 100,
        "diffusion.min_count": 3,
        "diffusion.batch_size": 8,
        "diffusion.iterations": 6,
        "diffusion.ema_decay": 0.3,  # reached by the warm-up within the tiny run
        "diffusion.validate_every": 3,
        "diffusion.checkpoint_every": 4,
        "vocoder.channels": 32,
        "vocoder.discriminator_width": 0.02,
        "vocoder.reconstruction_steps": 2,
        "vocoder.batch_size": 4,
        "vocoder.epochs": 2,
        "evaluate.count": 12,
        "evaluate.real": 12,
        "evaluate.compare": 4,
        "evaluate.draws": 3,
        "evaluate.round_trips": 3,
        "evaluate.keywords": 2,
        "evaluate.keyword_kicks": 4,
        "evaluate.guidances": [1.0, 2.0],
    },
    shown=frozenset({"reports"}),
)
