"""Training of the VAE.

    loss = MSE(recon, target) + L1(recon, target) + kl_weight * KL + convergence_weight * spectral convergence

MSE and L1 are means over all values; KL is summed over the latent and averaged over the batch (Kingma & Welling 2014,
appendix B): averaged over the latent too, the same weights regularise nothing. Most values of a kick's log-mel are
silence, so MSE and L1 hardly see the few loud ones that are heard; the spectral convergence (Yamamoto et al. 2020,
equation 5), which is not part of the specification, sees little else.
"""

__all__ = ["VaeObjective", "train_vae"]

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import write_model
from kickpipe.models.vae import VAE
from kickpipe.training.device import Precision, select_device
from kickpipe.training.loop import batch_indices, lr_factor, num_batches, optimize
from kickpipe.training.pretrained import load_pretrained
from kickpipe.training.preview import show_reconstructions
from kickpipe.training.run import run_training
from kickpipe.training.state import RunFolder, TrainState
from kickpipe.training.tracking import Tracker


@dataclass(frozen=True)
class VaeObjective:
    """What the VAE is trained to lower.

    Arguments:
        kl_weight_start: Weight of the KL divergence in the first epoch.
        kl_weight_end: Its weight from epoch ``kl_anneal_epochs`` on; linear in between.
        kl_anneal_epochs: Epochs of the annealing.
        convergence_weight: Weight of the spectral convergence; 0 leaves it out.
    """

    kl_weight_start: float
    kl_weight_end: float
    kl_anneal_epochs: int
    convergence_weight: float = 0.0

    def kl_weight(self, epoch: int) -> float:
        """Weight in an epoch, counted from 0."""
        done = min(epoch / self.kl_anneal_epochs, 1.0) if self.kl_anneal_epochs else 1.0
        return self.kl_weight_start + (self.kl_weight_end - self.kl_weight_start) * done

    def __call__(self, recon: Tensor, target: Tensor, mu: Tensor, logvar: Tensor, epoch: int) -> dict[str, Tensor]:
        """Terms of the loss, scalars; ``loss`` is their sum.

        Arguments:
            recon, target: Log-mels (B, 1, M, L).
            mu, logvar: Of the latent, (B, C, H, W).
        """
        recon, mu, logvar = recon.float(), mu.float(), logvar.float()
        mse = (recon - target).square().mean()
        l1 = (recon - target).abs().mean()
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=(1, 2, 3)).mean()
        terms = {"loss": mse + l1 + self.kl_weight(epoch) * kl, "mse": mse, "l1": l1, "kl": kl}
        if self.convergence_weight:  # its magnitudes overflow where a training without it would go on
            convergence = spectral_convergence(recon, target)
            terms["loss"] = terms["loss"] + self.convergence_weight * convergence
            terms["convergence"] = convergence
        return terms


def spectral_convergence(recon: Tensor, target: Tensor) -> Tensor:
    """|S - S'| / |S| with Frobenius norms, averaged over the batch, a scalar; 0 is perfect, silence scores 1.

    Arguments:
        recon, target: Log-mels of power (B, 1, M, L) in nats; S are magnitudes.
    """
    copy, original = (recon / 2).exp(), (target / 2).exp()
    distance = (original - copy).square().sum(dim=(1, 2, 3)).clamp(min=1e-12).sqrt()  # a root has no slope at 0
    return (distance / original.square().sum(dim=(1, 2, 3)).sqrt()).mean()


def train_vae(
    train_mels: Tensor,
    val_mels: Tensor,
    *,
    audio: AudioSettings,
    channels: tuple[int, ...],
    latent_channels: int,
    batch_size: int,
    lr: float,
    lr_schedule: str,
    epochs: int,
    kl_weight_start: float,
    kl_weight_end: float,
    kl_anneal_epochs: int,
    convergence_weight: float,
    mixed_precision: bool,
    checkpoint_every_epochs: int,
    seed: int,
    init_from: str | None,
    fingerprint: str,
    runs: Path,
    model_path: Path,
) -> Tracker:
    """Trains a VAE, or continues the training of the same run, and writes its model file.

    Arguments:
        train_mels, val_mels: Log-mels (N, 1, M, L); without ``val_mels`` there are no validation losses.
        lr_schedule: "constant" or "cosine"; see ``lr_factor``.
        init_from: Model file whose weights the training starts from; None starts from random ones.
        fingerprint: Hash of params, data and code; see ``training.state``.
        runs: Folder of the training states of this stage.
        model_path: Model file to write.

    Returns:
        The tracker with the curves.

    Raises:
        CheckpointError: If ``init_from`` cannot be used.
        StateError, FloatingPointError, Interrupted: As in ``run_training``.
    """
    device = select_device()
    precision = Precision(device, mixed_precision)
    torch.manual_seed(seed)
    config = {
        "n_mels": audio.n_mels,
        "num_frames": audio.num_frames,
        "channels": list(channels),
        "latent_channels": latent_channels,
    }
    model = VAE(**config)
    if init_from:
        model.load_state_dict(load_pretrained(init_from, "vae", config, audio, output=model_path).model.state_dict())
    # convolutions of many channels on small maps run up to three times faster in this layout, on CPU and GPU
    model = model.to(device, memory_format=torch.channels_last)
    objective = VaeObjective(kl_weight_start, kl_weight_end, kl_anneal_epochs, convergence_weight)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    scaler = precision.scaler()

    steps_per_epoch = num_batches(len(train_mels), batch_size)
    steps = epochs * steps_per_epoch
    tracker = Tracker(runs / fingerprint[:16] / "tensorboard", "train_vae", steps, batch_size)
    state = TrainState(
        fingerprint,
        {"config": {**config, "audio": audio.to_dict(), "objective": dataclasses.asdict(objective)}},
        model=model,
        optimizer=optimizer,
        scaler=scaler,
        tracker=tracker,
    )

    def batch_of(step: int) -> Tensor:
        batch = train_mels[batch_indices(step, len(train_mels), batch_size, seed)]
        return batch.to(device, memory_format=torch.channels_last)

    def train_step(mels: Tensor, step: int) -> dict[str, Tensor]:
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = lr * lr_factor(lr_schedule, step, steps)
        noise = torch.randn((len(mels), *model.latent_shape)).to(device)
        with precision.autocast():
            recon, mu, logvar = model(mels, noise)
        terms = objective(recon, mels, mu, logvar, step // steps_per_epoch)
        grad_norm = optimize(optimizer, terms["loss"], scaler)
        return {**terms, "grad_norm": grad_norm}

    @torch.no_grad()
    def validate(step: int) -> None:
        model.eval()
        epoch = (step - 1) // steps_per_epoch
        sums: dict[str, float] = {}
        mus = []
        for mels in val_mels.split(batch_size) if len(val_mels) else ():
            batch = mels.to(device, memory_format=torch.channels_last)
            with precision.autocast():
                recon, mu, logvar = model(batch)
            mus.append(mu.float())
            for name, term in objective(recon, batch, mu, logvar, epoch).items():
                sums[name] = sums.get(name, 0.0) + term.item() * len(mels) / len(val_mels)
        if mus:
            # a channel of the latent whose standard deviation is near 0 carries nothing
            spread = torch.cat(mus).std(dim=(0, 2, 3), correction=0)
            sums |= {f"mu_std_{i}": value for i, value in enumerate(spread.tolist())}
        tracker.validated(step, sums)
        if len(val_mels) and step % (checkpoint_every_epochs * steps_per_epoch) == 0:
            show_reconstructions(tracker, step, lambda mels: model(mels.to(device))[0], val_mels, audio)

    run_training(
        state,
        RunFolder(runs, fingerprint, "vae", "epoch"),
        tracker,
        train_step,
        batch_of,
        validate,
        steps=steps,
        seed=seed,
        validate_every=steps_per_epoch,
        save_every=checkpoint_every_epochs * steps_per_epoch,
        steps_per_unit=steps_per_epoch,
    )
    write_model(model_path, "vae", model, config, audio, state.step)
    return tracker
