"""Views that remake the paper's figures and tables."""

from __future__ import annotations

from a3c.analysis.views.declared import Table, View, columns

PAPER_VIEWS: dict[str, View] = {
    "published_curves": View(
        tables={
            "published_curves": Table(
                columns("game variant workers unit x n score_mean* published_score"),
                "Learning curves beside the paper's",
                "Ours are the points of the table `learning_curves` or `learning_curves_time` on the axis of the "
                "paper's figure, in its `unit`. `published_score` is the paper's at that x, in a straight line between "
                "its points.",
                frozenset({"unit"}),
                csv_only=True,
            ),
            "against_published": Table(
                columns(
                    "game variant workers unit x n score_mean* published_score difference published_end_x "
                    "published_end_score"
                ),
                "Against the paper's learning curves",
                "`score_mean` is ours at x, the last of our points that the published curve reaches, `published_score` "
                "the paper's there, `difference` ours minus the paper's. A published point is a mean over the best "
                "few of many learning rates, ours one over all seeds, so a difference below 0 is no sign of a mistake. "
                "n = 0: only the paper has it.",
                frozenset({"unit"}),
            ),
        },
        figures=("published_curves",),
        published=("1", "v1-1", "3", "4", "v1-5", "S6", "S9", "S10"),
        needs="no sweep",
    ),
    "speed_up": View(
        tables={
            "speed_up": Table(
                columns(
                    "game variant workers n cores oversubscribed timing reference_score frames_to_score "
                    "seconds_to_score speed_up* throughput* data_efficiency* speed_up_per_worker"
                ),
                "Speed-up = throughput x data efficiency",
                "Against the same variant with one worker: `speed_up` in seconds to the reference score is "
                "`throughput`, in frames a second on the way to it, times `data_efficiency`, in frames to it. "
                "`reference_score` lies 75% of the way from the lowest start of the variant's mean curves, one a "
                "worker count, to the lowest of their best points. Seeds of both groups are drawn again; an end at 0 "
                "or ∞ lies beyond the budget. `speed_up_per_worker` is speed_up / workers.",
            ),
            "speed_up_references": Table(
                columns("game variant workers n speed_up_to_50* speed_up_to_75* speed_up_to_100*"),
                "Speed-up by reference score",
                "The speed-up in time to a score 50%, 75% and 100% of the way from the lowest start of the variant's "
                "mean curves to the lowest of their best points: where the three differ, the choice of the score makes "
                "the answer.",
            ),
            "speed_up_means": Table(
                columns(
                    "variant workers game n oversubscribed speed_up* throughput* data_efficiency* "
                    "published_speed_up published_throughput published_data_efficiency"
                ),
                "Speed-up beside the paper's Table 2",
                "Arithmetic means over the games all of whose groups have several seeds; the product of two means is "
                "not quite the third. `published_speed_up` is Table 2 of Mnih et al. (2016), a mean over 7 games with "
                "reference scores that it does not name; `published_throughput` is the median ratio that its Figures "
                "3, 4, S9 and S10 imply for 5 of them, `published_data_efficiency` the first by the second.",
            ),
        },
        figures=("speed_up",),
        needs="no sweep",
    ),
    "robustness": View(
        tables={
            "robustness": Table(
                columns(
                    "game workers variant runs untrained best best_value good_score share_good* good_from good_to "
                    "n_collapsed area* published_runs published_best published_share_good published_good_from "
                    "published_good_to published_area"
                ),
                "Robustness to the swept setting",
                "Final scores of all runs of a variant, whatever their value. `untrained` is the mean of the first "
                "training episode of each environment. `share_good` of the runs reach `good_score`, 80% of the way "
                "from the worst run to the best, and exceed `untrained`; their values lie between `good_from` and "
                "`good_to`; its interval is Wilson's. One outlier at the top makes it small: `area`, the mean over all "
                "runs, is not so moved. `n_collapsed` runs lost more than half of what they had learnt at their best "
                "evaluation point. Published runs are counted by the same rule, but for `untrained`.",
            ),
            "collapses": Table(
                columns("game variant workers runs n_collapsed share_collapsed*"),
                "Runs that lost what they had learnt",
                "At each value: how many runs ended with less than half of what they had learnt, above `untrained`, at "
                "their best evaluation point; the interval of the share is Wilson's.",
                csv_only=True,
            ),
            "robustness_published": Table(
                columns("game workers variant value score"),
                "Published scores along the swept setting",
                "The final score of each published run, read off the paper's scatter plot.",
                csv_only=True,
            ),
        },
        figures=("robustness", "best_runs"),
        needs="sweep",
    ),
    "ranked_scores": View(
        tables={
            "ranked_area": Table(
                columns(
                    "game workers method optimizer variant runs area* against n_paired difference* published_area "
                    "published_difference"
                ),
                "Mean score over all runs",
                "`area` is the mean final score over all runs of a variant, whatever their value: the area under its "
                "curve of scores by rank. `difference` is that of `variant` minus that of `against`, the study's first "
                "variant of the same method, over the `n_paired` pairs of runs that share value and seed. "
                "`published_area` is the same of the published curve, over 50 runs.",
                frozenset({"method", "optimizer"}),
            ),
            "ranked_scores": Table(
                columns("game workers method optimizer variant source rank rank_fraction score"),
                "Runs by rank",
                "Final scores from the best to the worst; the k-th of n stands at (k - 1/2) / n.",
                frozenset({"method", "optimizer", "source"}),
                csv_only=True,
            ),
        },
        figures=("ranked_scores",),
        needs="sweep",
    ),
    "human_normalized": View(
        tables={
            "human_normalized": Table(
                columns(
                    "game variant workers n final_score* random human normalized* published_method published_score "
                    "published_normalized"
                ),
                "Human-normalized scores",
                "`normalized` = 100 (score - random) / (human - random), with the reference scores of Wang et al. "
                "(2016), Table 2, taken from starts with no-ops as ours are. `published_score` is Table S3 of Mnih et "
                "al. (2016), `published_method` its column; those runs were evaluated from human starts and are "
                "normalized by the reference scores of such starts (Video Pinball's random score, which beats the "
                "human tester, taken as 0). The two are near each other and not the same measure.",
                frozenset({"published_method"}),
            ),
            "table1": Table(
                columns("agent source training games n mean* median* reference recomputed_mean recomputed_median rule"),
                "Table 1: mean and median over games",
                "Human-normalized scores, percent. Ours: the mean over runs and games, and the median over games of "
                "each game's mean over runs; bootstrap intervals, stratified by game. Published: Table 1 of Mnih et "
                "al. (2016), and what its own Table S3 gives under the `rule` that comes nearest to it, with the "
                "`reference` scores it was normalized by.",
                frozenset({"agent", "source", "training", "reference", "rule"}),
            ),
            "performance_profile": Table(
                columns("agent training source games n threshold share*"),
                "Performance profile",
                "The share of runs and games whose human-normalized score exceeds `threshold` percent.",
                frozenset({"agent", "source", "training"}),
                csv_only=True,
            ),
        },
        figures=("human_normalized", "performance_profile"),
        needs="no sweep",
    ),
}
