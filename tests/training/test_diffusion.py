import math

import pytest
import torch

from kickpipe.checkpoints import load_model
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import PAD
from kickpipe.training.diffusion import (
    DiffusionObjective,
    draw_weights,
    drawn_indices,
    latent_statistics,
    pad_keywords,
    train_diffusion,
)
from training.tiny import AUDIO, DIFFUSION

SCHEDULE = NoiseSchedule(100, 1e-4, 0.02)
WORDS = Vocabulary(("deep", "hard", "808"), (4, 3, 3))


def train(folder, num_val=2, preview=None, words=WORDS, weights=None, **changes):
    latents = 5 + 3 * torch.randn(12, 2, 3, 5, generator=torch.Generator().manual_seed(0))
    keywords = [("deep", "808"), ("hard", "unknown"), ()] * 4
    return train_diffusion(
        latents[num_val:],
        keywords[num_val:],
        latents[:num_val],
        keywords[:num_val],
        words,
        weights,
        audio=AUDIO,
        **{**DIFFUSION, **changes},
        fingerprint="f" * 64,
        runs=folder / "runs",
        model_path=folder / "diffusion.safetensors",
        preview=preview,
    )


def test_the_loss_is_the_squared_error_of_the_predicted_noise():
    seen = {}

    def model(noised, timestep, ids):
        seen.update(noised=noised, timestep=timestep, ids=ids)
        return torch.full_like(noised, 2.0)

    latent, noise = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    timestep, ids = torch.tensor([0, 50, 99]), torch.tensor([[0], [1], [PAD]])
    loss = DiffusionObjective(SCHEDULE, 0.15)(model, latent, ids, timestep, noise)
    assert loss.item() == pytest.approx((noise - 2).square().mean().item())
    assert torch.equal(seen["noised"], SCHEDULE.add_noise(latent, noise, timestep))
    assert torch.equal(seen["timestep"], timestep)
    assert torch.equal(seen["ids"], ids)


def test_a_model_that_predicts_the_noise_has_no_loss():
    noise = torch.randn(2, 2, 4, 4)
    arguments = (torch.zeros(2, 2, 4, 4), torch.zeros(2, 0, dtype=torch.long), torch.tensor([1, 2]), noise)
    assert DiffusionObjective(SCHEDULE, 0.0)(lambda *_: noise, *arguments).item() == 0


def test_each_example_loses_all_its_keywords_or_none():
    torch.manual_seed(0)
    ids = torch.tensor([[0, 1, 2]]).expand(20_000, 3)
    dropped = DiffusionObjective(SCHEDULE, 0.15).drop_keywords(ids)
    lost = (dropped == PAD).all(dim=1)
    assert torch.equal(dropped[~lost], ids[~lost])
    share = lost.float().mean().item()
    assert abs(share - 0.15) < 5 * math.sqrt(0.15 * 0.85 / 20_000)


@pytest.mark.parametrize(("probability", "lost"), [(0.0, False), (1.0, True)])
def test_dropout_can_be_none_or_all(probability, lost):
    ids = torch.tensor([[0], [1]])
    assert (DiffusionObjective(SCHEDULE, probability).drop_keywords(ids) == PAD).all().item() is lost
    assert torch.equal(ids, torch.tensor([[0], [1]]))  # the input stays


def test_latent_statistics_standardise_each_channel():
    latents = (
        torch.randn(50, 3, 4, 5) * torch.tensor([1.0, 5.0, 0.1])[:, None, None]
        + torch.tensor([0.0, 9, -2])[:, None, None]
    )
    mean, std = latent_statistics(latents)
    standard = (latents - mean[:, None, None]) / std[:, None, None]
    torch.testing.assert_close(standard.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_a_channel_that_never_changes_divides_by_no_zero():
    mean, std = latent_statistics(torch.full((4, 1, 2, 2), 3.0))
    assert torch.isfinite((torch.full((1,), 3.0) - mean) / std).all()


def test_keyword_ids_are_filled_up_to_the_longest_row():
    assert pad_keywords([[2, 0], [], [1]]).tolist() == [[2, 0], [PAD, PAD], [1, PAD]]
    assert pad_keywords([[], []]).shape == (2, 0)
    assert pad_keywords([]).shape == (0, 0)


def test_secondary_kicks_are_drawn_as_often_as_their_weight_says():
    paths = ["real/a/1.wav", "synth/1.wav", "real/b/synth/2.wav", "synth/x/3.wav"]
    weights = draw_weights(paths, ["synth/*"], 0.25)
    assert weights.tolist() == [1, 0.25, 1, 0.25]
    drawn = torch.stack([drawn_indices(step, weights, 100, seed=3) for step in range(200)])
    shares = drawn.flatten().bincount() / drawn.numel()
    torch.testing.assert_close(shares, weights / weights.sum(), atol=0.02, rtol=0)
    assert torch.equal(drawn[7], drawn_indices(7, weights, 100, seed=3))
    assert not torch.equal(drawn[7], drawn_indices(7, weights, 100, seed=4))


@pytest.mark.parametrize(("secondary", "weight"), [([], 0.1), (["other/*"], 0.1), (["*"], 0.1), (["synth/*"], 1.0)])
def test_without_two_kinds_all_kicks_take_their_turn(secondary, weight):
    assert draw_weights(["real/1.wav", "synth/1.wav"], secondary, weight) is None


def test_the_weights_reach_the_batches(tmp_path):
    weights = torch.full((10,), 1e-9)
    weights[9] = 1.0  # the same noise and steps as without weights, but of one kick
    one = train(tmp_path / "one", weights=weights).rows
    assert all(math.isfinite(row["loss"]) for row in one)
    assert one[-1]["loss"] != train(tmp_path / "all").rows[-1]["loss"]


def test_the_model_file_holds_the_average_the_vocabulary_and_the_statistics(tmp_path):
    train(tmp_path)
    file = load_model(tmp_path / "diffusion.safetensors", "diffusion")
    state = torch.load(next(tmp_path.rglob("diffusion_step_6.pt")), weights_only=True)
    for name, tensor in file.model.state_dict().items():
        assert torch.equal(tensor, state["ema"][name])
    assert file.extra["vocabulary"] == state["vocabulary"] == ["deep", "hard", "808"]
    assert file.extra["keyword_counts"] == [4, 3, 3]
    assert file.extra["latent_shape"] == [2, 3, 5]
    assert file.extra["latent_mean"] == pytest.approx([5, 5], abs=1)
    assert file.extra["latent_std"] == pytest.approx([3, 3], abs=1)
    assert file.extra["schedule"] == {"num_timesteps": 20, "beta_start": 1e-4, "beta_end": 0.02}


def test_states_hold_what_is_specified(tmp_path):
    train(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*.pt")) == ["diffusion_step_4.pt", "diffusion_step_6.pt"]
    state = torch.load(next(tmp_path.rglob("diffusion_step_6.pt")), weights_only=True)
    assert {"model", "ema", "text_encoder", "vocabulary", "config", "optimizer", "step"} <= set(state)


def test_the_curves_have_a_row_a_validation(tmp_path):
    rows = train(tmp_path).rows
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert all({"loss", "grad_norm", "val_loss", "val_ema_distance"} <= set(row) for row in rows)


def test_the_first_loss_is_that_of_predicting_nothing(tmp_path):
    # the output starts at zero, so the error is the variance of the noise: 1
    rows = train(tmp_path, lr=1e-12, iterations=20, validate_every=20, checkpoint_every=20).rows
    num_values = 20 * 2 * 4 * 2 * 3 * 5
    assert abs(rows[0]["loss"] - 1) < 5 * math.sqrt(2 / num_values)


@pytest.mark.parametrize("num_val", [0, 1])
def test_few_or_no_validation_kicks_are_fine(tmp_path, num_val):
    rows = train(tmp_path, num_val=num_val).rows
    assert ("val_loss" in rows[-1]) is bool(num_val)


def test_a_library_without_keywords_trains_an_unconditional_model(tmp_path):
    train(tmp_path, words=Vocabulary((), ()))
    file = load_model(tmp_path / "diffusion.safetensors", "diffusion")
    assert file.extra["vocabulary"] == []
    with torch.inference_mode():
        assert (
            file.model(torch.randn(1, 2, 3, 5), torch.tensor([3]), torch.zeros(1, 0, dtype=torch.long)).isfinite().all()
        )


def test_what_is_shown_changes_nothing(tmp_path):
    shown = []

    def preview(latents):
        shown.append(latents)
        return torch.zeros(len(latents), *AUDIO.mel_shape)

    train(tmp_path / "a", preview=preview)
    train(tmp_path / "b")
    assert (tmp_path / "a/diffusion.safetensors").read_bytes() == (tmp_path / "b/diffusion.safetensors").read_bytes()
    assert len(shown) == 3
    assert shown[0].shape == (8, 2, 3, 5)


def test_words_of_the_start_keep_their_embeddings_and_its_statistics_are_used(tmp_path):
    train(tmp_path / "a")
    start = tmp_path / "a" / "diffusion.safetensors"
    words = Vocabulary(("808", "soft"), (3, 2))
    train(tmp_path / "b", words=words, init_from=str(start), lr=1e-12, iterations=1)
    old, new = load_model(start, "diffusion"), load_model(tmp_path / "b" / "diffusion.safetensors", "diffusion")
    embeddings = [file.model.text.embedding.weight for file in (old, new)]
    torch.testing.assert_close(embeddings[1][0], embeddings[0][2], atol=1e-9, rtol=0)
    assert new.extra["vocabulary"] == ["808", "soft"]
    assert new.extra["latent_mean"] == pytest.approx(old.extra["latent_mean"])
