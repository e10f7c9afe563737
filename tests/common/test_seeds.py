import torch

from kickpipe.common.seeds import hash_seed, order_generator, seed_torch, seed_torch_at, step_generator


def draw(generator):
    return torch.randn(4, generator=generator)


def test_the_noise_of_a_step_depends_on_seed_and_step_alone():
    assert torch.equal(draw(step_generator(0, 5)), draw(step_generator(0, 5)))
    draws = [draw(step_generator(seed, step)) for seed in range(3) for step in range(3)]
    assert len({tuple(values.tolist()) for values in draws}) == 9


def test_the_global_generator_draws_in_a_step_what_that_of_the_step_draws():
    seed_torch_at(3, 7)
    assert torch.equal(torch.randn(4), draw(step_generator(3, 7)))


def test_initial_weights_depend_on_the_seed():
    first, again, other = (seed_torch(seed) or torch.nn.Linear(3, 3).weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_orders_of_other_epochs_and_seeds_are_others():
    orders = [torch.randperm(50, generator=order_generator(seed, epoch)) for seed in range(3) for epoch in range(3)]
    assert len({tuple(order.tolist()) for order in orders}) == 9


def test_a_seed_of_a_text_fits_into_63_bits():
    seeds = [hash_seed(str(number)) for number in range(1000)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
