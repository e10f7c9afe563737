"""Which kicks of a library are trained on."""

import pytest
import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.data.datasets import Example, list_examples, split_examples
from kickpipe.data.tables import Sample, write_metadata
from kickpipe.data.tensors import save_tensor

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


def test_the_sides_of_the_split_keep_the_order_of_the_table(folder):
    sides = split_examples(examples(folder))
    assert sides.train == [e for e in examples(folder) if not e.validation]
    assert sides.val == [e for e in examples(folder) if e.validation]


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


def test_a_table_with_other_columns_is_an_error_that_names_them(folder):
    (folder / "metadata.csv").write_text("file,keywords\na,b\n")
    with pytest.raises(
        KickpipeError, match="expected the columns filename, original_path, keywords, found file, keywords"
    ):
        examples(folder)
