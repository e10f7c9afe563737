import re

import numpy as np
import pytest
import soundfile

from kickpipe.audio.wav import AudioFile, write
from kickpipe.cli import main
from kickpipe.common.errors import KickpipeError
from kickpipe.evaluation.report import build_folder_report
from kickpipe.evaluation.report.folder import read_file_facts
from kickpipe.generate.recipe import Recipe
from kickpipe.synth import synthesise


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("folders")
    for name, seed, count in (("pack", 0, 22), ("library", 1, 44)):
        (root / name / "sub").mkdir(parents=True)
        for i in range(count):
            soundfile.write(
                root / name / ("sub" if i % 2 else "") / f"kick {i}.wav", synthesise(seed, i)[:60000], 44100
            )
    soundfile.write(root / "pack" / "repeat.flac", synthesise(1, 3)[:50000], 44100)
    (root / "pack" / "broken.wav").write_bytes(b"RIFF")
    (root / "pack" / "notes.txt").write_text("no sound")
    return root


def test_a_pack_is_shown_beside_the_library_and_its_repeats_are_named(folders, tmp_path):
    build_folder_report(folders / "pack", folders / "library", tmp_path / "out" / "pack.html")
    text = (tmp_path / "out" / "pack.html").read_text(encoding="utf-8")
    assert "23 kicks beside 44 of library." in text
    assert "repeats sub/kick 3.wav" in text and "repeat.flac" in text
    assert "Kernel distance" in text and "broken.wav" in text
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["pack.html"]


def test_a_folder_alone_and_a_single_kick_can_be_looked_at(folders, tmp_path):
    (tmp_path / "one").mkdir()
    soundfile.write(tmp_path / "one" / "kick.wav", synthesise(0, 0), 44100)
    build_folder_report(tmp_path / "one", None, tmp_path / "one.html")
    text = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert text.count('class="card ') == text.count('class="play"') == 1
    assert "Kernel distance" not in text and "Nearest real kick" not in text
    assert text.count("No library to compare with") == 2, "the tiles say why they are empty"


def test_a_kick_that_kickpipe_made_says_its_prompt_and_root_and_leads_to_its_file(tmp_path):
    recipe = Recipe(prompt="deep 808", seed=7, index=2)
    (tmp_path / "my kicks").mkdir()
    path = tmp_path / "my kicks" / "a #1.wav"
    write(path, AudioFile(0.8 * synthesise(0, 0)[:30000], 44100, {}, 33.0, recipe.to_json()))
    facts = read_file_facts(path)
    assert facts.recipe == recipe and facts.root_hz == pytest.approx(55.0)
    assert facts.seconds == pytest.approx(30000 / 44100)
    build_folder_report(tmp_path / "my kicks", None, tmp_path / "pages" / "one.html")
    text = (tmp_path / "pages" / "one.html").read_text(encoding="utf-8")
    assert "<h3>deep 808</h3>" in text and ">A1<" in text and ">680\u202fms<" in text
    assert 'href="../my%20kicks/a%20%231.wav"' in text
    assert "kickpipe generate --seed 7 --first 3 --count 8 &#39;deep 808&#39;" in text
    assert "kickpipe again " in text and "kickpipe vary --count 8 " in text


def test_a_kick_with_a_defect_has_a_card_however_few_are_shown(folders, tmp_path):
    (tmp_path / "pack").mkdir()
    for i in range(12):
        kick = synthesise(0, i)[:60000]
        late = np.concatenate([np.zeros(9000, np.float32), kick]) if i == 5 else kick
        soundfile.write(tmp_path / "pack" / f"kick {i:02}.wav", late, 44100)
    build_folder_report(tmp_path / "pack", None, tmp_path / "pack.html", shown=2)
    text = (tmp_path / "pack.html").read_text(encoding="utf-8")
    assert {"kick-1", "kick-6", "kick-12"} <= set(re.findall(r'id="(kick-\d+)"', text))
    row = text[text.index("Late start<small>") : text.index("Clipped<small>")]
    assert '<a href="#kick-6">kick 05.wav</a>' in row


def test_few_kicks_are_not_compared_and_the_page_says_why(folders, tmp_path):
    (tmp_path / "few").mkdir()
    soundfile.write(tmp_path / "few" / "kick.wav", synthesise(0, 0), 44100)
    build_folder_report(tmp_path / "few", folders / "library", tmp_path / "few.html")
    assert "Not compared: these kicks: 1, and 20 are needed." in (tmp_path / "few.html").read_text(encoding="utf-8")


def test_the_command_writes_the_page_and_says_where(folders, tmp_path, capsys):
    out = tmp_path / "pack.html"
    with pytest.raises(SystemExit) as end:
        main(["report", str(folders / "pack"), "--out", str(out), "--shown", "3"])
    assert not end.value.code
    assert str(out) in capsys.readouterr().out
    assert 3 <= out.read_text(encoding="utf-8").count('class="play"') <= 6  # and as many with a defect
    with pytest.raises(SystemExit) as end:
        main(["report", str(tmp_path / "missing")])
    assert end.value.code == 2 and "no such folder" in capsys.readouterr().err


def test_folders_without_kicks_are_an_error_that_says_what_was_expected(tmp_path):
    with pytest.raises(KickpipeError, match="no such folder"):
        build_folder_report(tmp_path / "missing", None, tmp_path / "x.html")
    (tmp_path / "empty").mkdir()
    with pytest.raises(KickpipeError, match=r"expected \.wav"):
        build_folder_report(tmp_path / "empty", None, tmp_path / "x.html")
    soundfile.write(tmp_path / "empty" / "silence.wav", np.zeros(1000), 44100)
    with pytest.raises(KickpipeError, match="none of the 1 files can be used"):
        build_folder_report(tmp_path / "empty", None, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()
