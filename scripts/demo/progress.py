"""What the demo says while the pipeline runs: stage n of 7, how far it is, and how long it will take until all are done."""

__all__ = ["StageProgress"]

import re
import time
from collections.abc import Callable, Collection

from kickpipe.common.progress import format_seconds
from scripts.demo.plan import Plan, Speed

PRIOR = 0.2  # how much the estimate counts against what stages really took, as a share of all of it
LEAST_SHARE = 0.1  # of a stage that must be done before its own speed counts

OF_PARTS = "evaluate"  # counts each of its parts anew, and ends with tables that the report has, too

RUNNING = re.compile(r"^Running stage '(\w+)'")
UNCHANGED = re.compile(r"^Stage '(\w+)' (?:didn't change|is cached)")
DONE = re.compile(r"^(.+): ([\d,]+)/([\d,]+) \w+ \(\d+%\)")
# of DVC, to people who use DVC
LEFT_OUT = re.compile(
    r"^(>|$|Generating lock|Updating lock|To track|\s+git add|To enable|\s+dvc config|Use `dvc push|WARNING: )"
)


class StageProgress:
    """Turns what ``dvc repro`` prints into what the demo says.

    Arguments:
        plan: What is trained.
        speed: How fast this machine is.
        finished: Stages that an earlier run has finished.
        say: Receives lines.
        clock: Seconds from somewhere.
    """

    def __init__(
        self,
        plan: Plan,
        speed: Speed,
        finished: Collection[str],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.expected = {stage: plan.stage_seconds(stage, speed) for stage in plan.stages}
        self.remaining = [stage for stage in plan.stages if stage not in finished]
        self.say = say
        self.clock = clock
        self.seen: set[str] = set()
        self.stage: str | None = None
        self.since = 0.0
        self.share = 0.0  # of the running stage that is done
        # expected and real seconds of stages that are done; the first ones are short and shall not decide alone
        self.spent = [(PRIOR * sum(self.expected.values()),) * 2]

    @property
    def where(self) -> str:
        """Where it is, as in "in stage 3 of 7 (train_vae)"."""
        if self.stage is None:
            return "before the first stage"
        return f"in stage {self.number} of {len(self.expected)} ({self.stage})"

    @property
    def number(self) -> int:
        """Which stage is running, counted in the order in which they run; those that are skipped count, too."""
        return len(self.seen)

    def seconds_left(self) -> float:
        """Seconds until all stages are done, as expected, corrected by how long those before took."""
        expected, real = (sum(values) for values in zip(*self.spent, strict=True))
        factor = real / expected
        left = sum(self.expected[stage] for stage in self.remaining if stage != self.stage) * factor
        if self.stage is None:
            return left
        elapsed = self.clock() - self.since
        if self.share > LEAST_SHARE:
            return left + elapsed / self.share * (1 - self.share)
        return left + max(self.expected[self.stage] * factor - elapsed, 1.0)

    def line(self, text: str) -> None:
        """Takes a line that ``dvc repro`` or a stage printed."""
        if found := RUNNING.match(text):
            self.begin(found[1])
        elif found := UNCHANGED.match(text):
            self.seen.add(found[1])
            self.remaining = [stage for stage in self.remaining if stage != found[1]]
        elif found := DONE.search(text):
            done, total = (int(number.replace(",", "")) for number in found.groups()[1:])
            if self.stage == OF_PARTS:
                self.say(f"  {found[1]}: {done:,} of {total:,}, {self.left()}")
                return
            self.share = done / total
            self.say(f"  {done:,} of {total:,}, {self.left()}")
        elif self.stage != OF_PARTS and not LEFT_OUT.match(text):
            self.say(f"  {text}")

    def begin(self, stage: str) -> None:
        self.end()
        self.seen.add(stage)
        if stage not in self.remaining:  # it was done before, and something it depends on has changed since
            self.remaining.append(stage)
        self.stage, self.since, self.share = stage, self.clock(), 0.0
        self.say(f"stage {self.number} of {len(self.expected)}: {stage}, {self.left()}")

    def left(self) -> str:
        return f"{format_seconds(max(self.seconds_left(), 10))} left in all"

    def end(self) -> None:
        """The running stage is done."""
        if self.stage in self.remaining:
            self.remaining.remove(self.stage)
            self.spent.append((self.expected[self.stage], self.clock() - self.since))
