"""The command that says what the model files are: verify."""

__all__ = ["verify"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kickpipe.cli.app import say
from kickpipe.cli.options import Checkpoints, Json

if TYPE_CHECKING:
    from kickpipe.release import FileReport, Manifest

STATUS = {"released": "released", "own": "your own model", "damaged": "DAMAGED", "missing": "MISSING"}
KIND = {"vae": "VAE", "diffusion": "diffusion model", "vocoder": "vocoder"}


def verify(
    checkpoints: Checkpoints = Path("checkpoints"),
    manifest: Annotated[
        Path | None, typer.Option(help="Manifest to hold them against; by default the project's release.json.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the model files, and say what they are.

    Each is the released one (its SHA-256 is in the manifest), one of your own, damaged or missing. The status is 0 if
    all can be used, else 2.
    """
    from kickpipe.release import check_folder, find_manifest, read_manifest

    path = manifest or find_manifest(checkpoints)
    release = None if path is None else read_manifest(path)
    reports = check_folder(checkpoints, release)
    notes = remarks(reports, release)
    problem = any(not report.usable for report in reports) or len(audio_settings(reports)) > 1
    if as_json:
        name = None if release is None else {"name": release.name, "version": release.version, "manifest": str(path)}
        files = [report.to_dict() for report in reports]
        say(json.dumps({"release": name, "usable": not problem, "files": files, "notes": notes}, ensure_ascii=False))
    else:
        for report in reports:
            say(f"{report.file:40}  {describe(report)}")
        for note in notes:
            say(note)
    if problem:
        raise typer.Exit(2)


def describe(report: "FileReport") -> str:
    """One line about a file."""
    if not report.usable or report.bytes is None:
        return f"{STATUS[report.status]}: {report.reason}"
    words = "" if report.vocabulary is None else f", {report.vocabulary:,} keywords"
    return (
        f"{STATUS[report.status]}: {KIND[report.kind]}, step {report.step:,}, {report.parameters:,} parameters{words}, "
        f"{report.bytes / 1e6:.1f} MB, format version {report.format_version}"
    )


def audio_settings(reports: "list[FileReport]") -> list[dict[str, object]]:
    """The different audio settings of the files, without repeats."""
    found: list[dict[str, object]] = []
    for report in reports:
        if report.audio is not None and report.audio not in found:
            found.append(report.audio)
    return found


def remarks(reports: "list[FileReport]", release: "Manifest | None") -> list[str]:
    """What is to be said about the files together."""
    notes = []
    settings = audio_settings(reports)
    if len(settings) == 1:
        audio = settings[0]
        notes.append(
            f"audio: {audio['sample_rate']:,} Hz, {audio['duration']} s, {audio['n_mels']} mel bands, "
            f"n_fft {audio['n_fft']}, hop_length {audio['hop_length']}"
        )
    elif len(settings) > 1:
        notes.append("the files were trained with different audio settings and cannot be used together")
    status = {report.kind: report.status for report in reports}
    if release is None:
        notes.append("no release.json found: nothing to compare with")
    elif set(status.values()) == {"released"}:
        notes.append(
            f"{release.name} {release.version}: all files as released; licence of the weights: {release.licence}"
        )
    if sorted((status["vae"], status["diffusion"])) == ["own", "released"]:
        notes.append("a diffusion model belongs to the VAE whose latents it was trained on: is it this one?")
    return notes
