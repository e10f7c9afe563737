"""The specification, section by section and in its order: values, shapes at every level, losses, files.

A reader who knows it finds each of its lines here. What it calls X of the pipeline is what params.yaml and the modules of
kickpipe give; small networks stand in only where a training has to be run.
"""

import csv
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from specified import Trained, shapes_of, train_all, write_library
from torch import nn

from kickpipe.audio import io
from kickpipe.audio.mel import LogMel, import_transforms
from kickpipe.checkpoints import write_model
from kickpipe.data.aggregate import Filters, aggregate
from kickpipe.data.batches import EpochOrder
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.preprocess import preprocess
from kickpipe.data.split import Split
from kickpipe.data.tables import write_metadata
from kickpipe.data.vocabulary import build_vocabulary, tokenize
from kickpipe.diffusion.guidance import Guided
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.discriminators import MultiPeriodDiscriminator, MultiScaleDiscriminator
from kickpipe.models.hifigan import Generator, ResBlock1
from kickpipe.models.layers import CondResBlock, ResBlock, SelfAttention2d, sinusoidal_embedding
from kickpipe.models.text import PAD, KeywordEncoder
from kickpipe.models.unet import KeywordUNet, LatentUNet
from kickpipe.models.vae import VAE
from kickpipe.params import Params, load_params
from kickpipe.training.average import MovingAverage
from kickpipe.training.device import Precision
from kickpipe.training.diffusion import DiffusionTraining
from kickpipe.training.diffusion_objective import DiffusionObjective
from kickpipe.training.latents import LabelledLatents
from kickpipe.training.optimizer import ConstantRate
from kickpipe.training.state import RunFolder
from kickpipe.training.vae_objective import VaeObjective
from kickpipe.training.vocoder_objective import VocoderObjective
from scripts.preset import apply_preset
from stages import encode_latents

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def params_file(tmp_path_factory) -> Path:
    """params.yaml under the preset "specification": what the released models were trained with may differ from it."""
    path = tmp_path_factory.mktemp("params") / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_preset(path, ROOT / "presets" / "specification.yaml")
    return path


@pytest.fixture(scope="module")
def params(params_file) -> Params:
    return load_params(params_file)


@pytest.fixture(scope="module")
def trained(params_file, tmp_path_factory) -> dict[str, Trained]:
    return train_all(params_file, tmp_path_factory.mktemp("training"))


def kinds_in(module: nn.Module) -> list[type]:
    """Types of the innermost modules, in order."""
    return [type(m) for m in module.modules() if not list(m.children())]


# Audio Parameters


def test_audio_parameters(params):
    audio = params.audio.settings()
    assert audio.sample_rate == 44_100
    assert audio.duration == 2
    assert audio.num_samples == 88_200
    assert audio.n_fft == 2048
    assert audio.hop_length == 512
    assert audio.n_mels == 128
    assert audio.mel_shape == (1, 128, 173)
    assert VAE(audio.n_mels, audio.num_frames).latent_shape == (4, 8, 11)
    assert math.prod((4, 8, 11)) == 352
    assert math.prod(audio.mel_shape) / 352 == pytest.approx(63, abs=0.1)


# Data Pipeline


def test_step_1_collects_renames_and_describes_the_kicks_of_nested_folders(params, tmp_path):
    files = {
        "Pack/Deep/KICK3.WAV": 6_000,
        "Pack/Sub-Kick_808.hard 01 a.wav": 100_000,
        "Pack/kick loop.wav": 6_000,
        "Pack/kick_120bpm.wav": 6_000,
        "Pack/snare.wav": 6_000,
        "Pack/BD_01.wav": 6_000,
        "Pack/bass drum.wav": 6_000,
        "kick tiny.wav": 5 * 1024 - 1,
        "kick huge.wav": 1024**2 + 1,
        "kick small.wav": 5 * 1024,
        "kick large.wav": 1024**2,
    }
    for i, (name, size) in enumerate(files.items()):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([i]) * size)
    p = params.aggregate
    filters = Filters(p.include, p.exclude, p.extensions, p.min_bytes, p.max_bytes)
    result = aggregate(tmp_path / "source", tmp_path / "raw", filters, p.keep_numbers)

    kept = {Path(sample.original_path).name for sample in result.samples}
    assert kept == {"KICK3.WAV", "Sub-Kick_808.hard 01 a.wav", "kick small.wav", "kick large.wav"}
    raw = {path.name for path in (tmp_path / "raw").iterdir()}
    assert raw == {sample.filename for sample in result.samples}
    assert all(re.fullmatch(r"[0-9a-f]{6}_.+", name) for name in raw)
    assert any(name.endswith("_KICK3.WAV") for name in raw)

    write_metadata(tmp_path / "metadata.csv", result.samples)
    with (tmp_path / "metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["filename", "original_path", "keywords"]
    keywords = {row["original_path"]: row["keywords"] for row in rows}
    assert keywords["Pack/Sub-Kick_808.hard 01 a.wav"] == "sub kick hard"


def test_step_1_keywords_are_lowercased_parts_without_numbers_and_single_letters():
    assert tokenize("Deep-Kick_Sub.big 03 x 12.wav") == ["deep", "kick", "sub", "big"]


def test_step_2_preprocesses_in_nine_steps(params, tmp_path):
    audio = params.audio.settings()
    samples = np.random.default_rng(0).normal(scale=0.2, size=(48_000 * 3, 2)).astype(np.float32)
    (tmp_path / "raw").mkdir()
    soundfile.write(tmp_path / "raw" / "kick.wav", samples, 48_000, subtype="FLOAT")

    loaded, rate = io.decode(tmp_path / "raw" / "kick.wav")  # 1
    assert np.array_equal(loaded, samples.T)
    assert rate == 48_000
    mono = io.to_mono(loaded)  # 2
    assert np.allclose(mono, samples.mean(axis=1), atol=1e-6)
    resampled = io.resample(mono, 48_000, 44_100)  # 3
    assert len(resampled) == 44_100 * 3
    fitted = io.fit(resampled, audio.num_samples)  # 4
    assert np.array_equal(fitted, resampled[:88_200])
    assert np.array_equal(io.fit(resampled[:10], 88_200)[:10], resampled[:10])
    assert not io.fit(resampled[:10], 88_200)[10:].any()
    normalised = io.normalise(fitted, audio.peak_db)  # 5
    assert np.abs(normalised).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)
    faded = io.fade_out(normalised, 8_820)  # 6: 0.2 s
    assert np.array_equal(faded[:-8_820], normalised[:-8_820])
    ramp = np.linspace(1, 0, 8_820)
    assert np.allclose(faded[-8_820:], normalised[-8_820:] * ramp, atol=2e-4)
    prepared = io.prepare(tmp_path / "raw" / "kick.wav", audio)
    assert np.allclose(prepared[:80_000], faded[:80_000], atol=1e-3)

    transform = import_transforms().MelSpectrogram(44_100, n_fft=2048, hop_length=512, n_mels=128)
    mel = transform(torch.from_numpy(prepared)[None])  # 7
    expected = torch.log(mel.clamp(min=1e-5))  # 8
    assert torch.equal(LogMel(audio)(torch.from_numpy(prepared)[None])[0], expected)

    preprocess(tmp_path / "raw", tmp_path / "processed", ["kick.wav"], audio, workers=1)  # 9
    saved = torch.load(tmp_path / "processed" / "kick.wav.pt", weights_only=True)
    assert saved.shape == (1, 128, 173)
    assert saved.dtype == torch.float32
    assert torch.allclose(saved, expected, atol=1e-4)


# VAE Training


def test_vae_encoder(params):
    vae = VAE(128, 173, params.vae.channels, params.vae.latent_channels)
    mel = torch.randn(2, 1, 128, 173)
    assert shapes_of(vae.encoder.stages, vae, mel) == [(32, 64, 87), (64, 32, 44), (128, 16, 22), (256, 8, 11)]
    for stage in vae.encoder.stages:
        assert isinstance(stage[0], nn.Conv2d)
        assert stage[0].stride == (2, 2)
        assert isinstance(stage[1], ResBlock)
    assert set(kinds_in(ResBlock(32))) == {nn.GroupNorm, nn.Conv2d}  # with SiLU as a function between them
    for head in (vae.encoder.mu, vae.encoder.logvar):
        assert head.kernel_size == (1, 1)
    mu, logvar = vae.encode(mel)
    assert mu.shape == logvar.shape == (2, 4, 8, 11)


def test_vae_decoder_mirrors_the_encoder_and_crops(params):
    vae = VAE(128, 173, params.vae.channels, params.vae.latent_channels)
    latent = torch.randn(2, 4, 8, 11)
    grown = shapes_of(vae.decoder.stages, vae.decoder, latent)
    assert grown == [(128, 16, 22), (64, 32, 44), (32, 64, 88), (1, 128, 174)]
    assert vae.decoder.sizes == ((16, 22), (32, 44), (64, 87), (128, 173))
    assert all(isinstance(stage[-1], nn.ConvTranspose2d) for stage in vae.decoder.stages)
    assert vae.decode(latent).shape == (2, 1, 128, 173)


def test_vae_reparameterisation():
    vae = VAE(16, 16, (4,), 2)
    mel, noise = torch.randn(2, 1, 16, 16), torch.randn(2, 2, 8, 8)
    recon, mu, logvar = vae.train()(mel, noise)
    assert torch.allclose(recon, vae.decode(mu + torch.exp(logvar / 2) * noise), atol=1e-5)
    recon, mu, _ = vae.eval()(mel)  # no sampling
    assert torch.equal(recon, vae.decode(mu))


def test_vae_loss(params):
    p = params.vae
    objective = VaeObjective(p.kl_weight_start, p.kl_weight_end, p.kl_anneal_epochs, p.convergence_weight)
    recon, target = torch.tensor([1.0, 2.0, 5.0]).reshape(1, 1, 1, 3), torch.zeros(1, 1, 1, 3)
    mu, logvar = torch.tensor([1.0, -2.0]).reshape(1, 2, 1, 1), torch.tensor([0.0, math.log(4)]).reshape(1, 2, 1, 1)
    kl = 0.5 * (1 + 1 - 1 - 0) + 0.5 * (4 + 4 - 1 - math.log(4))
    terms = objective(recon, target, mu, logvar, epoch=20)
    assert terms["mse"].item() == pytest.approx(10)
    assert terms["l1"].item() == pytest.approx(8 / 3)
    assert terms["kl"].item() == pytest.approx(kl)
    assert terms["loss"].item() == pytest.approx(10 + 8 / 3 + 0.001 * kl)
    assert objective.kl_weight(0) == pytest.approx(0.0001)
    assert objective.kl_weight(10) == pytest.approx(0.00055)
    assert objective.kl_weight(20) == objective.kl_weight(99) == pytest.approx(0.001)


def test_vae_training_config(params):
    assert params.vae.batch_size == 32
    assert params.vae.lr == 1e-4
    assert params.vae.epochs == 100
    assert params.vae.mixed_precision is True
    assert params.vae.checkpoint_every_epochs == 10
    assert params.states.keep is None  # every checkpoint stays


def test_vae_checkpoint(params, trained):
    folder = RunFolder("runs", "0" * 64, "vae", "epoch", params.states.keep)
    assert folder.numbered(params.vae.epochs).name == "vae_epoch_100.pt"
    state = trained["vae"].states["vae_epoch_10.pt"]
    assert {"model", "optimizer", "config"} <= state.keys()
    assert state["model"].keys() == trained["vae"].file.model.state_dict().keys()
    (group,) = state["optimizer"]["param_groups"]
    assert group["lr"] == 1e-4
    assert group["decoupled_weight_decay"] is True  # AdamW


def test_pre_encoding_saves_the_mean_of_every_latent(params, tmp_path, monkeypatch):
    vae = VAE(128, 173, (4, 4, 8, 8), 4).eval()
    config = {"n_mels": 128, "num_frames": 173, "channels": [4, 4, 8, 8], "latent_channels": 4}
    write_model(tmp_path / "checkpoints" / "vae.safetensors", "vae", vae, config, params.audio.settings(), 1)
    mels = torch.randn(2, 1, 128, 173)
    (tmp_path / "data" / "processed").mkdir(parents=True)
    rows = ["filename,original_path,keywords"]
    for i, mel in enumerate(mels):
        torch.save(mel, tmp_path / "data" / "processed" / f"00000{i}_kick.wav.pt")
        rows.append(f"00000{i}_kick.wav,kick{i}.wav,kick")
    (tmp_path / "data" / "metadata.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    encode_latents.main()
    for i, mel in enumerate(mels):
        latent = torch.load(tmp_path / "data" / "latents" / f"00000{i}_kick.wav.pt", weights_only=True)
        assert latent.shape == (4, 8, 11)
        assert torch.allclose(latent, vae.encode(mel[None])[0][0], atol=1e-5)


# Diffusion Model Training


def unet_of(params: Params) -> LatentUNet:
    p = params.diffusion
    return LatentUNet(params.vae.latent_channels, p.channels, p.time_dim, p.cond_dim)


def test_unet_shapes(params):
    unet = unet_of(params)
    inputs = (torch.randn(2, 4, 8, 11), torch.tensor([1, 999]), torch.randn(2, 256))
    down = [unet.input, unet.down_blocks[0], unet.downsamples[0], unet.down_blocks[1], unet.downsamples[1]]
    expected = [(64, 8, 11), (64, 8, 11), (128, 4, 6), (128, 4, 6), (256, 2, 3)]
    assert shapes_of(down, unet, *inputs) == expected
    assert shapes_of([unet.mid_block1, unet.mid_attention, unet.mid_block2], unet, *inputs) == [(256, 2, 3)] * 3
    assert shapes_of(unet.up_stages, unet, *inputs) == [(128, 4, 6), (64, 8, 11)]
    assert unet(*inputs).shape == (2, 4, 8, 11)


def test_unet_layers(params):
    unet = unet_of(params)
    assert all(layer.stride == (2, 2) for layer in unet.downsamples)
    assert [type(m) for m in (*unet.down_blocks, unet.mid_block1)] == [CondResBlock] * 3
    assert [type(m) for m in (unet.mid_attention, unet.mid_block2)] == [SelfAttention2d, CondResBlock]
    for stage, channels in zip(unet.up_stages, (128, 64), strict=True):
        assert isinstance(stage.upsample, nn.ConvTranspose2d)
        assert (stage.reduce.in_channels, stage.reduce.out_channels) == (2 * channels, channels)  # concat + 1x1
        assert stage.reduce.kernel_size == (1, 1)
        assert isinstance(stage.block, CondResBlock)
    assert isinstance(unet.norm, nn.GroupNorm)
    assert isinstance(unet.output, nn.Conv2d)


def test_unet_conditioning(params):
    unet = unet_of(params)
    assert params.diffusion.time_dim == 64
    assert sinusoidal_embedding(torch.tensor([1, 2]), 64).shape == (2, 64)
    assert unet.time(torch.tensor([1, 2])).shape == (2, 256)
    nn.init.normal_(unet.output.weight, std=0.1)
    latent, text = torch.randn(1, 4, 8, 11), torch.randn(1, 256)
    early, late = torch.tensor([10]), torch.tensor([900])
    swapped = text + unet.time(early) - unet.time(late)  # only the sum of timestep and text embedding counts
    assert torch.allclose(unet(latent, early, text), unet(latent, late, swapped), atol=1e-4)


def test_text_encoder(params):
    p = params.diffusion
    text = KeywordEncoder(7, p.embedding_dim, p.cond_dim)
    assert text.embedding.weight.shape == (7, 64)
    assert isinstance(text.projection, nn.Linear)
    out = text(torch.tensor([[2, 5], [PAD, PAD]]))
    assert out.shape == (2, 256)
    assert torch.allclose(out[0], text.projection(text.embedding.weight[[2, 5]].mean(0)), atol=1e-5)
    assert torch.allclose(out[1], text.projection(text.null_embedding), atol=1e-5)
    assert text.null_embedding.requires_grad


def test_vocabulary_has_the_keywords_of_at_least_five_kicks(params):
    assert params.diffusion.min_count == 5
    words, _ = build_vocabulary([["deep", "808"]] * 4 + [["deep"]], params.diffusion.min_count)
    assert words == ["deep"]


def test_noise_schedule(params):
    p = params.diffusion
    schedule = NoiseSchedule(p.num_timesteps, p.beta_start, p.beta_end)
    assert torch.allclose(schedule.betas, torch.linspace(0.0001, 0.02, 1000), atol=1e-8)
    assert torch.allclose(schedule.alpha_bar, torch.cumprod(1 - schedule.betas, 0), rtol=1e-3)


def test_classifier_free_guidance(params):
    objective = DiffusionObjective(NoiseSchedule(), params.diffusion.keyword_dropout)
    torch.manual_seed(0)
    ids = objective.drop_keywords(torch.zeros(20_000, 3, dtype=torch.long))
    emptied = (ids == PAD).all(dim=1)
    assert torch.equal(emptied, (ids == PAD).any(dim=1))  # all keywords of a sample, or none
    assert emptied.float().mean().item() == pytest.approx(0.15, abs=0.01)

    cond, uncond = torch.ones(1, 2), torch.zeros(1, 2)
    guided = Guided(lambda x, t, c: x + c[:, :1, None, None], cond, uncond, 3.0)
    assert torch.allclose(guided(torch.zeros(1, 1, 2, 2), torch.tensor([5])), torch.full((1, 1, 2, 2), 3.0))


def test_diffusion_loss_is_the_error_of_the_predicted_noise():
    objective = DiffusionObjective(NoiseSchedule(), 0.15)
    latent, noise, timestep = torch.zeros(2, 4, 8, 11), torch.randn(2, 4, 8, 11), torch.tensor([3, 800])
    assert objective(lambda x, t, ids: noise, latent, torch.tensor([[0], [1]]), timestep, noise) == 0
    loss = objective(lambda x, t, ids: noise + 2, latent, torch.tensor([[0], [1]]), timestep, noise)
    assert loss.item() == pytest.approx(4)


def test_diffusion_training_config(params):
    p = params.diffusion
    assert (p.batch_size, p.lr, p.iterations, p.gradient_accumulation) == (16, 1e-4, 100_000, 2)
    assert p.mixed_precision is True
    assert (p.ema_decay, p.ema_warmup) == (0.9999, False)
    assert p.keyword_dropout == 0.15
    assert p.checkpoint_every == 5_000


def test_an_optimiser_step_accumulates_the_gradients_of_two_batches_of_sixteen(params):
    p = params.diffusion
    model = KeywordUNet(3, 4, (8, 8, 8), p.time_dim, p.cond_dim, p.embedding_dim)
    latents = LabelledLatents(torch.randn(40, 4, 8, 11), torch.zeros(40, 1, dtype=torch.long))
    training = DiffusionTraining(
        model,
        MovingAverage(model, p.ema_decay, p.ema_warmup),
        DiffusionObjective(NoiseSchedule(p.num_timesteps, p.beta_start, p.beta_end), p.keyword_dropout),
        Split(latents, latents),
        order=EpochOrder(40, p.batch_size, p.seed),
        accumulation=p.gradient_accumulation,
        rate=ConstantRate(p.lr),
        precision=Precision(torch.device("cpu"), mixed=False),
    )
    batch = training.batch(0)
    assert [len(part.latents) for part in batch] == [16, 16]
    expected = torch.stack([training.loss(model, part) for part in batch]).mean().item()
    assert training.step(batch, 0)["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert training.optimizer.state[model.unet.output.weight]["step"] == 1


def test_ema_keeps_its_share_of_the_average(params):
    model = nn.Linear(1, 1)
    average = MovingAverage(model, params.diffusion.ema_decay, params.diffusion.ema_warmup)
    nn.init.constant_(average.model.weight, 2.0)
    nn.init.constant_(model.weight, 1002.0)
    average.update(model, step=10**6)
    assert average.model.weight.item() == pytest.approx(0.9999 * 2 + 0.0001 * 1002, rel=1e-6)


def test_diffusion_checkpoint(params, trained):
    folder = RunFolder("runs", "0" * 64, "diffusion", "step", params.states.keep)
    assert folder.numbered(params.diffusion.iterations).name == "diffusion_step_100000.pt"
    states = trained["diffusion"].states
    assert states.keys() == {f"diffusion_step_{step}.pt" for step in (2, 4, 6, 8, 10)}  # one an interval, all kept
    state = states["diffusion_step_10.pt"]
    assert {"model", "ema", "text_encoder", "vocabulary", "config"} <= state.keys()
    assert sorted(state["vocabulary"]) == ["808", "deep", "hard"]
    assert state["optimizer"]["param_groups"][0]["lr"] == 1e-4
    assert state["optimizer"]["param_groups"][0]["decoupled_weight_decay"] is True
    file = trained["diffusion"].file  # what one generates with is the average
    assert all(torch.equal(value, state["ema"][name]) for name, value in file.model.state_dict().items())


# Vocoder Training


def generator_of(params: Params) -> Generator:
    p = params.vocoder
    dilations = (p.resblock_dilations,) * len(p.resblock_kernels)
    return Generator(128, p.channels, p.upsample_rates, p.upsample_kernels, p.resblock_kernels, dilations)


def test_vocoder_generator(params):
    generator = generator_of(params)
    mel = torch.randn(1, 128, 3)
    levels = [(128, 3 * 8), (64, 3 * 64), (32, 3 * 128), (16, 3 * 256), (8, 3 * 512)]
    assert [(c, n) for c, _, n in shapes_of(generator.upsamples, generator, mel)] == levels
    assert shapes_of([generator.input], generator, mel) == [(256, 1, 3)]
    assert generator(mel).shape == (1, 1, 3 * 512)
    assert generator.upsample_factor == 8 * 8 * 2 * 2 * 2 == params.audio.hop_length
    assert (generator.input.in_channels, generator.input.out_channels, generator.input.kernel_size) == (128, 256, (7,))
    assert (generator.output.in_channels, generator.output.out_channels, generator.output.kernel_size) == (8, 1, (7,))
    for blocks in generator.blocks:
        assert [type(block) for block in blocks] == [ResBlock1] * 3
        assert [block.dilated[0].kernel_size for block in blocks] == [(3,), (7,), (11,)]
        assert all([conv.dilation for conv in block.dilated] == [(1,), (3,), (5,)] for block in blocks)
    nn.init.constant_(generator.output.bias, 3.0)
    nn.init.zeros_(generator.output.parametrizations.weight.original0)
    assert torch.allclose(generator(mel), torch.full((1, 1, 1536), math.tanh(3)))


def test_vocoder_discriminators(params):
    p = params.vocoder
    periods = MultiPeriodDiscriminator(p.periods, p.discriminator_width)
    assert [part.period for part in periods.parts] == [2, 3, 5, 7, 11]
    assert [layer.out_channels for layer in periods.parts[0].layers] == [32, 128, 512, 1024, 1024]
    scales = MultiScaleDiscriminator(p.num_scales, p.discriminator_width)
    assert len(scales.parts) == 3
    assert [layer.out_channels for layer in scales.parts[0].layers] == [128, 128, 256, 512, 1024, 1024, 1024]
    lengths = [features[0].shape[-1] for _, features in MultiScaleDiscriminator(3, 0.02)(torch.randn(1, 1, 8192))]
    assert lengths == [8192, 4097, 2049]  # average pooling halves


def test_vocoder_loss(params):
    p = params.vocoder
    audio = params.audio.settings()
    objective = VocoderObjective(audio, p.feature_matching_weight, p.mel_weight, p.stft_weight)
    real = [(torch.tensor([[1.0, 0.5]]), [torch.tensor([1.0, 2.0]), torch.tensor([3.0])])]
    fake = [(torch.tensor([[0.0, 0.2]]), [torch.tensor([1.5, 2.0]), torch.tensor([1.0])])]
    assert objective.discriminator(real, fake).item() == pytest.approx((0 + 0.25) / 2 + (0 + 0.04) / 2)  # LS-GAN

    waveforms = 0.1 * torch.randn(2, 2, 8192)
    terms = objective.generator(*waveforms, real, fake)
    assert terms["adversarial"].item() == pytest.approx((1 + 0.64) / 2)
    assert terms["feature_matching"].item() == pytest.approx(0.25 + 2)
    mels = LogMel(audio)(waveforms.flatten(0, 1))
    assert terms["mel"].item() == pytest.approx((mels[:2] - mels[2:]).abs().mean().item(), rel=1e-4)
    total = terms["adversarial"] + 2.0 * terms["feature_matching"] + 45.0 * terms["mel"]
    assert terms["loss_g"].item() == pytest.approx(total.item())


def test_vocoder_training_config(params):
    p = params.vocoder
    assert 4 <= p.batch_size <= 8
    assert (p.lr, p.betas) == (2e-4, (0.8, 0.99))
    assert p.epochs == 50
    assert (p.segment_size, p.crop) == (8_192, "uniform")
    assert p.mixed_precision is False
    assert p.lr_gamma == 0.999
    assert p.checkpoint_every_epochs == 10
    # what the specification does not have is off
    assert (p.reconstruction_steps, p.discriminator_warmup_steps, p.stft_weight, p.align_polarity) == (0, 0, 0, False)


def test_vocoder_dataset_keeps_paths_only_and_draws_a_crop_an_item(params, tmp_path):
    audio = params.audio.settings()
    names = write_library(tmp_path, audio, 3)
    p = params.vocoder
    folders = (tmp_path / "raw", tmp_path / "processed")
    dataset = VocoderDataset(*folders, names, audio, p.segment_size, p.crop, p.align_polarity)
    kept = vars(dataset).values()
    assert not any(isinstance(value, (torch.Tensor, np.ndarray, bytes)) for value in kept)
    mel, waveform = dataset.pair(0)
    assert mel.shape == (1, 128, 173)
    assert waveform.shape == (88_200,)
    crops = [dataset.crop_at_random(0) for _ in range(8)]
    assert all(mel.shape == (128, 16) and waveform.shape == (8_192,) for mel, waveform in crops)
    assert len({tuple(waveform[:50].tolist()) for _, waveform in crops}) > 1


def test_vocoder_checkpoint(params, trained):
    folder = RunFolder("runs", "0" * 64, "vocoder", "epoch", params.states.keep)
    assert folder.numbered(params.vocoder.epochs).name == "vocoder_epoch_50.pt"
    state = trained["vocoder"].states["vocoder_epoch_10.pt"]
    for name in ("generator", "discriminator", "optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d"):
        assert state[name]
    for side in ("g", "d"):
        (group,) = state[f"optimizer_{side}"]["param_groups"]
        assert tuple(group["betas"]) == (0.8, 0.99)
        assert group["decoupled_weight_decay"] is True
        assert state[f"scheduler_{side}"]["gamma"] == 0.999
        assert group["lr"] == pytest.approx(2e-4 * 0.999**10)  # ten epochs


# Training Hardware, Dependencies


def test_mixed_precision_is_fp16_on_cuda():
    precision = Precision(torch.device("cuda"), mixed=True)
    assert precision.enabled
    assert precision.dtype is torch.float16
    assert not Precision(torch.device("cuda"), mixed=False).enabled


def test_dependencies():
    bounds = ["torch", "torchaudio", "numpy", "pandas", "soundfile", "scipy", "tensorboard", "tqdm"]
    versions = ["2.10.0", "2.10.0", "2.4.2", "3.0.0", "0.13.1", "1.14.0", "2.20.0", "4.67.2"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for name, version in zip(bounds, versions, strict=True):
        assert f"{name}>={version}" in [line.split(",")[0].strip() for line in lines]
