import os
import signal
import threading

import pytest
import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.training.loop import Interrupted, Run
from kickpipe.training.run import SaveClock, StopSignal, train
from kickpipe.training.state import RunFolder, StateError
from kickpipe.training.tracking import Tracker
from kickpipe.training.world import World

ALONE = World()
FINGERPRINT = "f" * 64


class Count:
    """A training that counts: the weight is the number of steps that were taken."""

    examples_per_step = 1

    def __init__(self, folder, steps=6, world=ALONE):
        self.model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.model.weight)
        self.objects = {"model": self.model}
        self.folder = RunFolder(folder, FINGERPRINT, "vae", "epoch", keep=2)
        self.run = Run(self.folder, steps, seed=0, validate_every=2, save_every=4, steps_per_unit=2, world=world)
        self.taken = []
        self.during = lambda step: None
        self.rows = []

    def batch(self, step):
        return torch.tensor([step])

    def step(self, batch, step):
        self.taken.append(int(batch))
        self.model.weight.data += 1
        self.during(step)
        return {"loss": torch.tensor(float(step))}

    def validate(self, step):
        return {}

    def start(self, during=lambda step: None, **options):
        self.during = during
        self.rows = train(self, self.run, {"config": {}}, **options).rows
        return self

    def files(self):
        return sorted(path.name for path in self.folder.path.glob("*.pt"))


def test_a_run_goes_to_its_end_and_saves_at_intervals_and_at_the_end(tmp_path):
    run = Count(tmp_path).start()
    assert run.taken == [0, 1, 2, 3, 4, 5]
    assert run.files() == ["vae_epoch_2.pt", "vae_epoch_3.pt"]
    assert [row["loss"] for row in run.rows] == [0.5, 2.5, 4.5]


def test_what_is_shown_comes_where_a_validation_and_a_numbered_state_meet(tmp_path):
    shown = []
    Count(tmp_path, steps=9).start(show=lambda tracker, step: shown.append((step, torch.is_grad_enabled())))
    assert shown == [(4, False), (8, False)]


def test_a_process_that_is_not_the_writer_writes_nothing(tmp_path):
    run = Count(tmp_path, world=World(1, 2))
    run.step = lambda batch, step: {"loss": torch.tensor(0.0)}
    run.start()
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself these signals on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_same_run_continues(tmp_path, number, capsys):
    stopped = Count(tmp_path)
    with pytest.raises(Interrupted, match="stopped at step 3 of 6"):
        stopped.start(lambda step: signal.raise_signal(number) if step == 2 else None)
    assert stopped.files() == ["vae_interrupted.pt"]

    resumed = Count(tmp_path).start()
    assert resumed.taken == [3, 4, 5]
    assert resumed.model.weight.item() == 6
    assert [row["loss"] for row in resumed.rows] == [0.5, 2.5, 4.5]
    assert resumed.files() == ["vae_epoch_2.pt", "vae_epoch_3.pt"]
    assert "train_vae: resumes at step 3 of 6 from" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself these signals on Windows")
def test_a_second_signal_ends_the_run_at_once(tmp_path):
    def twice(step):
        # not os.kill: another thread may receive what it sends, later, and two signals that wait become one
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    run = Count(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started to ignore it
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            run.start(twice)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not isinstance(caught.value, Interrupted)
    assert run.files() == []


def test_signals_do_afterwards_what_they_did_before(tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    Count(tmp_path).start()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_there_are_no_signals_but_there_is_training(tmp_path):
    run = Count(tmp_path)
    thread = threading.Thread(target=run.start)
    thread.start()
    thread.join()
    assert run.taken == [0, 1, 2, 3, 4, 5]


def test_a_stop_is_noticed_until_it_is_left():
    stop = StopSignal()
    with stop:
        assert not stop.received()
        stop.receive(signal.SIGINT, None)
        assert stop.received()


def test_a_loss_that_is_not_finite_keeps_the_state_before(tmp_path):
    run = Count(tmp_path)

    def spoil(step):
        if step == 5:
            raise FloatingPointError("loss not finite at step 6")

    with pytest.raises(FloatingPointError):
        run.start(spoil)
    assert run.files() == ["vae_epoch_2.pt"]
    assert Count(tmp_path).start().taken == [4, 5]


def test_a_state_is_saved_after_every_step_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("KICKPIPE_SAVE_MINUTES", "0")
    run = Count(tmp_path)
    with pytest.raises(ZeroDivisionError):
        run.start(lambda step: 1 / (2 - step))
    assert run.files() == ["vae_interrupted.pt"]
    assert Count(tmp_path).start().taken == [2, 3, 4, 5]


@pytest.mark.parametrize("text", ["soon", "-1", "nan", ""])
def test_senseless_minutes_are_refused(monkeypatch, text):
    monkeypatch.setenv("KICKPIPE_SAVE_MINUTES", text)
    with pytest.raises(KickpipeError, match=f"KICKPIPE_SAVE_MINUTES={text}: expected a number of minutes"):
        SaveClock()


def test_the_clock_is_due_after_its_minutes_and_not_before(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.delenv("KICKPIPE_SAVE_MINUTES", raising=False)
    clock = SaveClock()
    now[0] = 299.0
    assert not clock.due()
    now[0] = 300.0
    assert clock.due()
    clock.restart()
    assert not clock.due()


def test_a_full_disk_stops_the_run_with_the_last_state_intact(tmp_path, file_size_limit, monkeypatch):
    monkeypatch.setattr(Tracker, "open", lambda *_: None)  # TensorBoard writes when it likes to
    run = Count(tmp_path)
    with file_size_limit(500), pytest.raises(StateError, match="the earlier states are intact"):
        run.start()
    assert run.taken == [0, 1, 2, 3]
    assert run.files() == []
    assert not list(tmp_path.rglob("*.partial"))
