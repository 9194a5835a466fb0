"""A whole scale over a real SLURM whose jobs are cancelled, run out of time, and lose their node.

    whole_scale.py HERE THERE [--scale smoke] [--studies a,b]

HERE is a checkout with the results of that scale, made without SLURM; THERE is another of the same commit, without any.
Fails unless Snakemake succeeds over SLURM, every disturbed run has gone on, and what settings determine is the same.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import same_results
from cluster import OPTIONS, bring_back, cluster, missing, said, until
from determined_study import determined_study

from a3c.records import run_folder

LONG = determined_study(2_000_000, "a3c")
A_MINUTE = ("--set-resources", "train:runtime=1")
DRAINED_SECONDS = 20.0
LEAST_BYTES = 400  # of a schedule: the run has made its first turns


class Workflow:
    """Snakemake over SLURM, and what can be done to its jobs."""

    def __init__(self, checkout: Path, *options: str) -> None:
        command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *OPTIONS, *options]
        self.checkout, self._began = checkout, time.monotonic()
        self._process = subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def tell(self, sentence: str) -> None:
        print(f"{time.monotonic() - self._began:.0f} s: {sentence}", flush=True)

    def training(self, *, but: set[Path]) -> dict[Path, str]:
        """Run folders in which a job of SLURM has begun to train, and its number."""
        found = {}
        for line in said("squeue", "-h", "-t", "R", "-o", "%i|%k").splitlines():
            number, _, comment = line.partition("|")
            for schedule in self.checkout.glob(f"results/runs/*/*/seed*/{run_folder.SCHEDULE}"):
                folder, (game, settings_id, seed) = schedule.parent, schedule.parent.parts[-3:]
                named = comment.endswith(f"_{game}_{settings_id}_{seed.removeprefix('seed')}")
                begun = schedule.stat().st_size > LEAST_BYTES and not (folder / run_folder.DONE).exists()
                if named and begun and folder not in but:
                    found[folder] = number
        return found

    def one_training(self, but: set[Path]) -> tuple[Path, str]:
        until(lambda: self.training(but=but) or self._process.poll() is not None, "a run that trains")
        return next(iter(self.training(but=but).items()))

    def stop(self) -> None:
        """Ends Snakemake and its jobs, if something went wrong meanwhile."""
        self._process.terminate()
        self._process.wait()

    def end(self) -> int:
        code = self._process.wait()
        self.tell(f"Snakemake has ended, exit code {code}, {len(finished(self.checkout))} runs are finished")
        return code


def finished(checkout: Path) -> set[Path]:
    return {path.parent for path in checkout.glob(f"results/runs/*/*/seed*/{run_folder.DONE}")}


def went_on(folder: Path) -> bool:
    return "going on from" in (folder / "train.log").read_text(encoding="utf-8")


def disturb(workflow: Workflow, cancelled: int) -> list[Path]:
    """Cancels jobs, drains the node for a while, and takes it down; returns the runs that were hit."""
    hit: list[Path] = []
    for _ in range(cancelled):
        folder, job = workflow.one_training(set(hit))
        said("scancel", job)
        hit.append(folder)
        workflow.tell(f"job {job} is cancelled while it trains {'/'.join(folder.parts[-3:])}")
    (node,) = said("sinfo", "-h", "-o", "%N").split()
    said("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    until(lambda: not said("squeue", "-h", "-t", "R,CG"), "an empty node")
    before = finished(workflow.checkout)
    workflow.tell("the node is drained and empty")
    time.sleep(DRAINED_SECONDS)
    assert finished(workflow.checkout) == before, "a run trained on a drained node"
    bring_back(node)
    folder, job = workflow.one_training(set(hit))
    said("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    workflow.tell(f"the node goes down under job {job}, which trains {'/'.join(folder.parts[-3:])}")
    bring_back(node)
    hit.append(folder)
    return hit


def run_out_of_time(options: argparse.Namespace) -> tuple[int, list[Path]]:
    """Trains for more than the minute that its job has, here without a limit; Snakemake's exit code, and the run."""
    config = ["--config", "scale=smoke", "studies=long"]
    studies = [checkout / "experiments/long.yaml" for checkout in (options.here, options.there)]
    for study in studies:
        study.write_text(LONG, encoding="utf-8")
    try:
        subprocess.run([sys.executable, "-m", "snakemake", "--cores", "2", *config], cwd=options.here, check=True)
        before = finished(options.there)
        code = Workflow(options.there, *A_MINUTE, *config).end()
        return code, list(finished(options.there) - before)
    finally:
        for study in studies:
            study.unlink()


def main(options: argparse.Namespace) -> int:
    """Prints what came of it; 0 if all is as it should be."""
    if reason := missing():
        print(reason)
        return 2
    config = ["--config", f"scale={options.scale}", *([f"studies={options.studies}"] if options.studies else [])]
    with tempfile.TemporaryDirectory(prefix="a3c-slurm-") as folder, cluster(Path(folder)):
        workflow = Workflow(options.there, *config)
        try:
            hit = disturb(workflow, options.cancelled)
            code = workflow.end()
        finally:
            workflow.stop()
        code_of_long, long = run_out_of_time(options)
    code, hit = code or code_of_long, hit + long
    lost = [folder for folder in hit if not went_on(folder)]
    print(f"{len(hit)} runs were cancelled or out of time, {len(hit) - len(lost)} of them went on from a checkpoint")
    differ = same_results.main(options.here / "results", options.there / "results")
    return 1 if code or lost or differ else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("here", type=Path)
    parser.add_argument("there", type=Path)
    parser.add_argument("--scale", default="smoke")
    parser.add_argument("--studies", default="", help="by default all")
    parser.add_argument("--cancelled", type=int, default=3, help="jobs that are cancelled")
    sys.exit(main(parser.parse_args()))
