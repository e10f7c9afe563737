import math

import pytest
import torch

from kickpipe.training.loop import (
    Interrupted,
    batch_indices,
    ema_decay_at,
    fit,
    lr_factor,
    num_batches,
    optimize,
    seed_step,
    update_ema,
)
from kickpipe.training.state import TrainState

STEPS = 12
DATA = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
SCALER = torch.amp.GradScaler("cpu", enabled=False)


def single():
    """A denoiser with dropout, an average of it, and a step that draws noise."""
    torch.manual_seed(0)
    layers = lambda: torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 3))  # noqa: E731
    model, ema = layers(), layers()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def train_step(x, step):
        loss = (model(x + torch.randn_like(x)) - x).square().mean()
        norm = optimize(optimizer, loss, SCALER)
        update_ema(ema, model, ema_decay_at(step, 0.9, True))
        return {"loss": loss, "grad_norm": norm}

    return TrainState("abc", {}, model=model, ema=ema, optimizer=optimizer), train_step


def gan():
    """Two networks with an optimizer each."""
    torch.manual_seed(0)
    generator, judge = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)
    optimizer_g = torch.optim.AdamW(generator.parameters(), lr=1e-2)
    optimizer_d = torch.optim.AdamW(judge.parameters(), lr=1e-2)

    def train_step(x, step):
        fake = generator(torch.randn_like(x))
        loss_d = (1 - judge(x)).square().mean() + judge(fake.detach()).square().mean()
        optimize(optimizer_d, loss_d, SCALER)
        loss_g = (1 - judge(fake)).square().mean()
        optimize(optimizer_g, loss_g, SCALER)
        return {"loss_g": loss_g, "loss_d": loss_d}

    objects = {"generator": generator, "judge": judge, "optimizer_g": optimizer_g, "optimizer_d": optimizer_d}
    return TrainState("abc", {}, **objects), train_step


def batch_of(step):
    return DATA[batch_indices(step, len(DATA), 4, seed=0)]


def run(state, train_step, **options):
    """``fit`` with what a test does not care about filled in."""
    nothing = {"log": lambda *_: None, "validate": lambda _: None, "save": lambda _: None}
    return fit(
        state,
        train_step,
        batch_of,
        **{**nothing, "steps": STEPS, "seed": 0, "validate_every": 5, "save_every": 5, **options},
    )


class Killed(Exception):
    pass


def kill_when_saved(path):
    def save(state):
        torch.save(state.state_dict(), path)
        raise Killed

    return save


def parameters(state):
    return [p for item in state.objects.values() if isinstance(item, torch.nn.Module) for p in item.parameters()]


@pytest.mark.parametrize("make", [single, gan])
@pytest.mark.parametrize("save_every", [1, 5, 11])
def test_resuming_is_bit_exact(make, save_every, tmp_path):
    straight, step = make()
    run(straight, step)

    killed, step = make()
    with pytest.raises(Killed):
        run(killed, step, save=kill_when_saved(tmp_path / "state.pt"), save_every=save_every)

    resumed, step = make()
    torch.manual_seed(999)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert resumed.step == save_every
    logged = []
    run(resumed, step, log=lambda number, _: logged.append(number))
    assert logged == list(range(save_every + 1, STEPS + 1))
    for ours, theirs in zip(parameters(straight), parameters(resumed), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("mistake", ["one step off", "the epoch anew", "no seed"])
def test_the_comparison_sees_every_mistake_that_resuming_could_make(mistake, tmp_path, monkeypatch):
    straight, step = single()
    run(straight, step)
    killed, step = single()
    with pytest.raises(Killed):
        run(killed, step, save=kill_when_saved(tmp_path / "state.pt"))

    resumed, step = single()
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    if mistake == "one step off":
        resumed.step += 1
    if mistake == "the epoch anew":
        monkeypatch.setitem(globals(), "batch_of", lambda s: DATA[batch_indices(s - 5, len(DATA), 4, seed=0)])
    if mistake == "no seed":
        monkeypatch.setattr("kickpipe.training.loop.seed_step", lambda *_: None)
    run(resumed, step)
    pairs = zip(parameters(straight), parameters(resumed), strict=True)
    assert not all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_a_loss_that_is_not_finite_stops_the_run_with_its_name_and_step():
    state, _ = single()
    saved = []

    def train_step(_, step):
        return {"loss": torch.tensor(1.0), "kl": torch.tensor(float("nan") if step == 2 else 0.0)}

    with pytest.raises(FloatingPointError, match=r"^kl not finite at step 3: \{'loss': 1.0, 'kl': nan\}"):
        run(state, train_step, save=lambda s: saved.append(s.step), save_every=1)
    assert saved == [1, 2]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_loss_stops_the_run_too(value):
    state, _ = single()
    with pytest.raises(FloatingPointError, match="loss, mel not finite at step 1"):
        run(state, lambda *_: {"loss": torch.tensor(value), "mel": torch.tensor(value), "lr": torch.tensor(0.1)})


def test_a_loss_that_is_not_finite_is_not_logged():
    state, _ = single()
    logged = []
    with pytest.raises(FloatingPointError):
        run(state, lambda *_: {"loss": torch.tensor(math.nan)}, log=lambda *item: logged.append(item))
    assert logged == []


def test_validation_and_saving_come_at_their_intervals_and_at_the_end():
    state, step = single()
    logged, validated, saved = [], [], []
    run(
        state,
        step,
        log=lambda number, scalars: logged.append((number, sorted(scalars))),
        validate=validated.append,
        save=lambda s: saved.append(s.step),
        validate_every=4,
        save_every=5,
    )
    assert logged == [(number, ["grad_norm", "loss"]) for number in range(1, 13)]
    assert validated == [4, 8, 12]
    assert saved == [5, 10, 12]


def test_the_last_step_is_validated_and_saved_once_where_intervals_meet():
    state, step = single()
    validated, saved = [], []
    run(state, step, validate=validated.append, save=lambda s: saved.append(s.step), validate_every=6, save_every=6)
    assert validated == saved == [6, 12]


def test_a_validation_is_in_the_state_that_is_saved_at_the_same_step():
    state, step = single()
    events = []
    run(state, step, validate=lambda s: events.append("validate"), save=lambda s: events.append("save"), save_every=12)
    assert events[-2:] == ["validate", "save"]


def test_a_state_is_saved_in_between_when_it_is_due():
    state, step = single()
    saved = []
    run(state, step, save=lambda s: saved.append(s.step), save_due=lambda: state.step == 7)
    assert saved == [5, 7, 10, 12]


def test_a_stop_saves_and_says_how_to_continue():
    state, step = single()
    saved = []
    with pytest.raises(Interrupted, match="stopped at step 3 of 12; run the same command to continue"):
        run(state, step, save=lambda s: saved.append(s.step), stop=lambda: state.step == 3)
    assert saved == [3]


def test_a_stop_in_the_last_step_lets_the_run_end():
    state, step = single()
    run(state, step, stop=lambda: state.step == STEPS)
    assert state.step == STEPS


def test_a_finished_run_takes_no_step_and_saves_nothing():
    state, step = single()
    state.step = STEPS
    run(state, step, save=lambda _: pytest.fail("saved"), validate=lambda _: pytest.fail("validated"))


def test_noise_depends_on_seed_and_step_alone():
    def noise(seed, step):
        seed_step(seed, step)
        return torch.randn(4)

    assert torch.equal(noise(0, 5), noise(0, 5))
    draws = [noise(seed, step) for seed in range(3) for step in range(3)]
    assert len({tuple(draw.tolist()) for draw in draws}) == 9


@pytest.mark.parametrize(("num_items", "batch_size"), [(10, 4), (8, 4), (3, 5), (1, 1)])
def test_every_epoch_shows_every_item_once_in_a_new_order(num_items, batch_size):
    count = num_batches(num_items, batch_size)
    assert count == math.ceil(num_items / batch_size)
    epochs = []
    for epoch in range(3):
        batches = [batch_indices(epoch * count + i, num_items, batch_size, seed=3) for i in range(count)]
        assert all(len(batch) <= batch_size for batch in batches)
        epochs.append(torch.cat(batches).tolist())
    assert all(sorted(order) == list(range(num_items)) for order in epochs)
    if num_items > 3:
        assert len({tuple(order) for order in epochs}) == 3


def test_another_seed_gives_another_order():
    first, second = (torch.cat([batch_indices(i, 20, 5, seed) for i in range(4)]).tolist() for seed in (0, 1))
    assert first != second


def test_batches_do_not_touch_the_global_generator():
    torch.manual_seed(5)
    expected = torch.randn(1)
    torch.manual_seed(5)
    batch_indices(3, 10, 4, seed=0)
    assert torch.equal(torch.randn(1), expected)


def test_the_norm_of_the_gradient_is_that_of_all_parameters_together():
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x = torch.tensor([[3.0, 4.0]])
    assert optimize(optimizer, model(x).sum(), SCALER).item() == pytest.approx(math.sqrt(3**2 + 4**2 + 1))


def test_an_optimiser_step_goes_down_the_gradient_of_this_loss_alone():
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # a gradient left over would make the second step longer
        optimize(optimizer, 2 * model(torch.ones(1, 1)).sum(), SCALER)
    assert model.weight.item() == pytest.approx(1 - 2 * 0.1 * 2)


def test_the_learning_rate_stays_or_falls_along_half_a_cosine():
    assert [lr_factor("constant", step, 4) for step in (0, 3)] == [1.0, 1.0]
    assert [lr_factor("cosine", step, 4) for step in (0, 2)] == pytest.approx([1.0, 0.5])
    assert 0 < lr_factor("cosine", 3, 4) < 0.2
    with pytest.raises(ValueError, match=r"linear.*constant, cosine"):
        lr_factor("linear", 0, 4)


def test_the_average_warms_up_as_specified():
    assert [ema_decay_at(step, 0.9999, True) for step in (0, 1, 90)] == [1 / 10, 2 / 11, 91 / 100]
    assert ema_decay_at(10**6, 0.9999, True) == 0.9999
    assert ema_decay_at(0, 0.9999, False) == 0.9999


def test_the_average_moves_towards_the_model_and_copies_its_buffers():
    ema, model = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    torch.nn.init.constant_(ema.weight, 1.0)
    torch.nn.init.constant_(model.weight, 2.0)
    model.running_mean.fill_(7.0)
    update_ema(ema, model, 0.9)
    assert ema.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 2)
    assert ema.running_mean.item() == 7.0
    assert model.weight.item() == 2.0
