import math

import pytest
import torch

from kickpipe.data.batches import EpochOrder
from kickpipe.training.average import MovingAverage
from kickpipe.training.loop import Interrupted, Run, fit
from kickpipe.training.optimizer import optimize
from kickpipe.training.state import RunFolder, TrainState
from kickpipe.training.world import World

ALONE = World()
STEPS = 12
DATA = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
SCALER = torch.amp.GradScaler("cpu", enabled=False)


class Toy:
    """What trainings of these tests have in common: ten items in batches of 4."""

    examples_per_step = 4

    def __init__(self):
        self.order = EpochOrder(len(DATA), 4, seed=0)
        self.objects = {}

    def batch(self, step):
        return DATA[self.order(step)]

    def validate(self, step):
        return {}


class Denoiser(Toy):
    """A network with dropout, an average of it, and a step that draws noise."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 3))
        self.average = MovingAverage(self.model, 0.9, warmup=True)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        self.objects = {"model": self.model, "ema": self.average.model, "optimizer": self.optimizer}

    def step(self, batch, step):
        loss = (self.model(batch + torch.randn_like(batch)) - batch).square().mean()
        norm = optimize(self.optimizer, loss, SCALER)
        self.average.update(self.model, step)
        return {"loss": loss, "grad_norm": norm}


class Game(Toy):
    """Two networks with an optimizer each."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.generator, self.judge = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)
        self.optimizer_g = torch.optim.AdamW(self.generator.parameters(), lr=1e-2)
        self.optimizer_d = torch.optim.AdamW(self.judge.parameters(), lr=1e-2)
        self.objects = {
            "generator": self.generator,
            "judge": self.judge,
            "optimizer_g": self.optimizer_g,
            "optimizer_d": self.optimizer_d,
        }

    def step(self, batch, step):
        fake = self.generator(torch.randn_like(batch))
        loss_d = (1 - self.judge(batch)).square().mean() + self.judge(fake.detach()).square().mean()
        optimize(self.optimizer_d, loss_d, SCALER)
        loss_g = (1 - self.judge(fake)).square().mean()
        optimize(self.optimizer_g, loss_g, SCALER)
        return {"loss_g": loss_g, "loss_d": loss_d}


class Counted(Toy):
    """Returns scalars that a test chooses."""

    def __init__(self, terms):
        super().__init__()
        self.terms = terms

    def step(self, batch, step):
        return {name: torch.tensor(value) for name, value in self.terms(step).items()}


def state_of(training):
    return TrainState("abc", {}, **training.objects)


def run(training, state, steps=STEPS, validate_every=5, save_every=5, world=ALONE, **options):
    """``fit`` with what a test does not care about filled in."""
    nothing = {"log": lambda *_: None, "validated": lambda *_: None, "save": lambda _: None}
    folder = RunFolder("nowhere", "f" * 64, "toy", "step", keep=2)
    fit(training, state, Run(folder, steps, 0, validate_every, save_every, world=world), **{**nothing, **options})


class Killed(Exception):
    pass


def kill_when_saved(path):
    def save(state):
        torch.save(state.state_dict(), path)
        raise Killed

    return save


def parameters(state):
    return [p for item in state.objects.values() if isinstance(item, torch.nn.Module) for p in item.parameters()]


@pytest.mark.parametrize("make", [Denoiser, Game])
@pytest.mark.parametrize("save_every", [1, 5, 11])
def test_resuming_is_bit_exact(make, save_every, tmp_path):
    straight = state_of(training := make())
    run(training, straight)

    killed = state_of(training := make())
    with pytest.raises(Killed):
        run(training, killed, save=kill_when_saved(tmp_path / "state.pt"), save_every=save_every)

    resumed = state_of(training := make())
    torch.manual_seed(999)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert resumed.step == save_every
    logged = []
    run(training, resumed, log=lambda number, _: logged.append(number))
    assert logged == list(range(save_every + 1, STEPS + 1))
    for ours, theirs in zip(parameters(straight), parameters(resumed), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("mistake", ["one step off", "the epoch anew", "no seed"])
def test_the_comparison_sees_every_mistake_that_resuming_could_make(mistake, tmp_path, monkeypatch):
    straight = state_of(training := Denoiser())
    run(training, straight)
    killed = state_of(training := Denoiser())
    with pytest.raises(Killed):
        run(training, killed, save=kill_when_saved(tmp_path / "state.pt"))

    resumed = state_of(training := Denoiser())
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    if mistake == "one step off":
        resumed.step += 1
    if mistake == "the epoch anew":
        monkeypatch.setattr(training, "batch", lambda step: DATA[training.order(step - 5)])
    if mistake == "no seed":
        monkeypatch.setattr("kickpipe.training.loop.seed_torch_at", lambda *_: None)
    run(training, resumed)
    pairs = zip(parameters(straight), parameters(resumed), strict=True)
    assert not all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_a_loss_that_is_not_finite_stops_the_run_with_its_name_and_step():
    training = Counted(lambda step: {"loss": 1.0, "kl": math.nan if step == 2 else 0.0})
    saved = []
    with pytest.raises(FloatingPointError, match=r"^kl not finite at step 3: \{'loss': 1.0, 'kl': nan\}"):
        run(training, state_of(training), save=lambda s: saved.append(s.step), save_every=1)
    assert saved == [1, 2]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_loss_stops_the_run_too(value):
    training = Counted(lambda step: {"loss": value, "mel": value, "lr": 0.1})
    with pytest.raises(FloatingPointError, match="loss, mel not finite at step 1"):
        run(training, state_of(training))


def test_a_loss_that_is_not_finite_is_not_logged():
    training = Counted(lambda step: {"loss": math.nan})
    logged = []
    with pytest.raises(FloatingPointError):
        run(training, state_of(training), log=lambda *item: logged.append(item))
    assert logged == []


def test_validation_and_saving_come_at_their_intervals_and_at_the_end():
    training = Denoiser()
    training.validate = lambda step: {"loss": float(step)}
    logged, validated, saved = [], [], []
    run(
        training,
        state_of(training),
        log=lambda number, scalars: logged.append((number, sorted(scalars))),
        validated=lambda *item: validated.append(item),
        save=lambda s: saved.append(s.step),
        validate_every=4,
        save_every=5,
    )
    assert logged == [(number, ["grad_norm", "loss"]) for number in range(1, 13)]
    assert validated == [(4, {"loss": 4.0}), (8, {"loss": 8.0}), (12, {"loss": 12.0})]
    assert saved == [5, 10, 12]


def test_the_last_step_is_validated_and_saved_once_where_intervals_meet():
    validated, saved = [], []
    run(
        training := Denoiser(),
        state_of(training),
        validated=lambda step, _: validated.append(step),
        save=lambda s: saved.append(s.step),
        validate_every=6,
        save_every=6,
    )
    assert validated == saved == [6, 12]


def test_a_validation_is_in_the_state_that_is_saved_at_the_same_step():
    training = Denoiser()
    events = []
    options = {"validated": lambda *_: events.append("validated"), "save": lambda _: events.append("save")}
    run(training, state_of(training), **options, save_every=12)
    assert events[-2:] == ["validated", "save"]


def test_a_state_is_saved_in_between_when_it_is_due():
    state = state_of(training := Denoiser())
    saved = []
    run(training, state, save=lambda s: saved.append(s.step), save_due=lambda: state.step == 7)
    assert saved == [5, 7, 10, 12]


def test_a_stop_saves_and_says_how_to_continue():
    state = state_of(training := Denoiser())
    saved = []
    with pytest.raises(Interrupted, match="stopped at step 3 of 12; run the same command to continue"):
        run(training, state, save=lambda s: saved.append(s.step), stop=lambda: state.step == 3)
    assert saved == [3]


def test_a_stop_in_the_last_step_lets_the_run_end():
    state = state_of(training := Denoiser())
    run(training, state, stop=lambda: state.step == STEPS)
    assert state.step == STEPS


def test_a_finished_run_takes_no_step_and_saves_nothing():
    state = state_of(training := Denoiser())
    state.step = STEPS
    run(training, state, save=lambda _: pytest.fail("saved"), validated=lambda *_: pytest.fail("validated"))


def test_a_process_among_several_takes_its_share_of_every_batch():
    seen = []

    class Watched(Toy):
        def step(self, batch, step):
            seen.append(batch)
            return {"loss": torch.tensor(0.0)}

    training = Watched()
    run(training, state_of(training), steps=3, world=World(1, 2))
    assert all(torch.equal(batch, training.batch(step)[1::2]) for step, batch in enumerate(seen))


def test_a_run_in_epochs_counts_in_steps():
    folder = RunFolder("nowhere", "f" * 64, "vae", "epoch", keep=None)
    run = Run.of_epochs(folder, seed=3, epochs=5, steps_per_epoch=7, save_every_epochs=2)
    assert (run.steps, run.validate_every, run.save_every, run.steps_per_unit, run.seed) == (35, 7, 14, 7, 3)
