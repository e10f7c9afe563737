"""The model card and the data card: what scripts write into them is what was measured, and nothing is left out silently."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from kickpipe import __version__
from kickpipe.release import models_version

ROOT = Path(__file__).parents[3]


@pytest.fixture
def model_card():
    from scripts.release import model_card

    return model_card


@pytest.fixture
def data_card():
    from scripts.release import data_card

    return data_card


def spread(value: float) -> dict[str, float]:
    return {"median": value, "low": value - 0.5, "high": value + 0.5}


def trip(**means: float) -> dict[str, dict[str, float]]:
    return {name: {"mean": value, "p90": 2 * value} for name, value in means.items()}


SETS = ("generated", "training", "synthesiser", "floor")
DETAILS = {
    "kicks": {"generated": 500, "heldout": 80, "training": 366, "synthesised": 300},
    "distances": {
        "number": 80,
        "draws": 10,
        "embeddings": {
            "levels": {
                "kernel": {name: spread(i + 1.25) for i, name in enumerate(SETS)},
                "coverage": {"generated": spread(0.5), "training": spread(0.9)},
            }
        },
        "descriptors": {"decay_20_ms": {name: spread(10.0 * i) for i, name in enumerate(SETS)}},
    },
    "defects": {"generated": {"any": 0.02, "late": 0.01}, "heldout": {"any": 0.03}, "training": None},
    "copies": {"ratio": 0.987, "generated": {"share": 0.004, "pairs": []}, "heldout": {"share": 0.0, "pairs": []}},
    "round_trips": {
        "number": 80,
        "mel": {"l1": {"mean": 0.3}, "db": {"mean": 1.3}},
        "griffin_lim": trip(convergence=0.30, onset_error_ms=1.5),
        "vocoder": trip(convergence=0.25, onset_error_ms=2.0, tail_db=-50.0),
        "vae_griffin_lim": trip(convergence=0.44),
    },
    "keywords": None,
    "reasons": {"keywords": "no keyword of the model has 10 real kicks"},
}


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with a card that has a place for every section, and everything to render."""
    names = ("headlines", "files", "training", "settings", "targets", "measured")
    places = "\n".join(f"<!-- {name}: rendered -->\nbefore\n<!-- {name}: end -->\n" for name in names)
    (tmp_path / "MODEL_CARD.md").write_text(f"# Card\n\n{places}\nlast line\n", encoding="utf-8")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "presets").mkdir()
    values = {
        "metrics/evaluate_details.json": DETAILS,
        "metrics/train_vae.json": {"step": 1968, "loss": 1.0, "val_l1": 0.2345},
        "params.yaml": {"vae": {"epochs": 12, "lr": 1e-4}, "split": {"holdout": ["a/*", "b/*"]}, "evaluate": {"guidance": 1.0}},
        "presets/specification.yaml": {"vae": {"epochs": 100, "lr": 1e-4}, "split": {"holdout": []}},
        "release.json": {
            "name": "models", "version": "1.0",
            "files": [{"file": "vae.safetensors", "step": 1968, "parameters": 3123456, "bytes": 12500000, "sha256": "ab" * 32}],
        },
    }  # fmt: skip
    for name, content in values.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def cells(text: str, first: str) -> list[str]:
    """The cells of the table row that begins with this cell."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {first}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_everything_that_was_measured_is_written_between_the_marks(model_card, project):
    assert model_card.main(["--root", str(project)]) == 0
    text = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "before" not in text
    assert text.startswith("# Card\n")
    assert text.endswith("last line\n")
    assert cells(text, "`vae.safetensors`")[1:4] == ["1,968", "3,123,456", "12.5"]
    assert cells(text, "VAE")[1:] == ["1,968", "val_l1 0.234"]
    assert cells(text, "Kernel distance (lower is better")[1] == "1.25 (0.750 to 1.75)"
    assert cells(text, "Coverage (higher is better")[1:3] == ["50% (0% to 100%)", "90% (40% to 140%)"]
    assert cells(text, "Decay to −20 dB, ms")[1:] == ["0", "10.0", "20.0", "30.0"]
    assert cells(text, "Any of these")[1:] == ["2.0%", "3.0%", "–"]
    assert "Near-copies: 0.4%" in text
    assert cells(text, "Vocoder: ")[1:3] == ["0.250 (0.500)", "2.00 (4.00)"]
    assert "Not measured: no keyword of the model has 10 real kicks." in text


def test_settings_that_differ_from_the_specification_are_listed_and_no_others(model_card, project):
    model_card.main(["--root", str(project)])
    text = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert cells(text, "`vae.epochs`")[1:] == ["100", "12"]
    assert cells(text, "`split.holdout`")[1:] == ["none", "a/*, b/*"]
    assert "vae.lr" not in text


def test_an_aim_that_was_missed_is_called_so(model_card, project):
    model_card.main(["--root", str(project)])
    text = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert cells(text, "kernel distance, as a multiple")[1:] == ["at most 1.50", "0.556", "yes"]
    assert cells(text, "coverage, as a share")[1:] == ["at least 70%", "56%", "**no**"]
    assert cells(text, "share of kicks with any defect")[1:] == ["at most 2.0%", "2.0%", "yes"]
    assert cells(text, "top-1 of keywords")[2:] == ["–", "not measured"]
    assert cells(text, "VAE + Griffin-Lim, convergence")[1:] == ["at most 0.450", "0.440", "yes"]
    assert cells(text, "vocoder, convergence")[3] == "yes"
    assert cells(text, "vocoder, onset error")[3] == "**no**"
    assert cells(text, "vocoder, tail")[3] == "**no**"


def test_the_headlines_stand_beside_what_they_are_read_against(model_card, project):
    model_card.main(["--root", str(project)])
    text = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert cells(text, "Distance to real kicks")[1:] == ["**0.556×**", "training kicks: 1×"]
    assert cells(text, "Coverage. ")[1:] == ["**50%**", "training kicks: 90%"]
    assert cells(text, "Any defect. ")[1:] == ["**2.0%**", "held-out real kicks: 3.0%"]
    assert cells(text, "Copies. ")[1:] == ["**0.4%**", "held-out real kicks: 0%"]
    assert cells(text, "Words come true")[1:] == ["not measured: no keyword of the model has 10 real kicks", "–"]


def test_the_readme_has_the_same_headlines_and_is_checked_with_the_card(model_card, project):
    readme = project / "README.md"
    readme.write_text("# Project\n\n<!-- headlines: rendered -->\n<!-- headlines: end -->\n", encoding="utf-8")
    model_card.main(["--root", str(project)])
    text = readme.read_text(encoding="utf-8")
    assert cells(text, "Coverage. ") == cells((project / "MODEL_CARD.md").read_text(encoding="utf-8"), "Coverage. ")
    readme.write_text(text.replace("50%", "99%"), encoding="utf-8")
    assert model_card.main(["--root", str(project), "--check"]) == 1


def test_rendering_twice_changes_nothing_and_check_only_looks(model_card, project):
    card = project / "MODEL_CARD.md"
    before = card.read_bytes()
    assert model_card.main(["--root", str(project), "--check"]) == 1
    assert card.read_bytes() == before
    model_card.main(["--root", str(project)])
    after = card.read_bytes()
    assert model_card.main(["--root", str(project), "--check"]) == 0
    model_card.main(["--root", str(project)])
    assert card.read_bytes() == after


def test_sections_without_a_source_stay_as_they_are(model_card, project):
    for name in ("metrics/evaluate_details.json", "release.json"):
        (project / name).unlink()
    model_card.main(["--root", str(project)])
    text = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert text.count("before") == 4  # headlines, files, targets, measured


def test_a_card_without_a_place_for_a_section_is_an_error(model_card, project, capsys):
    (project / "MODEL_CARD.md").write_text("# Card\n", encoding="utf-8")
    assert model_card.main(["--root", str(project)]) == 2
    assert "<!-- files: rendered -->" in capsys.readouterr().err


def test_the_committed_card_holds_what_the_committed_metrics_say(model_card):
    if not (ROOT / "release.json").is_file():
        pytest.skip("no release is committed yet")
    assert model_card.main(["--check"]) == 0


def test_the_committed_card_has_a_place_for_every_section(model_card, project):
    shutil.copy(ROOT / "MODEL_CARD.md", project / "MODEL_CARD.md")
    assert model_card.main(["--root", str(project)]) == 0


def row(file: str, source: str, licence: str, kind: str = "real", held_out: str = "0") -> dict[str, str]:
    return {"file": file, "kind": kind, "source": source, "original": file, "licence": licence, "held_out": held_out}


ROWS = [
    row("a", "vitling__acid-banger", "CC-BY-4.0"),
    row("a2", "vitling__acid-banger", "CC-BY-4.0", kind="augmented"),
    row("b", "deb_sonic-pi-samples", "CC0-1.0", held_out="1"),
    row("c", "kickpipe synth", "MIT (made by this project's synthesiser)", kind="synth"),
]
EVIDENCE = {
    "a": {"licence_class": "claimed", "licence_evidence": "README.md"},
    "b": {"licence_class": "clear", "licence_evidence": "debian/copyright"},
}


def test_the_data_card_counts_sources_licences_and_names_whom_to_credit(data_card):
    sections = data_card.render(ROWS, ["not cleared for training: GPL-3.0"] * 3, EVIDENCE)
    assert sections["sources"].startswith("4 files: 2 real kicks of 2 sources, of which 1 are held out, 1 augmented")
    assert cells(sections["sources"], "vitling")[2:5] == ["1", "1", "training"]
    assert cells(sections["sources"], "deb_sonic")[2:5] == ["1", "-", "held out"]
    assert cells(sections["licences"], "CC-BY-4.0")[1:] == ["1", "-"]
    assert sections["credits"] == "- `vitling__acid-banger`: Vitling, The Endless Acid Banger, CC-BY-4.0"
    assert sections["claimed"].startswith("1 of 2 real kicks.")
    assert cells(sections["left out"], "not cleared")[1] == "3"


@pytest.mark.parametrize(
    ("source", "licence", "message"),
    [("nobody__knows", "CC0-1.0", "add it to ORIGINS"), ("kathmo__js30", "CC-BY-4.0", "add it to CREDITS")],
)
def test_a_source_without_entry_or_credit_is_refused(data_card, source, licence, message):
    rows = [*ROWS, row("d", source, licence)]
    with pytest.raises(data_card.CardError, match=message):
        data_card.render(rows, [], {**EVIDENCE, "d": EVIDENCE["b"]})


def test_every_kick_that_may_be_trained_on_has_an_entry_and_a_credit(data_card, library):
    import csv

    with library.with_name(f"{library.name}.csv").open(newline="", encoding="utf-8") as file:
        table = [line for line in csv.DictReader(file) if line["is_kick"] == line["release_training"] == "1"]
    rows = [row(line["path"], line["path"].split("/")[0], line["licence"]) for line in table]
    sections = data_card.render(rows, [], {line["path"]: line for line in table})
    assert sections["sources"].startswith(f"{len(table)} files: {len(table)} real kicks")


def test_the_citation_names_the_version_and_the_licence_of_the_code():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == "MIT"


def test_the_package_has_the_version_of_the_models_it_comes_with():
    release = json.loads((ROOT / "release.json").read_text(encoding="utf-8"))
    assert __version__.startswith(f"{release['version']}.")
    assert models_version() == release["version"]
    assert f"version {release['version']}." in (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
