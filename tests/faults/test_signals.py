"""Signals: a run that is asked to stop makes a checkpoint and says so; nobody but the supervisor heeds them."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from a3c.asynchrony.outcomes import ProcessFailedError, StoppedError
from a3c.asynchrony.stopping import Stop
from a3c.records import run_folder
from a3c.settings import Settings

if TYPE_CHECKING:
    from trees import Trainer

Make = Callable[..., Settings]
Start = Callable[..., "Trainer"]

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
STOPS_SECONDS = 40  # a second on a machine that has nothing else to do; 10 for the checkpoint and 5 for the end at most
ENDLESS = {"schedule": "locked", "workers": 3, "budget_frames": 10**8}


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_second_one_ends_the_run(number: int) -> None:
    stop, before = Stop(), signal.getsignal(number)
    with stop.on_signals():
        signal.raise_signal(number)
        assert (stop.signal_number, stop.at_once) == (number, False)
        with pytest.raises(StoppedError):
            signal.raise_signal(number)
    assert stop.at_once
    assert signal.getsignal(number) == before


def test_signals_change_nothing_while_processes_are_being_ended() -> None:
    stop = Stop()
    with stop.on_signals():
        stop.begin_to_end()
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
    assert stop.at_once


def test_a_closed_terminal_does_not_stop_a_run_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = Stop()
        with stop.on_signals():
            signal.raise_signal(signal.SIGHUP)
        assert stop.signal_number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_message_names_what_the_same_command_goes_on_from() -> None:
    stopped, failed = StoppedError(signal.SIGTERM), ProcessFailedError("worker 1 raised an exception:\nOops\n")
    assert str(stopped) == "stopped by SIGTERM"
    stopped.remains = failed.remains = "its last checkpoint is x"
    assert str(stopped) == "stopped by SIGTERM; its last checkpoint is x"
    assert str(failed) == "worker 1 raised an exception:\nOops\nits last checkpoint is x"


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_to_every_process_at_once_stops_the_run_with_a_checkpoint(
    cartpole: Make, trainer: Start, number: int
) -> None:
    """As a batch system sends it; a terminal sends it to some of them."""
    started = trainer(cartpole(**ENDLESS), checkpoint_seconds=1e9)
    started.wait_for_turns()
    for process in [p for p in started.living() if p.pid != started.process.pid]:
        os.kill(process.pid, number)
    os.kill(started.process.pid, number)
    assert started.process.wait(STOPS_SECONDS) == SIGNALS[number], started.message
    name = signal.Signals(number).name
    assert f"{name}: the run makes a checkpoint and stops; a second signal ends the run at once" in started.message
    assert f"stopped by {name}; its last checkpoint is" in started.message
    assert "Traceback" not in started.message
    assert [p.name for p in (started.folder / "checkpoints").iterdir()] == ["00000001"]
    assert run_folder.read_json(started.folder / run_folder.MANIFEST)["outcome"] == "killed"
    assert not started.children()


@pytest.mark.slow
def test_no_signal_of_a_terminal_moves_anybody_but_the_supervisor(cartpole: Make, trainer: Start) -> None:
    started = trainer(cartpole(**ENDLESS), checkpoint_seconds=0.05)  # for which workers stand still and go on
    started.wait_for_turns()
    before = [p.pid for p in started.living()]
    for _ in range(100):
        for pid in set(before) - {started.process.pid}:
            for number in SIGNALS:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        time.sleep(0.02)
    started.wait_for_turns()
    assert [p.pid for p in started.living()] == before
    assert started.process.poll() is None


@pytest.mark.slow
def test_a_second_signal_ends_a_run_at_once_that_cannot_make_its_checkpoint(cartpole: Make, trainer: Start) -> None:
    strike = {"process": "worker 1", "place": "rollout", "passage": 50, "signal": signal.SIGSTOP}
    started = trainer(cartpole(**ENDLESS), strike)
    assert started.wait_for_mark()
    started.process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    assert started.process.poll() is None
    began = time.monotonic()
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(STOPS_SECONDS) == 130
    print(f"ended after {time.monotonic() - began:.2f} s")
    assert not started.children()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_ctrl_c_during_start_up_ends_it(cartpole: Make, trainer: Start, seconds: float) -> None:
    from sessions import wait_for

    started = trainer(cartpole(**ENDLESS))
    assert wait_for(lambda: len(started.living()) > 1, 60), "the server of processes is being started"
    time.sleep(seconds)
    for process in started.living():
        os.kill(process.pid, signal.SIGINT)
    assert started.process.wait(STOPS_SECONDS) == 130, started.message
    assert "Traceback" not in started.message, started.message
    assert wait_for(lambda: not started.living(), STOPS_SECONDS)


@pytest.mark.slow
def test_ctrl_c_during_the_last_evaluation_ends_the_run(cartpole: Make, trainer: Start) -> None:
    from sessions import wait_for

    settings = cartpole(schedule="locked", workers=2, evaluation={"points": 1, "episodes": 100_000})
    started = trainer(settings)
    started.wait_for_turns()
    assert wait_for(lambda: len(started.children()) == 1, 60)
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(STOPS_SECONDS) == 130
    assert "the same command" in started.message
    assert not started.children()


@pytest.mark.slow
def test_a_terminal_stops_a_run_by_ctrl_c_and_lets_it_stand_still_by_ctrl_z(cartpole: Make, trainer: Start) -> None:
    from sessions import wait_for

    keyboard, terminal = pty.openpty()
    started = trainer(cartpole(**ENDLESS), terminal=terminal)
    os.close(terminal)
    started.wait_for_turns()
    started.process.send_signal(signal.SIGTSTP)  # what Ctrl-Z sends; the kernel keeps it from a session's leader
    still = {started.process.pid, *started.children()}
    assert wait_for(lambda: {p.pid for p in started.living() if p.state == "T"} >= still, 10)
    started.process.send_signal(signal.SIGCONT)
    started.wait_for_turns()
    os.write(keyboard, b"\x03")
    assert started.process.wait(STOPS_SECONDS) == 130
    assert not started.children()
    os.close(keyboard)


@pytest.mark.slow
def test_a_closed_terminal_stops_the_run_with_a_checkpoint(cartpole: Make, trainer: Start) -> None:
    keyboard, terminal = pty.openpty()
    started = trainer(cartpole(**ENDLESS), terminal=terminal, checkpoint_seconds=1e9)
    os.close(terminal)
    started.wait_for_turns()
    os.close(keyboard)
    assert started.process.wait(STOPS_SECONDS) == 129
    assert (started.folder / "checkpoints" / "00000001").exists()
    manifest = run_folder.read_json(started.folder / run_folder.MANIFEST)
    assert (manifest["outcome"], manifest["error"].split(";")[0]) == ("killed", "stopped by SIGHUP")
    assert not started.children()
