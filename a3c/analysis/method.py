"""What a report says of all studies alike: how runs are made and measured, and what differs from the paper."""

from __future__ import annotations

PARTS = {
    "questions": "The questions",
    "claims": "What the paper and its tutorials claim",
    "paper": "The paper's figures and tables",
}

METHOD = (
    (
        "Runs",
        "A run trains one agent from one seed for a fixed budget of emulator frames. It is a sequence of turns: a "
        "worker pulls version r of the parameters, plays a rollout, computes a gradient and pushes it, which makes"
        " version v + 1; the turn's staleness is v - r. Every turn is recorded. Schedules differ in who waits for "
        "whom: hogwild locks nothing (A3C as published), locked makes a push with the pull after it atomic, "
        "synchronous averages one gradient of every worker (A2C), drawn takes the order of turns from a seeded "
        "generator.",
    ),
    (
        "Scores",
        "A score is the unclipped sum of a game's rewards over a whole game. At evenly spaced points of the budget"
        " the parameters are frozen and play games of their own, on random streams that training never uses. The "
        "final score is that of the last point, so of the final parameters; the best point's score is optimistic, "
        "since it is chosen by the scores that it reports. Training scores are those of the games that the workers"
        " play while they learn.",
    ),
    (
        "Time",
        "Runs whose seconds are compared had the machine to themselves, and their evaluations were made "
        "afterwards. Workers beyond the number of cores share them: such runs are marked as oversubscribed "
        "wherever they appear, and their seconds say more about the machine than about the method.",
    ),
    (
        "Numbers",
        "The seed is the unit of every aggregate: n counts seeds, intervals are over seeds. Where variants share "
        "seeds, differences are taken seed by seed. All intervals are drawn from generators with fixed seeds, so "
        "that the same runs give the same report to the byte.",
    ),
)

# What the paper has, and what stands here in its place.
DEVIATIONS = (
    ("actor-learners", "threads", "processes", "Python's threads share one interpreter"),
    (
        "RMSProp's epsilon, gradient clipping, weight of the value loss",
        "not in the paper",
        "0.1, 40, 0.5",
        "the authors' e-mails, quoted in experiments/paper.yaml",
    ),
    ("after the budget", "not stated", "a gradient still under way is dropped", "the last version used the budget up"),
    ("evaluation starts", "human starts", "up to 30 no-ops", "the human starts are not public"),
    ("MuJoCo tasks", "the authors' own", "Gymnasium's", "the authors' are not public"),
    ("Labyrinth", "DeepMind's", "random mazes drawn by ViZDoom", "Labyrinth is not public"),
    ("TORCS", "a racing simulator", "Gymnasium's CarRacing", "it runs anywhere, and without a display"),
)
DEVIATION_COLUMNS = ("what", "in the paper", "here", "why")
