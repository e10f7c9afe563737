"""How long a demo trains, by the number of kicks, and how long that will take.

The presets are made for a library of 150 kicks. Fewer kicks get as many epochs and so fewer steps; more kicks get as many
steps and so fewer epochs, and beyond 400 a selection is enough to show what comes out.
"""

__all__ = ["MAX_KICKS", "Plan", "Speed", "make_plan"]

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_KICKS = 400
USUAL_KICKS = 150
LEAST_ITERATIONS = 60
LEAST_TEXTURE_STEPS = 20

# Seconds on two idle cores of a virtual machine: of a stage beside its steps, of each kick, and of a VAE step of four
START_SECONDS = 5.0
EVALUATE_SECONDS = 45.0
SECONDS_A_KICK = {"aggregate": 0.002, "preprocess": 0.02, "encode_latents": 0.01}
VAE_SECONDS = 0.16
VAE_EXAMPLES = 4
# What an example costs in a step, where one of the VAE costs 1
EXAMPLE_COSTS = {"train_vae": 1.0, "train_texture": 1.2, "train_diffusion": 0.053, "train_vocoder": 1.6}


@dataclass(frozen=True)
class Speed:
    """How fast this machine is now.

    Arguments:
        vae_seconds: Seconds of a VAE step of four kicks.
    """

    vae_seconds: float = VAE_SECONDS

    def factor(self) -> float:
        """Its seconds over those of two idle cores."""
        return self.vae_seconds / VAE_SECONDS


@dataclass(frozen=True)
class Plan:
    """What a demo trains.

    Arguments:
        num_kicks: Kicks of the library.
        stages: All stages of the pipeline.
        presets: Hyperparameters, in the order in which they go over params.yaml.
        steps: Steps of each training stage.
        batch_sizes: Examples a step.
    """

    num_kicks: int
    stages: tuple[str, ...]
    presets: list[dict[str, Any]]
    steps: dict[str, int]
    batch_sizes: dict[str, int]

    def stage_seconds(self, stage: str, speed: Speed) -> float:
        """How long a stage will take."""
        seconds = START_SECONDS + SECONDS_A_KICK.get(stage, 0.0) * self.num_kicks
        if stage in EXAMPLE_COSTS:
            examples = self.steps[stage] * self.batch_sizes[stage]
            seconds += examples * EXAMPLE_COSTS[stage] * VAE_SECONDS / VAE_EXAMPLES
        if stage == "evaluate":
            seconds += EVALUATE_SECONDS
        return seconds * speed.factor()

    def seconds(self, speed: Speed) -> float:
        """How long all stages will take."""
        return sum(self.stage_seconds(stage, speed) for stage in self.stages)


def make_plan(root: Path, num_kicks: int, pretrained: bool, preset: Path | None = None) -> Plan:
    """The plan for a library.

    Arguments:
        root: The project, with its params and presets.
        num_kicks: Kicks of the library.
        pretrained: Whether the trainings start from models that are good already.
        preset: Hyperparameters over the demo's own.
    """
    presets = [read(root / "presets" / "demo.yaml")]
    if pretrained:
        presets.append(read(root / "presets" / "finetune.yaml"))
    values = merged([read(root / "params.yaml"), *presets])
    presets.append(sized(values, num_kicks))
    if preset is not None:
        presets.append(read(preset))
    values = merged([values, *presets])
    steps = {
        "train_vae": values["vae"]["epochs"] * batches(values, "vae", num_kicks),
        "train_texture": values["texture"]["steps"],
        "train_diffusion": values["diffusion"]["iterations"],
        "train_vocoder": values["vocoder"]["epochs"] * batches(values, "vocoder", num_kicks),
    }
    sizes = {stage: values[stage.removeprefix("train_")]["batch_size"] for stage in steps}
    stages = tuple(read(root / "dvc.yaml")["stages"])
    return Plan(num_kicks, stages, presets, steps, sizes)


def sized(values: dict[str, Any], num_kicks: int) -> dict[str, Any]:
    """Lengths of the trainings for so many kicks, from those for the usual number."""
    lengths: dict[str, Any] = {}
    for name in ("vae", "vocoder"):
        epochs = values[name]["epochs"]
        most = epochs * batches(values, name, USUAL_KICKS)
        lengths[name] = {"epochs": max(min(epochs, most // batches(values, name, num_kicks)), 1)}
    usual = values["texture"]["steps"]
    steps = min(usual, max(math.ceil(usual * num_kicks / USUAL_KICKS), LEAST_TEXTURE_STEPS))
    lengths["texture"] = {"steps": steps, "checkpoint_every": max(steps, 1), "validate_every": max(steps // 3, 1)}
    usual = values["diffusion"]["iterations"]
    iterations = min(usual, max(math.ceil(usual * num_kicks / USUAL_KICKS), LEAST_ITERATIONS))
    lengths["diffusion"] = {"iterations": iterations, "checkpoint_every": iterations}
    lengths["diffusion"]["validate_every"] = max(iterations // 3, 1)
    return lengths


def batches(values: dict[str, Any], name: str, num_kicks: int) -> int:
    """Steps of an epoch."""
    training = num_kicks * (1 - values["split"]["validation_share"])
    return max(math.ceil(training / values[name]["batch_size"]), 1)


def merged(presets: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for preset in presets:
        for section, entries in preset.items():
            values[section] = {**values.get(section, {}), **entries}
    return values


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
