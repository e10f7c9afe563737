import csv
import json
import math

import psutil
import pytest
import torch

from kickpipe.training.tracking import Tracker, mel_picture, memory_gib, write_curves


@pytest.fixture
def tracker(tmp_path):
    return Tracker(tmp_path / "tensorboard", "train_vae", steps=10, batch_size=4)


def events(folder, kind="Scalars"):
    """What TensorBoard would read: steps by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "audio": 0, "scalars": 0})
    accumulator.Reload()
    return {tag: [event.step for event in getattr(accumulator, kind)(tag)] for tag in accumulator.Tags()[kind.lower()]}


def test_a_row_has_the_means_since_the_last_validation(tracker):
    for step, loss in enumerate([1.0, 2.0, 6.0], start=1):
        tracker.log(step, {"loss": loss})
    tracker.validated(3, {"loss": 5.0})
    tracker.log(4, {"loss": 7.0})
    tracker.validated(4, {})
    assert tracker.rows == [{"step": 3, "loss": 3.0, "val_loss": 5.0}, {"step": 4, "loss": 7.0}]


def test_a_term_that_begins_late_is_averaged_over_its_own_steps(tracker):
    tracker.log(1, {"mel": 1.0})
    tracker.log(2, {"mel": 3.0, "loss_d": 4.0})
    tracker.validated(2, {})
    assert tracker.rows == [{"step": 2, "mel": 2.0, "loss_d": 4.0}]


def test_a_resumed_tracker_continues_the_sums(tracker, tmp_path):
    tracker.log(1, {"loss": 1.0})
    torch.save(tracker.state_dict(), tmp_path / "state.pt")
    tracker.log(2, {"loss": 100.0})  # lost in the kill
    resumed = Tracker(tmp_path, "train_vae", 10, 4)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    resumed.log(2, {"loss": 2.0})
    resumed.validated(2, {})
    assert resumed.rows == [{"step": 2, "loss": 1.5}]


def test_a_state_does_not_change_after_it_was_taken(tracker):
    tracker.log(1, {"loss": 1.0})
    tracker.validated(1, {})
    state = tracker.state_dict()
    tracker.log(2, {"loss": 2.0})
    tracker.rows[0]["step"] = 99
    assert state == {"rows": [{"step": 1, "loss": 1.0}], "sums": {}, "counts": {}}


def test_a_validation_loss_that_is_not_finite_stops_the_run(tracker):
    with pytest.raises(FloatingPointError, match=r"val_kl not finite at step 3: \{'l1': 1.0, 'kl': nan\}"):
        tracker.validated(3, {"l1": 1.0, "kl": math.nan})


def test_the_summary_is_of_the_last_row_what_was_asked_for_and_it_has_rounded(tracker):
    assert tracker.summary("step", "loss") == {}
    tracker.log(1, {"loss": 1 / 3})
    tracker.validated(123456, {"loss": 2 / 3})
    assert json.loads(json.dumps(tracker.summary("step", "val_loss", "val_l1"))) == {"step": 123456, "val_loss": 0.6667}


def test_curves_are_a_table_with_a_column_a_name(tmp_path):
    write_curves(
        tmp_path / "plots" / "curve.csv", [{"step": 1, "loss": 1 / 3}, {"step": 2, "loss": 0.25, "val_loss": 1e-7}]
    )
    content = (tmp_path / "plots" / "curve.csv").read_bytes()
    assert content == b"step,loss,val_loss\n1,0.333333,\n2,0.25,1e-07\n"
    with (tmp_path / "plots" / "curve.csv").open(newline="") as file:
        assert [row["val_loss"] for row in csv.DictReader(file)] == ["", "1e-07"]


def test_curves_without_a_row_are_an_empty_table(tmp_path):
    write_curves(tmp_path / "curve.csv", [])
    assert (tmp_path / "curve.csv").read_text() == "\n"


def test_tensorboard_gets_scalars_pictures_and_sounds(tracker, tmp_path):
    tracker.open(0)
    for step in range(1, 11):
        tracker.log(step, {"loss": 1.0})
    tracker.validated(10, {"loss": 2.0})
    tracker.pictures(10, "reconstruction", torch.randn(2, 1, 8, 5))
    tracker.sounds(10, "reconstruction", torch.randn(2, 100), 8000)
    tracker.close()
    scalars = events(tracker.log_dir)
    assert scalars["train/loss"] == [10]
    assert scalars["val/loss"] == [10]
    assert {"run/examples_per_second", "run/memory_gib"} <= set(scalars)
    assert events(tracker.log_dir, "Images") == {"reconstruction": [10]}
    assert events(tracker.log_dir, "Audio") == {"reconstruction/0": [10], "reconstruction/1": [10]}


def test_points_that_a_killed_run_left_beyond_its_state_are_dropped(tmp_path):
    for start in (0, 20):  # killed after step 40, resumed from 20
        tracker = Tracker(tmp_path, "train_vae", 40, 4)
        tracker.open(start)
        for step in range(start + 1, 41):
            tracker.log(step, {"loss": float(start)})
        tracker.close()
    assert events(tmp_path)["train/loss"] == [10, 20, 30, 40]


def test_without_a_writer_pictures_and_sounds_are_left_out(tracker):
    tracker.pictures(1, "x", torch.zeros(1, 1, 2, 2))
    tracker.sounds(1, "x", torch.zeros(1, 10), 8000)
    tracker.close()
    assert not tracker.log_dir.exists()


def test_mels_become_one_picture_with_low_bands_at_the_bottom():
    mels = torch.zeros(2, 1, 3, 2)
    mels[0, 0, 0] = 4.0  # the lowest band of the first
    picture = mel_picture(mels)
    assert picture.shape == (1, 3, 4)
    assert picture[0, -1].tolist() == [1, 1, 0, 0]
    assert picture[0, 0].tolist() == [0, 0, 0, 0]


def test_a_picture_of_silence_is_black():
    assert mel_picture(torch.full((1, 1, 2, 2), -11.5)).abs().max() == 0


def test_the_memory_of_this_process_is_what_the_system_says():
    if torch.cuda.is_available():
        pytest.skip("counts the memory of the GPU there")
    assert memory_gib() == pytest.approx(psutil.Process().memory_info().rss / 2**30, rel=0.1)
