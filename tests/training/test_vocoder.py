import math

import pytest
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.checkpoints import load_model
from kickpipe.data.crops import VocoderDataset
from kickpipe.training.vocoder import Discriminators, VocoderObjective, frozen, split_judgements, train_vocoder
from training.tiny import AUDIO, VOCODER, write_pairs

OBJECTIVE = VocoderObjective(AUDIO, feature_matching_weight=2.0, mel_weight=45.0, stft_weight=0.0)


def judged(score, *features):
    """Judgement of one discriminator."""
    return torch.tensor(score), [torch.tensor(feature) for feature in features]


REAL = [judged([1.0, 0.5], [1.0, 2.0]), judged([2.0], [0.0], [3.0])]
FAKE = [judged([0.0, 1.0], [2.0, 2.0]), judged([0.5], [1.0], [1.0])]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    return folder, write_pairs(folder, 6)


def train(pairs, folder, num_val=2, **changes):
    data, names = pairs
    crops = {"segment_size": 512, "crop": "sound", "align_polarity": False}
    sets = [
        VocoderDataset(data / "raw", data / "processed", part, AUDIO, **crops)
        for part in (names[num_val:], names[:num_val])
    ]
    places = {"runs": folder / "runs", "model_path": folder / "vocoder.safetensors"}
    return train_vocoder(*sets, audio=AUDIO, **{**VOCODER, **changes}, fingerprint="f" * 64, **places)


def test_the_discriminators_are_to_say_one_to_real_and_zero_to_fake():
    first = (0 + 0.5**2) / 2 + (0 + 1) / 2  # means of squares over the scores of one discriminator
    second = 1.0 + 0.5**2
    assert OBJECTIVE.discriminator(REAL, FAKE).item() == pytest.approx(first + second)


def test_the_generator_is_to_be_taken_for_real():
    assert OBJECTIVE.adversarial(FAKE).item() == pytest.approx((1 + 0) / 2 + 0.5**2)


def test_features_are_matched_over_all_layers():
    assert OBJECTIVE.feature_matching(REAL, FAKE).item() == pytest.approx(0.5 + 1.0 + 2.0)


def test_features_of_the_real_side_teach_without_being_taught():
    real = [(torch.zeros(1), [torch.zeros(2)])]
    fake = [(torch.zeros(1), [torch.ones(2, requires_grad=True)])]
    OBJECTIVE.feature_matching(real, fake).backward()
    assert fake[0][1][0].grad is not None


def test_the_mel_loss_is_the_distance_of_log_mels_in_nats():
    wave = torch.randn(2, 1024)
    # half the amplitude is a quarter of the power: log 4 nats everywhere above the floor
    assert OBJECTIVE.mel(wave, 0.5 * wave).item() == pytest.approx(math.log(4), rel=1e-3)
    expected = (mel_spectrogram(wave, AUDIO) - mel_spectrogram(wave.flip(1), AUDIO)).abs().mean()
    assert OBJECTIVE.mel(wave, wave.flip(1)).item() == pytest.approx(expected.item())


def test_the_generator_loss_weighs_its_terms_as_specified():
    real, fake = torch.randn(2, 512), torch.randn(2, 512)
    terms = OBJECTIVE.generator(real, fake, REAL, FAKE)
    assert set(terms) == {"loss_g", "mel", "adversarial", "feature_matching"}
    expected = terms["adversarial"] + 2.0 * terms["feature_matching"] + 45.0 * terms["mel"]
    assert terms["loss_g"].item() == pytest.approx(expected.item())


def test_without_judgements_the_spectrogram_alone_counts():
    real, fake = torch.randn(2, 512), torch.randn(2, 512)
    terms = OBJECTIVE.generator(real, fake, [], [])
    assert set(terms) == {"loss_g", "mel"}
    assert terms["loss_g"].item() == pytest.approx(45 * terms["mel"].item())


def test_the_stft_term_knows_equal_and_silent_waveforms_and_not_their_phase():
    objective = VocoderObjective(AUDIO, 2.0, 45.0, 1.0)
    time = torch.arange(8192) / AUDIO.sample_rate
    sine, cosine = (0.5 * wave(2 * math.pi * 1000 * time)[None] for wave in (torch.sin, torch.cos))
    assert objective.stft(sine, sine).item() == 0
    assert objective.stft(sine, -sine).item() == pytest.approx(0, abs=1e-3)
    assert objective.stft(sine, cosine).item() < 0.5 < 1 < objective.stft(sine, torch.zeros_like(sine)).item()
    assert "stft" in objective.generator(sine, cosine, [], [])


def test_the_stft_term_has_a_gradient_in_silence():
    fake = torch.zeros(1, 2048, requires_grad=True)
    VocoderObjective(AUDIO, 2.0, 45.0, 1.0).stft(torch.zeros(1, 2048), fake).backward()
    assert torch.isfinite(fake.grad).all()


def test_judging_two_waveforms_together_is_judging_each():
    torch.manual_seed(0)
    discriminators = Discriminators((2, 3), 2, 0.02).eval()
    real, fake = torch.randn(3, 1, 512), torch.randn(3, 1, 512)
    with torch.inference_mode():
        together = split_judgements(discriminators(torch.cat([real, fake])), 3)
        apart = discriminators(real), discriminators(fake)
    for ours, theirs in zip(together, apart, strict=True):
        assert len(ours) == 4  # two periods, two scales
        for (score, features), (expected, expected_features) in zip(ours, theirs, strict=True):
            torch.testing.assert_close(score, expected)
            for ours_feature, theirs_feature in zip(features, expected_features, strict=True):
                torch.testing.assert_close(ours_feature, theirs_feature)


def test_a_frozen_network_passes_gradients_through_and_learns_nothing():
    layer, x = torch.nn.Linear(2, 1), torch.randn(1, 2, requires_grad=True)
    with frozen(layer):
        layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    assert layer.weight.requires_grad


def test_states_hold_both_sides_of_the_game(pairs, tmp_path):
    train(pairs, tmp_path)
    names = sorted(path.name for path in tmp_path.rglob("*.pt"))
    assert names == ["vocoder_epoch_2.pt", "vocoder_epoch_3.pt"]
    state = torch.load(next(tmp_path.rglob("vocoder_epoch_3.pt")), weights_only=True)
    expected = {"generator", "discriminator", "optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d"}
    assert expected <= set(state)
    generator = load_model(tmp_path / "vocoder.safetensors", "vocoder").model.state_dict()
    assert all(torch.equal(tensor, state["generator"][name]) for name, tensor in generator.items())


def test_the_learning_rate_falls_once_an_epoch(pairs, tmp_path):
    rows = train(pairs, tmp_path, batch_size=2).rows  # 2 steps an epoch
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert [row["lr"] for row in rows] == pytest.approx([1e-3, 0.9e-3, 0.81e-3])


def test_terms_begin_with_the_part_of_the_training_they_belong_to(pairs, tmp_path):
    # one step without discriminators, one in which only they learn, then the game
    rows = train(pairs, tmp_path).rows
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert {"loss_g", "mel", "stft", "grad_norm_g", "lr", "val_mel", "val_stft"} <= set(rows[0])
    assert not {"loss_d", "adversarial"} & set(rows[0])
    assert {"loss_d", "grad_norm_d"} <= set(rows[1])
    assert "adversarial" not in rows[1]
    assert {"adversarial", "feature_matching", "loss_d"} <= set(rows[2])


def test_discriminators_stay_as_they_are_before_their_time(pairs, tmp_path):
    train(pairs, tmp_path, reconstruction_steps=100)
    states = [torch.load(path, weights_only=True) for path in sorted(tmp_path.rglob("*.pt"))]
    first, last = (state["discriminator"] for state in states)
    assert all(torch.equal(tensor, last[name]) for name, tensor in first.items())
    generators = [state["generator"] for state in states]
    assert not all(torch.equal(tensor, generators[1][name]) for name, tensor in generators[0].items())


def test_without_validation_kicks_it_trains_all_the_same(pairs, tmp_path):
    rows = train(pairs, tmp_path, num_val=0).rows
    assert not any(name.startswith("val_") for name in rows[-1])


def test_the_same_run_gives_the_same_file(pairs, tmp_path):
    files = []
    for name in "ab":
        torch.manual_seed(hash(name) % 100)
        train(pairs, tmp_path / name)
        files.append((tmp_path / name / "vocoder.safetensors").read_bytes())
    assert files[0] == files[1]
