"""Who reads which parameters when: stores, workers, and the processes that run them.

A run is a sequence of turns: a worker pulled version r, computed a gradient and pushed it as version v + 1. The
schedule is the list of turns, and staleness is v - r. The three schedules differ in the store that the same worker is
given:

    hogwild       no lock on the parameters, as in the paper: they may be read and written while others write
    locked        a push, with the pull that follows it, is atomic
    synchronous   all pull, all push, the gradients are averaged in worker order: this is A2C
"""
