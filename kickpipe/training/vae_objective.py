"""What the VAE is trained to lower.

    loss = MSE(recon, target) + L1(recon, target) + kl_weight * KL + convergence_weight * spectral convergence

MSE and L1 are means over all values; KL is summed over the latent and averaged over the batch (Kingma & Welling 2014,
appendix B): averaged over the latent too, the same weights regularise nothing. Most values of a kick's log-mel are
silence, so MSE and L1 hardly see the few loud ones that are heard; the spectral convergence (Yamamoto et al. 2020,
equation 5), which is not part of the specification, sees little else.
"""

__all__ = ["VaeObjective"]

from dataclasses import dataclass

from torch import Tensor

from kickpipe.audio.spectral import spectral_convergence


@dataclass(frozen=True)
class VaeObjective:
    """The terms and their weights.

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
            convergence = mel_convergence(recon, target)
            terms["loss"] = terms["loss"] + self.convergence_weight * convergence
            terms["convergence"] = convergence
        return terms


def mel_convergence(recon: Tensor, target: Tensor) -> Tensor:
    """Spectral convergence of log-mels of power (B, 1, M, L) in nats, averaged over the batch, a scalar."""
    copy, original = (recon / 2).exp(), (target / 2).exp()
    return spectral_convergence(original, copy).mean()
