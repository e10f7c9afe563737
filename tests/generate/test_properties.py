"""Whatever one passes: a clear error or a valid kick, and nothing half-written."""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tiny_models import WORDS, write_tiny_models

from kickpipe.audio.finish import finish
from kickpipe.audio.wav import AudioFile, read, write
from kickpipe.common.errors import KickpipeError
from kickpipe.generate import KickGenerator
from kickpipe.generate.files import write_batch
from kickpipe.generate.names import slug
from kickpipe.generate.options import FileOptions
from kickpipe.generate.recipe import Recipe

QUICK = hypothesis_settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

numbers = st.one_of(st.floats(), st.integers(-(10**12), 10**12))
prompts = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    st.lists(st.sampled_from([f"{word}:{weight}" for word in WORDS for weight in (0.3, 2)]), max_size=3).map(" ".join),
    st.text(max_size=40),
    st.text("größe 深い🥁:-_.", max_size=40),
    st.just("deep " * 5000),
)


@pytest.fixture(scope="module")
def generator(tmp_path_factory, settings) -> KickGenerator:
    return KickGenerator.load(write_tiny_models(tmp_path_factory.mktemp("checkpoints"), settings))


def test_valid_arguments_are_not_refused(generator):
    for sampler in ("ddpm", "ddim", "dpm-solver++"):
        kicks = generator.generate("deep:0.3 808", negative="hard", count=2, seed=2**63 - 1, sampler=sampler, steps=4)
        assert len(kicks) == 2


def check(generator, kick) -> None:
    assert kick.waveform.shape == (generator.settings.num_samples,)
    assert np.isfinite(kick.waveform).all()
    assert np.abs(kick.finish().samples).max() == pytest.approx(10 ** (-1 / 20), rel=1e-4)


@QUICK
@given(
    prompt=prompts,
    negative=prompts,
    count=st.sampled_from([1, 1, 1, 2, 3, 3, 0, -2, 10**9]),
    seed=st.sampled_from([0, 1, 2**31, 2**63 - 1, 2**63, -1]),
    guidance=st.sampled_from([0, 1, 2.5, -1.0, 30.0, math.nan, -math.inf, 1e300]),
    steps=st.sampled_from([1, 2, 3, 4, 0, -1, 1001, 10**9]),
    sampler=st.sampled_from(["ddpm", "ddim", "dpm-solver++", "dpm-solver++", "euler"]),
    vocoder=st.sampled_from(["auto", "hifigan", "hifigan+griffin-lim", "wavenet"]),
)
def test_generate_gives_valid_kicks_or_a_clear_error(
    generator, prompt, negative, count, seed, guidance, steps, sampler, vocoder
):
    try:
        kicks = generator.generate(
            prompt,
            negative=negative,
            count=count,
            seed=seed,
            guidance=guidance,
            steps=steps,
            sampler=sampler,
            vocoder=vocoder,
        )
    except KickpipeError as error:
        assert len(str(error)) > 10
        return
    assert len(kicks) == count
    for kick in kicks:
        check(generator, kick)
        assert Recipe.from_dict(kick.recipe.to_dict()) == kick.recipe


@QUICK
@given(
    length=st.one_of(st.integers(0, 50), st.integers(1000, 120_000)),
    rate=st.sampled_from([1, 999, 8000, 22050, 44100, 48000, 192000]),
    channels=st.sampled_from([1, 2, 5, 8]),
    level=st.sampled_from([0.0, 1e-9, 0.001, 1.0, 50.0, math.nan, math.inf]),
    strength=st.one_of(st.floats(0, 1), numbers),
)
def test_any_audio_is_varied_or_refused(generator, length, rate, channels, level, strength):
    noise = np.random.default_rng(length).uniform(-1, 1, (length, channels))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some 'kick' 🥁.wav"
        soundfile.write(path, (noise * level).astype(np.float32), rate, "FLOAT")
        try:
            kick = next(generator.vary(path, "deep", strength=strength, steps=2))
        except KickpipeError as error:
            assert str(error)
            return
        check(generator, kick)
        assert level not in (0.0, 1e-9) and math.isfinite(level) and 0 <= strength <= 1


@QUICK
@given(begin=numbers, end=numbers, strength=numbers)
def test_any_time_is_made_anew_or_refused(generator, begin, end, strength):
    source = np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32)
    try:
        kick = next(generator.inpaint(source, begin, end, strength=strength, steps=1))
    except KickpipeError as error:
        assert str(error)
        return
    check(generator, kick)
    assert 0 <= begin < end and begin < 2044


@QUICK
@given(
    samples=st.lists(st.floats(-2, 2), max_size=200),
    peak_db=st.one_of(numbers, st.floats(-60, 0)),
    length_ms=st.one_of(st.none(), numbers, st.floats(5, 300)),
    fade_ms=st.one_of(numbers, st.floats(0, 300)),
    tune=st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["F#1", "46.2", "C"])),
)
def test_finishing_keeps_its_promises_or_refuses(samples, peak_db, length_ms, fade_ms, tune):
    try:
        finished = finish(
            np.array(samples, np.float64), 44100, peak_db=peak_db, length_ms=length_ms, fade_ms=fade_ms, tune=tune
        )
    except KickpipeError as error:
        assert str(error)
        return
    assert len(finished.samples) >= 1
    assert np.abs(finished.samples).max() == pytest.approx(10 ** (peak_db / 20), rel=1e-4)
    if length_ms is not None:
        assert len(finished.samples) == round(length_ms * 44.1)


@QUICK
@given(
    samples=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=300),
    texts=st.dictionaries(
        st.sampled_from(["INAM", "ICMT", "ISFT"]),
        st.text(st.characters(exclude_characters="\0\n", codec="utf-8"), max_size=60),
    ),
    encoding=st.sampled_from(["pcm16", "pcm24", "float32"]),
)
def test_any_samples_and_texts_survive_a_wav_file(tmp_path, samples, texts, encoding):
    write(tmp_path / "kick.wav", AudioFile(np.array(samples, np.float32), 44100, texts), encoding)
    again = read(tmp_path / "kick.wav")
    assert again.info == texts
    step = {"pcm16": 2.0**-15, "pcm24": 2.0**-23, "float32": 0.0}[encoding]
    assert np.abs(again.samples - np.array(samples, np.float32)).max() <= step


@QUICK
@given(text=st.text(max_size=80))
def test_any_prompt_makes_a_name_that_every_system_takes(text):
    name = slug(text)
    assert len(name) <= 40
    assert not set(name) & set('/\\:*?"<>|\0 .\n')


@QUICK
@given(container=st.sampled_from(["wav", "flac", "mp3"]), bits=st.integers(8, 33), prompt=prompts)
def test_a_batch_is_written_whole_or_not_at_all(generator, container, bits, prompt):
    with tempfile.TemporaryDirectory() as folder:
        try:
            options = FileOptions(container, bits)
            write_batch(generator.stream(prompt, steps=1), Path(folder), options)
        except KickpipeError:
            assert list(Path(folder).iterdir()) == []
            return
        suffixes = sorted(path.suffix for path in Path(folder).iterdir())
        assert suffixes == sorted([f".{container}", ".json"])
