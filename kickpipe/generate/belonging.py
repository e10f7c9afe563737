"""Whether models belong together."""

__all__ = ["check_models"]

from kickpipe.checkpoints import CheckpointError, ModelFile
from kickpipe.generate.checks import GenerateError


def check_models(vae: ModelFile, diffusion: ModelFile, vocoder: ModelFile | None) -> None:
    """Refuses models that were not trained for each other.

    Raises:
        GenerateError: Names the two and what differs.
    """
    for other in (diffusion, vocoder):
        if other is None or other.audio == vae.audio:
            continue
        ours, theirs = vae.audio.to_dict(), other.audio.to_dict()
        differing = ", ".join(f"{name} {ours[name]} and {theirs[name]}" for name in ours if ours[name] != theirs[name])
        raise GenerateError(
            f"the vae and {other.kind} models do not belong together: audio settings differ in {differing}; "
            "run 'dvc pull' or 'dvc repro' so that all come from one run"
        )
    extra = diffusion.extra
    missing = {"vocabulary", "keyword_counts", "latent_mean", "latent_std", "schedule", "latent_shape"} - extra.keys()
    if missing:
        raise CheckpointError(f"the diffusion model file lacks {', '.join(sorted(missing))}")
    shape = tuple(vae.model.latent_shape)
    if tuple(extra["latent_shape"]) != shape or len(extra["latent_mean"]) != shape[0]:
        raise GenerateError(
            f"the vae and diffusion models do not belong together: latents of shape {shape} and "
            f"{tuple(extra['latent_shape'])}; run 'dvc pull' or 'dvc repro' so that both come from one run"
        )
    if len(extra["vocabulary"]) != diffusion.model.text.vocab_size:
        raise CheckpointError(
            f"the diffusion model file has {len(extra['vocabulary'])} words for {diffusion.model.text.vocab_size} embeddings"
        )
    if vocoder is not None and vocoder.model.upsample_factor != vocoder.audio.hop_length:
        raise CheckpointError(
            f"the vocoder makes {vocoder.model.upsample_factor} samples a frame, its audio settings "
            f"{vocoder.audio.hop_length}"
        )
