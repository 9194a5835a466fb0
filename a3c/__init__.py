"""Reproducible experiments with asynchronous deep reinforcement learning (Mnih et al., 2016).

In reading order:

    settings      what a run is
    plan          experiments/*.yaml -> runs and their folders
    environments  Step(observation, reward, discount, last)
    learning      the mathematics: networks, returns, losses, gradients, optimizers
    asynchrony    who reads which parameters when: stores, workers, supervisor
    training      one run, from settings to a finished folder
    records       what a run leaves on disk, and its mirror in MLflow
    analysis      run folders -> tables -> intervals -> figures -> report
"""

__version__ = "0.1.0"
