"""What a demo says: stage n of 7, and a time left that follows what stages really took."""

from pathlib import Path

import pytest

from scripts.demo.plan import Speed, make_plan
from scripts.demo.progress import StageProgress

ROOT = Path(__file__).parents[3]
PLAN = make_plan(ROOT, 150, True)
STAGES = PLAN.stages
NUM_STAGES = len(STAGES)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def progress(clock, said) -> StageProgress:
    return StageProgress(PLAN, Speed(), [], said.append, clock)


def test_a_stage_is_announced_with_its_number_and_the_time_left(progress, said):
    progress.line("Running stage 'aggregate':")
    progress.line("> python -m stages.aggregate")
    progress.line("Running stage 'preprocess':")
    assert len(said) == 2
    assert said[1].startswith(f"stage 2 of {NUM_STAGES}: preprocess, ")
    assert said[1].endswith(" left in all")
    assert progress.where == f"in stage 2 of {NUM_STAGES} (preprocess)"


def test_a_stage_that_was_done_before_counts(progress, said):
    progress.line("Stage 'aggregate' didn't change, skipping")
    progress.line("Running stage 'preprocess':")
    assert said[-1].startswith(f"stage 2 of {NUM_STAGES}: preprocess, ")


def test_a_line_of_progress_becomes_how_far_and_how_long_still(progress, clock, said):
    progress.remaining = ["train_vocoder"]
    progress.line("Running stage 'train_vocoder':")
    clock.now = 30.0
    progress.line("train_vocoder: 1,200/2,400 steps (50%), 40 steps/s, 30 s left")
    assert said[-1] == "  1,200 of 2,400, 30 s left in all"


def test_parts_of_the_evaluation_are_named_and_do_not_count_as_all_of_it(progress, clock, said):
    progress.remaining = ["evaluate"]
    progress.line("Running stage 'evaluate':")
    clock.now = 10.0
    progress.line("round trips: 6/8 kicks (75%), 1.2 kicks/s, 2 s left")
    assert said[-1] == f"  round trips: 6 of 8, {round(progress.expected['evaluate'] - 10)} s left in all"
    progress.line("  kernel         5.82 (3.68 to 6.13)")
    assert len(said) == 2


def test_stages_that_take_twice_as_long_make_the_rest_longer(progress, clock):
    before = progress.seconds_left()
    for stage in ("aggregate", "preprocess", "train_vae"):
        progress.line(f"Running stage '{stage}':")
        clock.now += 2 * progress.expected[stage]
    progress.end()
    progress.stage = None
    rest = sum(progress.expected[stage] for stage in STAGES[3:])
    assert rest < before
    assert 1.2 * rest < progress.seconds_left() < 2 * rest


def test_a_first_stage_that_takes_no_time_does_not_promise_that_all_will(progress, clock):
    progress.line("Running stage 'aggregate':")
    progress.line("Running stage 'preprocess':")
    assert progress.seconds_left() > 0.8 * sum(progress.expected[stage] for stage in STAGES[1:])


def test_stages_that_were_done_before_do_not_count(clock, said):
    progress = StageProgress(PLAN, Speed(), STAGES[:-1], said.append, clock)
    assert progress.seconds_left() == pytest.approx(progress.expected["evaluate"])


def test_a_stage_that_runs_again_counts_again(clock, said):
    progress = StageProgress(PLAN, Speed(), STAGES[:2], said.append, clock)
    for stage in STAGES[:3]:
        progress.line(f"Running stage '{stage}':")
    assert [line[:10] for line in said] == [f"stage {number} of" for number in (1, 2, 3)]


def test_stages_that_dvc_skips_do_not_count(progress):
    for stage in STAGES[:-1]:
        progress.line(f"Stage '{stage}' didn't change, skipping")
    assert progress.seconds_left() == pytest.approx(progress.expected["evaluate"])


def test_what_dvc_says_to_people_who_use_dvc_is_left_out(progress, said):
    for line in ("Updating lock file 'dvc.lock'", "", "To track the changes with git, run:", "\tgit add dvc.lock",
                 "Use `dvc push` to send your updates to remote storage."):  # fmt: skip
        progress.line(line)
    assert said == []
    progress.line("150 kicks of 165 files")
    assert said == ["  150 kicks of 165 files"]
