import io
import pickle
from pathlib import Path

import pytest
import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.data.datasets import Example, list_examples, load_tensor, load_tensors, save_tensor
from kickpipe.data.tables import Sample, write_metadata

SAMPLES = [
    Sample("000000_kick 1.wav", "Pack/kick 1.wav", ("kick", "deep")),
    Sample("800000_kick, 2.wav", 'Pack/"kick", 2.wav', ()),
    Sample("ffffff_kick\n3.wav", "Other/kick\n3.wav", ("kick",)),
]


@pytest.fixture
def folder(tmp_path):
    """metadata.csv and a tensor for each of its kicks, whose values are all the number of the kick."""
    write_metadata(tmp_path / "metadata.csv", SAMPLES)
    (tmp_path / "processed").mkdir()
    for i, sample in enumerate(SAMPLES):
        save_tensor(torch.full((1, 2, 3), float(i)), tmp_path / "processed" / f"{sample.filename}.pt")
    return tmp_path


def examples(folder, share=0.1, holdout=()):
    return list_examples(folder / "metadata.csv", folder / "processed", share, holdout)


def test_kicks_come_in_the_order_of_the_table_with_their_split(folder):
    assert examples(folder) == [
        Example(SAMPLES[0].filename, "Pack/kick 1.wav", ("kick", "deep"), True),
        Example(SAMPLES[1].filename, 'Pack/"kick", 2.wav', (), False),
        Example(SAMPLES[2].filename, "Other/kick\n3.wav", ("kick",), False),
    ]


def test_sources_can_be_held_out(folder):
    assert [e.validation for e in examples(folder, 0.0, ["Other/*"])] == [False, False, True]


def test_kicks_without_a_tensor_are_left_out(folder):
    (folder / "processed" / f"{SAMPLES[1].filename}.pt").unlink()
    (folder / "processed" / "stranger.wav.pt").write_bytes(b"")
    assert [e.filename for e in examples(folder)] == [SAMPLES[0].filename, SAMPLES[2].filename]


def test_no_tensors_is_an_error_that_says_what_to_run(folder):
    for path in (folder / "processed").iterdir():
        path.unlink()
    with pytest.raises(KickpipeError, match=r"no tensors of the kicks in .*run 'dvc repro preprocess'"):
        examples(folder)


def test_nothing_to_train_on_is_an_error_that_says_what_to_change(folder):
    with pytest.raises(KickpipeError, match=r"all 3 kicks are held out for validation.*lower split.validation_share"):
        examples(folder, 0.1, ["*"])


def test_a_missing_table_says_what_to_run(folder):
    (folder / "metadata.csv").unlink()
    with pytest.raises(KickpipeError, match="not found; the aggregate stage writes it"):
        examples(folder)


def test_tensors_are_stacked_in_the_order_asked_for(folder):
    stacked = load_tensors(folder / "processed", [SAMPLES[2].filename, SAMPLES[0].filename], (1, 2, 3))
    assert stacked.shape == (2, 1, 2, 3)
    assert stacked.dtype == torch.float32
    assert stacked[:, 0, 0, 0].tolist() == [2, 0]


def test_no_names_give_an_empty_stack(folder):
    assert load_tensors(folder / "processed", [], (1, 2, 3)).shape == (0, 1, 2, 3)


def test_another_shape_is_refused_by_both_shapes(folder):
    with pytest.raises(
        KickpipeError, match=r"kick 1\.wav\.pt: shape \(1, 2, 3\), expected \(1, 4, 3\); run 'dvc repro'"
    ):
        load_tensors(folder / "processed", [SAMPLES[0].filename], (1, 4, 3))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_damaged_tensor_is_an_error_that_names_the_file(folder, content):
    path = folder / "processed" / f"{SAMPLES[0].filename}.pt"
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
