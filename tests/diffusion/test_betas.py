import math

import pytest

from kickpipe.diffusion.betas import MAX_TIMESTEPS, check_betas, log_signal_left
from kickpipe.diffusion.schedule import NoiseSchedule


@pytest.mark.parametrize(("steps", "first", "last"), [(1000, 1e-4, 0.02), (50, 1e-3, 0.5), (1, 0.3, 0.3)])
def test_the_signal_left_is_that_of_the_schedule(steps, first, last):
    check_betas(steps, first, last)
    left = NoiseSchedule(steps, first, last).alpha(steps - 1) ** 2
    assert log_signal_left(steps, first, last) == pytest.approx(math.log(left), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1e-4, 0.02), "num_timesteps: expected a whole number from 1 to"),
        ((MAX_TIMESTEPS + 1, 1e-4, 0.02), "num_timesteps: expected a whole number from 1 to"),
        ((1000, 0.0, 0.02), "expected 0 < beta_start <= beta_end < 1"),
        ((1000, 0.02, 0.01), "expected 0 < beta_start <= beta_end < 1, found 0.02 and 0.01"),
        ((1000, 0.02, 1.0), "expected 0 < beta_start <= beta_end < 1"),
        ((1000, 0.02, 0.9), "1000 of beta 0.02 to 0.9 leave nothing of a latent; expected fewer timesteps or smaller"),
    ],
)
def test_schedules_that_cannot_be_denoised_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_betas(*arguments)
