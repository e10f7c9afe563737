from typing import NamedTuple

import pytest
import torch

from kickpipe.training.world import World


class Pair(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


def test_one_process_has_the_whole_batch():
    batch = torch.arange(5)
    assert World().share(batch) is batch
    assert World().is_writer


@pytest.mark.parametrize("size", [2, 3, 7])
def test_the_shares_of_all_processes_are_the_batch(size):
    batch = torch.arange(5)
    shares = [World(rank, size).share(batch) for rank in range(size)]
    assert sorted(torch.cat(shares).tolist()) == [0, 1, 2, 3, 4]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_parts_of_a_batch_are_shared_alike_and_keep_their_kind():
    batch = [Pair(torch.arange(4), 10 * torch.arange(4)), Pair(torch.arange(2), 10 * torch.arange(2))]
    shared = World(1, 2).share(batch)
    assert [type(part) for part in shared] == [Pair, Pair]
    assert [part.x.tolist() for part in shared] == [[1, 3], [1]]
    assert all(torch.equal(part.y, 10 * part.x) for part in shared)


def test_only_one_process_writes():
    assert [World(rank, 3).is_writer for rank in range(3)] == [True, False, False]
