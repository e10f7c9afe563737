"""Fixtures that several tests share."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import hypothesis
import pytest

from kickpipe.audio.settings import AudioSettings

ROOT = Path(__file__).parents[1]

# A shell has its background jobs ignore Ctrl-C, and what they start inherits that: tests of Ctrl-C would wait for nothing
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, not whether it passes
hypothesis.settings.register_profile("kickpipe", deadline=None)
hypothesis.settings.load_profile("kickpipe")


@pytest.fixture(autouse=True)
def seed() -> None:
    """Every test draws the same numbers, alone and after others."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def kicks() -> Path:
    """A few dozen real kicks, described by ``kicks.csv`` in it."""
    return ROOT / "tests" / "fixtures" / "kicks"


@pytest.fixture(scope="session")
def library() -> Path:
    """A folder of hundreds of real samples of many formats, described by ``library.csv`` beside it."""
    path = Path(os.environ.get("KICKPIPE_TEST_LIBRARY", ROOT.parent / "shared" / "library"))
    if not path.is_dir():
        pytest.skip("no folder of real samples: set KICKPIPE_TEST_LIBRARY to one, with its library.csv beside it")
    return path


@pytest.fixture(scope="session")
def settings() -> AudioSettings:
    """The specified audio settings."""
    return AudioSettings(
        sample_rate=44100,
        duration=2.0,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        peak_db=-1.0,
        fade_seconds=0.2,
        mel_floor=1e-5,
    )


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """A disk that is full after so many bytes a file: ``with file_size_limit(1000): ...``."""
    resource = pytest.importorskip("resource", reason="no limits on file sizes on this system")

    @contextmanager
    def limit(num_bytes: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
