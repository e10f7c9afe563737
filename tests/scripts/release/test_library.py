"""The release library: what may be trained on is in it, held-out sources are not leaked, provenance is complete."""

import csv

import numpy as np
import pytest
import soundfile

RATE = 44100


@pytest.fixture(scope="module")
def script():
    from scripts.release import library

    return library


def kick(end_hz, seconds=0.4):
    t = np.arange(int(seconds * RATE)) / RATE
    return 0.8 * np.sin(2 * np.pi * (end_hz * t + 3.0 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.08)


@pytest.fixture
def source(tmp_path):
    """Five files: two of a held-out source, a copy of one of them elsewhere, one of its own, one not cleared."""
    files = {
        "Studio/A/Acoustic kick 1.wav": (kick(50), "CC0-1.0", "1"),
        "Studio/A/kick 2.wav": (kick(70), "CC0-1.0", "1"),
        "Other/renamed.wav": (-0.5 * np.concatenate([np.zeros(100), kick(50)]), "MIT", "1"),
        "Other/TR-808/bd0050.wav": (kick(41, 1.0), "CC-BY-4.0", "1"),
        "Third/kick.wav": (kick(60), "GPL-3.0", "0"),
    }
    rows = []
    for path, (waveform, licence, cleared) in files.items():
        target = tmp_path / "library" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, waveform, RATE)
        rows.append({"path": path, "is_kick": "1", "licence": licence, "release_training": cleared})
    rows.append({"path": "Third/snare.wav", "is_kick": "0", "licence": "MIT", "release_training": "1"})
    with (tmp_path / "library.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path / "library"


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def release(script, source, tmp_path):
    out = tmp_path / "release"
    arguments = [str(source), str(out), "--synth", "3", "--augment", "2", "--holdout", "Studio/A", "--seed", "5"]
    assert script.main(arguments) == 0
    return out


def test_kinds_are_counted_and_every_file_is_in_the_provenance(release):
    rows = read_csv(release / "provenance.csv")
    assert sorted(row["kind"] for row in rows) == ["augmented"] * 2 + ["real"] * 3 + ["synth"] * 3
    assert {row["file"] for row in rows} == {path.relative_to(release).as_posix() for path in release.rglob("*.wav")}
    assert all(row["licence"] for row in rows)


def test_held_out_sources_are_neither_augmented_nor_found_under_another_name(release):
    rows = read_csv(release / "provenance.csv")
    held_out = {row["original"] for row in rows if row["held_out"] == "1"}
    assert held_out == {"Studio/A/Acoustic kick 1.wav", "Studio/A/kick 2.wav"}
    assert {row["original"] for row in rows if row["kind"] == "augmented"} == {"Other/TR-808/bd0050.wav"}
    reasons = {row["original"]: row["reason"] for row in read_csv(release / "left_out.csv")}
    assert set(reasons) == {"Other/renamed.wav", "Third/kick.wav"}
    assert "Studio/A/Acoustic kick 1.wav" in reasons["Other/renamed.wav"]


def test_every_file_passes_the_filters_of_the_aggregate_stage(release):
    for path in release.rglob("*.wav"):
        assert 5 * 1024 <= path.stat().st_size <= 1024 * 1024
        assert "kick" in path.name.lower()
        assert "loop" not in path.name.lower()
        assert soundfile.info(path).channels == 1


def test_names_keep_the_machine_and_gain_what_was_measured(release):
    name = next((release / "real" / "Other").glob("*.wav")).name
    assert name.startswith("808 ")
    assert name.endswith(" Kick 0001.wav")


def test_the_same_arguments_give_the_same_bytes(script, source, tmp_path, release):
    again = tmp_path / "again"
    script.main([str(source), str(again), "--synth", "3", "--augment", "2", "--holdout", "Studio/A", "--seed", "5"])
    for path in sorted(release.rglob("*.wav")):
        assert path.read_bytes() == (again / path.relative_to(release)).read_bytes()


def test_an_existing_folder_is_not_overwritten(script, source, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert script.main([str(source), str(tmp_path / "out")]) == 1
    assert "--force" in capsys.readouterr().err


def test_a_missing_source_or_table_is_named(script, tmp_path, capsys):
    assert script.main([str(tmp_path / "nowhere"), str(tmp_path / "out")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_the_same_recording_is_found_shifted_inverted_and_scaled(script):
    noise = np.random.default_rng(0).standard_normal(RATE // 4)
    references = script.fingerprints([kick(50), noise])
    others = script.fingerprints([-0.1 * np.concatenate([np.zeros(37), noise]), kick(90)])
    (index, copy), (_, other) = script.near_duplicates(others, references)
    assert index == 1
    assert copy > 0.985
    assert other < 0.985


def test_names_of_numbers_and_files_give_no_words(script):
    assert script.name_words("psemiletov__drum_sklad/Wooden/kick03.wav") == ["acoustic"]
    assert script.name_words("mot4i__garden/garden_bd/kick01.wav") == []
    assert script.name_words("smpldsnds__drum-machines/TR-808/kick/bd0050.ogg") == ["808"]


def test_the_real_library_gives_what_its_table_promises(script, library):
    table = library.with_name("library.csv")
    kicks, left_out = script.read_kicks(library, table, script.HELD_OUT)
    assert len(kicks) == 453
    assert {path for path, reason in left_out if not reason.startswith("not cleared")} == set()
    assert 60 <= sum(kick.held_out for kick in kicks) <= 90
    assert {kick.source for kick in kicks if kick.held_out} == set(script.HELD_OUT)
