import subprocess
import sys

import numpy as np
import pytest

from kickpipe.audio.descriptors import DESCRIPTORS
from kickpipe.audio.io import AudioError
from kickpipe.evaluation.workers import measure_all, parallel, prepare_all
from kickpipe.synth import synthesise


def test_a_worker_starts_without_torch():
    code = "import sys, kickpipe.evaluation.workers; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    assert list(parallel(divmod, ((i, 3) for i in range(7)), workers)) == [divmod(i, 3) for i in range(7)]


def test_a_file_that_cannot_be_used_stops_with_its_reason(tmp_path, settings):
    (tmp_path / "broken.wav").write_text("no sound")
    with pytest.raises(AudioError):
        prepare_all([tmp_path / "broken.wav"], settings)


def test_silence_has_a_defect_and_no_descriptors():
    kick = synthesise(0, 0)
    (descriptors, defects), (nothing, silent) = measure_all(np.stack([kick, 0 * kick]), 44100, 512)
    assert not defects["silent"] and np.isfinite(descriptors["decay_20_ms"])
    assert silent["silent"] and set(nothing) == set(DESCRIPTORS) and all(np.isnan(list(nothing.values())))
