"""Tensors as files: whole, small, and nothing that runs."""

import io
import pickle
from pathlib import Path

import pytest
import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.data.tensors import load_tensor, load_tensors, save_tensor

NAMES = ["000000_kick 1.wav", "800000_kick, 2.wav", "ffffff_kick\n3.wav"]


@pytest.fixture
def folder(tmp_path):
    """A tensor for each name, whose values are all the number of the name."""
    for i, name in enumerate(NAMES):
        save_tensor(torch.full((1, 2, 3), float(i)), tmp_path / f"{name}.pt")
    return tmp_path


def test_tensors_are_stacked_in_the_order_asked_for(folder):
    stacked = load_tensors(folder, [NAMES[2], NAMES[0]], (1, 2, 3))
    assert stacked.shape == (2, 1, 2, 3)
    assert stacked.dtype == torch.float32
    assert stacked[:, 0, 0, 0].tolist() == [2, 0]


def test_no_names_give_an_empty_stack(folder):
    assert load_tensors(folder, [], (1, 2, 3)).shape == (0, 1, 2, 3)


def test_another_shape_is_refused_by_both_shapes(folder):
    with pytest.raises(
        KickpipeError, match=r"kick 1\.wav\.pt: shape \(1, 2, 3\), expected \(1, 4, 3\); run 'dvc repro'"
    ):
        load_tensors(folder, [NAMES[0]], (1, 4, 3))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_damaged_tensor_is_an_error_that_names_the_file(folder, content):
    path = folder / f"{NAMES[0]}.pt"
    path.write_bytes(content)
    with pytest.raises(KickpipeError, match=r"kick 1\.wav\.pt: not readable as a tensor"):
        load_tensor(path)


def test_a_missing_tensor_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(KickpipeError, match=r"a\.pt: not readable as a tensor"):
        load_tensor(tmp_path / "a.pt")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_in_place_of_a_tensor_is_never_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "touched",)

    for save in (torch.save, pickle.dump):
        buffer = io.BytesIO()
        save(Bomb(), buffer)
        (tmp_path / "a.pt").write_bytes(buffer.getvalue())
        with pytest.raises(KickpipeError):
            load_tensor(tmp_path / "a.pt")
    assert not (tmp_path / "touched").exists()


def test_a_saved_tensor_takes_no_more_room_than_itself(tmp_path):
    batch = torch.randn(1000, 4, 2, 3)
    save_tensor(batch[5], tmp_path / "a.pt")
    assert torch.equal(load_tensor(tmp_path / "a.pt"), batch[5])
    assert (tmp_path / "a.pt").stat().st_size < 2000


def test_the_same_tensor_has_the_same_bytes_whatever_the_file_is_called(tmp_path):
    tensor = torch.arange(6.0).reshape(1, 2, 3)
    for name in ("a", "another name"):
        save_tensor(tensor, tmp_path / f"{name}.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another name.pt").read_bytes()


def test_saving_on_a_full_disk_leaves_nothing(tmp_path, file_size_limit):
    with file_size_limit(100), pytest.raises(OSError, match="too large"):
        save_tensor(torch.zeros(1000), tmp_path / "a.pt")
    assert not list(tmp_path.iterdir())
