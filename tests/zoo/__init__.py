"""The regression zoo: bugs that users of other A3C code have met, each as a test that names the thread it came from.

A test's name begins with the thread's repository and number; its docstring gives the links, `owner/repository#number`
being github.com/owner/repository/issues/number, or a pull request's. Each one has the same three parts:

    check(...)              what must hold, whoever is asked
    check(of this project)  it does
    check(as it is copied)  the same check catches the idiom that the thread is about, written again here in a few lines

so that no check can become one that everything passes. Where a thread was a question and its code right, the idiom is
what the question supposed. The idioms are re-creations: no repository's code was run, and threads may have been
answered or fixed since.

    group                                 where
    A  gradients, the shared optimizer    test_handover, test_local_copies, test_shared_adam, test_shared_rmsprop,
                                          test_action_values (target networks)
    B  it does not learn, or not as the   test_losses, test_returns, test_recurrent, test_action_values, test_protocol
       paper says
    C  determinism and seeds              test_determinism, test_seeds
    I  numbers                            test_numerics
    K  Atari                              test_atari_frames, test_atari_scores, test_returns (time limits)

What these groups have and no test here can show:

    "Pong works, other games do not" (miyosuda/async_deep_reinforce#28 and #48, dennybritz/reinforcement-learning#41 and
    #92, openai/universe-starter-agent#72, coreylynch/async-rl#21, Grzego/async-rl#1 and #6,
    ikostrikov/pytorch-a2c-ppo-acktr-gail#53)
        Only long runs can tell. tests/asynchrony/test_learning.py says for easy games whether anything is learnt.
    Which t_max was used, 5 or 20 (muupan/async-rl#2)
        The sources disagree; experiments/paper.yaml names them.
    The same seed, another result, with real processes (alex-petrenko/sample-factory#65)
        tests/asynchrony/test_replay.py makes recorded runs again, byte for byte.
    "A2C is deterministic" (DLR-RM/stable-baselines3#369 and #557)
        A matter of words; tests/asynchrony/test_processes.py has which runs are equal to the bit.
    Gradients on another device (ikostrikov/pytorch-a3c#59)
        Workers compute on the CPU; test_handover meets the same error with a type in a device's place.
    Sprites that take turns over four frames (Farama-Foundation/Arcade-Learning-Environment#709)
        Nobody who looks at two frames of four, as the papers do, sees all of them.
    Breakout stands still after 65,536 frames (openai/gym#833)
        The emulated game's own; the frame limit ends such a game, which test_atari_scores shows for another reason.
    How frames are resized, to the byte (openai/gym#2454, DQN Zoo's notes)
        tests/environments/test_atari_golden.py has checksums.
"""
