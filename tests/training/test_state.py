import errno
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kickpipe.training.state import RunFolder, StateError, TrainState, fingerprint, runs_folder

FINGERPRINT = "0123456789abcdef" * 4


def make_state(step=0, value=0.0, run=FINGERPRINT, size=4):
    model = torch.nn.Linear(size, 1)
    torch.nn.init.constant_(model.weight, value)
    state = TrainState(run, {"config": {"size": size}}, model=model, optimizer=torch.optim.AdamW(model.parameters()))
    state.step = step
    return state


def weight(state):
    return state.objects["model"].weight.flatten()[0].item()


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "runs" / "train_vae", FINGERPRINT, "vae", "epoch", keep=2)


def save_epochs(folder, *epochs):
    """States whose weights are all the number of their epoch, 10 steps each."""
    for epoch in epochs:
        folder.save(make_state(10 * epoch, float(epoch)), epoch)


def names(folder):
    return sorted(path.name for path in folder.path.iterdir())


def test_the_folder_is_named_by_the_fingerprint(folder, tmp_path):
    assert folder.path == tmp_path / "runs" / "train_vae" / "0123456789abcdef"


def test_the_newest_state_is_resumed(folder):
    save_epochs(folder, 9, 10)
    state = make_state()
    assert folder.resume(state)
    assert (state.step, weight(state)) == (100, 10.0)


def test_without_a_state_nothing_is_resumed(folder):
    state = make_state()
    assert not folder.resume(state)
    assert state.step == 0


def test_the_newest_two_are_kept(folder):
    save_epochs(folder, 8, 9, 10, 100)
    assert names(folder) == ["vae_epoch_10.pt", "vae_epoch_100.pt"]


def test_a_state_between_two_intervals_is_the_newest_until_the_next_interval(folder):
    save_epochs(folder, 1)
    folder.save(make_state(15, 1.5), None)
    assert names(folder) == ["vae_epoch_1.pt", "vae_interrupted.pt"]
    state = make_state()
    folder.resume(state)
    assert state.step == 15
    save_epochs(folder, 2)
    assert names(folder) == ["vae_epoch_1.pt", "vae_epoch_2.pt"]


def test_a_state_can_be_read_without_executing_anything(folder):
    save_epochs(folder, 1)
    loaded = torch.load(folder.numbered(1), weights_only=True)
    assert loaded["fingerprint"] == FINGERPRINT
    assert loaded["step"] == 10
    assert loaded["config"] == {"size": 4}
    assert set(loaded) == {"fingerprint", "step", "config", "model", "optimizer"}


def damage(path, how):
    content = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "overwritten":
        path.write_bytes(content[:100] + os.urandom(len(content) - 100))
    elif how == "one bit":
        middle = content.index(torch.full((4,), 2.0 if "2" in path.name else 1.5).numpy().tobytes()[:8])
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif how == "text":
        path.write_text("not a state")
    elif how == "other object":
        torch.save([1, 2], path)
    elif how == "lacks the optimizer":
        torch.save({"fingerprint": FINGERPRINT, "step": 1, "model": {}}, path)
    elif how == "of another run":
        torch.save(make_state(run="f" * 64).state_dict(), path)


DAMAGES = [
    "empty",
    "truncated",
    "overwritten",
    "one bit",
    "text",
    "other object",
    "lacks the optimizer",
    "of another run",
]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_state_is_named_and_the_one_before_is_taken(folder, how, capsys):
    save_epochs(folder, 1, 2)
    damage(folder.numbered(2), how)
    state = make_state()
    assert folder.resume(state)
    assert (state.step, weight(state)) == (10, 1.0)
    assert "vae_epoch_2.pt: damaged, left aside: " in capsys.readouterr().err


@pytest.mark.parametrize("how", DAMAGES)
def test_where_all_states_are_damaged_the_run_stops_and_says_what_to_do(folder, how, capsys):
    save_epochs(folder, 2)
    folder.save(make_state(25, 1.5), None)
    damage(folder.numbered(2), how)
    damage(folder.interrupted, how)
    state = make_state(value=5.0)
    with pytest.raises(
        StateError, match="every training state is damaged; remove the folder to begin the training anew"
    ):
        folder.resume(state)
    assert (state.step, weight(state)) == (0, 5.0)
    assert capsys.readouterr().err.count("damaged, left aside") == 2
    assert names(folder) == ["vae_epoch_2.pt", "vae_interrupted.pt"]


TROUBLE = {
    "a disk error": OSError(errno.EIO, os.strerror(errno.EIO)),
    "wrong permissions": PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    "no memory": MemoryError(),
    "no memory, as torch tells it": RuntimeError("DefaultCPUAllocator: can't allocate memory"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("place", ["opening", "reading", "loading"])
def test_a_state_that_cannot_be_read_stops_the_run_instead_of_starting_anew(folder, monkeypatch, trouble, place):
    save_epochs(folder, 1, 2)

    def fail(*_, **__):
        raise TROUBLE[trouble]

    if place == "opening":
        monkeypatch.setattr(Path, "open", fail)
    elif place == "reading":
        monkeypatch.setattr("kickpipe.training.state.read_through", fail)
    else:
        monkeypatch.setattr(torch, "load", fail)
    state = make_state(value=5.0)
    with pytest.raises(StateError, match=r"vae_epoch_2\.pt: the training state cannot be read: .*run the same command"):
        folder.resume(state)
    assert (state.step, weight(state)) == (0, 5.0)
    assert names(folder) == ["vae_epoch_1.pt", "vae_epoch_2.pt"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read anything")
def test_a_state_of_somebody_else_stops_the_run(folder):
    save_epochs(folder, 1)
    folder.numbered(1).chmod(0)
    with pytest.raises(StateError, match="Permission denied"):
        folder.resume(make_state())


def test_a_folder_in_place_of_a_state_stops_the_run(folder):
    save_epochs(folder, 1)
    folder.interrupted.mkdir()
    with pytest.raises(StateError, match=r"vae_interrupted\.pt: the training state cannot be read: .*directory"):
        folder.resume(make_state())


def test_all_states_can_be_kept(tmp_path):
    folder = RunFolder(tmp_path, FINGERPRINT, "vae", "epoch", keep=None)
    save_epochs(folder, 1, 2, 3, 4)
    assert names(folder) == [f"vae_epoch_{number}.pt" for number in (1, 2, 3, 4)]


def test_files_of_others_beside_the_states_are_left_alone(folder):
    save_epochs(folder, 1)
    (folder.path / "vae_epoch_best.pt").write_text("mine")
    save_epochs(folder, 2, 3)
    assert names(folder) == ["vae_epoch_2.pt", "vae_epoch_3.pt", "vae_epoch_best.pt"]
    state = make_state()
    folder.resume(state)
    assert state.step == 30


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_in_place_of_a_state_is_not_executed(folder, tmp_path, capsys):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "touched",)

    save_epochs(folder, 1)
    for save in (pickle.dump, torch.save):
        with folder.numbered(2).open("wb") as file:
            save(Bomb(), file)
        state = make_state()
        assert folder.resume(state)
        assert state.step == 10
    assert not (tmp_path / "touched").exists()


def test_what_a_killed_run_left_half_written_is_never_taken(folder):
    save_epochs(folder, 1)
    (folder.path / "vae_epoch_2.pt.3f2a9c01.partial").write_bytes(b"half")
    (folder.path / "vae_interrupted.pt.3f2a9c01.partial").write_bytes(b"half")
    state = make_state()
    assert folder.resume(state)
    assert state.step == 10


def test_a_run_killed_between_writing_and_cleaning_up_resumes(folder):
    save_epochs(folder, 1)
    folder.save(make_state(15, 1.5), None)
    torch.save(make_state(20, 2.0).state_dict(), folder.numbered(2))  # vae_interrupted.pt is still there
    state = make_state()
    assert folder.resume(state)
    assert state.step == 15  # older, and as good: the steps after it are the same


def test_a_state_of_another_run_is_refused():
    state = make_state(value=3.0)
    with pytest.raises(StateError, match="written by another run: fingerprint ffffffffffff, expected 0123456789ab"):
        state.load_state_dict(make_state(5, run="f" * 64).state_dict())
    assert (state.step, weight(state)) == (0, 3.0)


def test_a_full_disk_is_a_clear_error_and_leaves_the_last_states(folder, file_size_limit):
    save_epochs(folder, 1, 2)
    with file_size_limit(1000):
        for number in (3, None):
            with pytest.raises(StateError, match=r"cannot be written: .*the earlier states are intact: free space"):
                folder.save(make_state(30, 3.0, size=1000), number)
    assert names(folder) == ["vae_epoch_1.pt", "vae_epoch_2.pt"]
    state = make_state()
    assert folder.resume(state)
    assert weight(state) == 2.0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_without_any_space_is_a_clear_error(folder, monkeypatch):
    save_epochs(folder, 1)
    monkeypatch.setattr("secrets.token_hex", lambda _: "0")
    (folder.path / "vae_epoch_2.pt.0.partial").symlink_to("/dev/full")
    with pytest.raises(StateError, match="cannot be written"):
        folder.save(make_state(20), 2)
    assert names(folder) == ["vae_epoch_1.pt"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "runs").write_text("a file in its place")
    folder = RunFolder(tmp_path / "runs" / "train_vae", FINGERPRINT, "vae", "epoch", keep=2)
    with pytest.raises(StateError, match=r"vae_epoch_1\.pt: the training state cannot be written"):
        folder.save(make_state(), 1)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such permissions on Windows")
def test_a_folder_that_cannot_be_written_to_is_a_clear_error(folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    save_epochs(folder, 1)
    monkeypatch.setattr(torch, "save", refuse)  # the superuser may write anywhere
    with pytest.raises(StateError, match=r"Permission denied; the earlier states are intact.*make the folder writable"):
        folder.save(make_state(), 2)
    assert names(folder) == ["vae_epoch_1.pt"]


def test_the_fingerprint_depends_on_params_data_code_and_start(tmp_path):
    code, start = tmp_path / "code.py", tmp_path / "start.safetensors"
    code.write_text("x = 1")
    start.write_bytes(b"weights")
    data = np.zeros((2, 3), dtype=np.float32)

    def all_of_them():
        return {
            "same": fingerprint({"a": 1, "b": [1, 2]}, [data], [code]),
            "params": fingerprint({"a": 2, "b": [1, 2]}, [data], [code]),
            "data": fingerprint({"a": 1, "b": [1, 2]}, [data + 1], [code]),
            "start": fingerprint({"a": 1, "b": [1, 2]}, [data], [code], str(start)),
        }

    first = all_of_them()
    assert len(set(first.values())) == len(first)
    assert all(len(value) == 64 for value in first.values())
    assert fingerprint({"b": [1, 2], "a": 1}, iter([data]), [code]) == first["same"]
    code.write_text("x = 2")
    assert not set(all_of_them().values()) & set(first.values())


def test_the_fingerprint_sees_where_one_piece_of_data_ends():
    assert fingerprint({}, [b"ab", b"c"], []) != fingerprint({}, [b"a", b"bc"], [])
    assert fingerprint({}, [b"abc"], []) != fingerprint({}, [b"abc", b""], [])


def test_the_fingerprint_does_not_depend_on_how_numbers_are_laid_out():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert fingerprint({}, [values], []) == fingerprint({}, [values.tobytes()], [])


def test_runs_lie_beside_the_checkpoints_unless_said_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("KICKPIPE_RUNS", raising=False)
    assert runs_folder("train_vae") == Path("checkpoints/runs/train_vae")
    monkeypatch.setenv("KICKPIPE_RUNS", str(tmp_path))
    assert runs_folder("train_vae") == tmp_path / "train_vae"
