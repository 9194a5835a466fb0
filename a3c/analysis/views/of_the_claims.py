"""Views that test what the paper and its tutorials claim, and the peers."""

from __future__ import annotations

from a3c.analysis.views.declared import Table, View, columns

CORRELATIONS = "measurements/{run}/correlations.csv"  # by `a3c measure`
AGREEMENT = "replays/{run}/agreement.json"  # by `a3c replay`

CLAIM_VIEWS: dict[str, View] = {
    "peers": View(
        tables={
            "peers": Table(
                columns("variant peer version adapted"),
                "Peers and what was adapted",
                "A peer is another project's program, trained on our environments with our settings where it has them "
                "and its own defaults elsewhere, and evaluated by us. `adapted` says what was done to it or differs "
                "in it from ours. Tables of staleness, phases and drift leave peers out, which record none of it.",
                frozenset({"peer", "version", "adapted"}),
            ),
        },
    ),
    "reached": View(
        tables={
            "reached": Table(
                columns("game variant workers n goal_score n_reached reached* frames_to_reach* n_mastered mastered*"),
                "Runs that reached the goal",
                "`reached` is the share of runs of which a training episode scored `goal_score` or more, `mastered` "
                "that of runs of which the mean of an evaluation point did; their intervals are Wilson's for "
                "proportions. `frames_to_reach` is the median over runs of the frames at the end of the first such "
                "training episode, ∞ where half of the runs or more had none within the budget; its interval lies "
                "between two of the runs, for any distribution, and is empty with fewer than six.",
            ),
        },
        figures=("reached",),
    ),
    "memory": View(
        tables={
            "memory": Table(
                columns(
                    "game variant workers n worker_mib* processes workers_mib model_mib replay_mib share_of_replay"
                ),
                "Memory, beside a replay memory",
                "MiB. `worker_mib` is the most that a worker process ever held, interpreter, libraries and what it "
                "shares with others included; `workers_mib` is that times `processes`, which counts shared pages once "
                "a process and so is the most that all can have held. `model_mib`: parameters and optimizer's "
                "statistics as saved. `replay_mib` is computed, not measured: what DQN's replay memory takes (Mnih et "
                "al., 2015), 1,000,000 frames x 84 x 84 pixels x 1 byte = 7,056,000,000 bytes, each frame stored once.",
            ),
        },
        figures=("memory",),
        needs="no sweep",
    ),
    "reproducibility": View(
        tables={
            "reproducibility": Table(
                columns(
                    "game workers variant seed repeats schedules models median_parting_turn replays_equal "
                    "final_score_mean final_score_sd final_score_min final_score_max"
                ),
                "The same settings and seed, again",
                "Of `repeats` runs that differ in nothing: `schedules` counts the different orders of turns (worker, "
                "steps, staleness), `models` the different final parameters, by the SHA-256 of their bytes. "
                "`median_parting_turn` is the median over the later runs of the first turn, from 0, whose order or "
                "numbers are not the first run's; empty if no run parts from it. `replays_equal` counts the runs that "
                "were made again from their recorded schedule byte for byte; empty where none is replayed. "
                "`final_score_sd` is over the repeats (n - 1 below the line).",
            ),
        },
        figures=("reproducibility",),
        needs="sweep",
        made_of=(AGREEMENT,),
    ),
    "decorrelation": View(
        tables={
            "decorrelation": Table(
                columns(
                    "game variant workers n turns gradient_cosine* gradient_cosine_own* observation_correlation* "
                    "observation_correlation_own* within_correlation* between_correlation*"
                ),
                "How alike consecutive updates are",
                "Turns in the order in which they were applied, compared while the run was made again. "
                "`gradient_cosine`: between a turn's gradient and that of the turn before, whoever made it; "
                "`observation_correlation`: between the mean observations of the two rollouts; with `_own`, the same "
                "worker's turn before instead. `within_correlation`: between successive observations of one rollout; "
                "`between_correlation`: between the last observation of one turn and the first of the next. A "
                "correlation is pooled over components, the sum of their covariances over the root of the product of "
                "the sums of their variances, in blocks of 200 turns. Means over a run's blocks, weighted by turns, "
                "then over runs.",
            ),
        },
        figures=("decorrelation",),
        made_of=(CORRELATIONS,),
    ),
}
