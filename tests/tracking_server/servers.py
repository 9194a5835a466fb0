"""A PostgreSQL and an MLflow server on this machine alone, which tests start, kill and start again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import tracked_runs

USER = "a3c"
wait_for = partial(tracked_runs.wait_for, seconds=400.0)  # on a machine that has much else to do


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def program(name: str) -> str | None:
    """A program of PostgreSQL, which Debian keeps off the search path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, places)]))


def missing() -> str:
    """What a machine lacks for these servers; nothing if it lacks nothing."""
    lacking = [name for name in ("initdb", "postgres") if program(name) is None]
    lacking += [name for name in ("mlflow", "psycopg2") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


class Database:
    """PostgreSQL below a folder that its user can reach; it refuses to run as root, so that root lends it to nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {"stdin": subprocess.DEVNULL, "cwd": folder}
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
            self._as |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
        command = [program("initdb"), "-D", folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run([*command, "--no-sync"], check=True, stdout=subprocess.DEVNULL, **self._as)

    @property
    def uri(self) -> str:
        return f"postgresql+psycopg2://{USER}@127.0.0.1:{self._port}/postgres"

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        import psycopg2

        command = [program("postgres"), "-D", self._folder / "data", "-h", "127.0.0.1", "-p", str(self._port)]
        with (self._folder / "log").open("ab") as log:
            # No socket beside the port; nothing is synced, since no test takes the machine's power away.
            self._process = subprocess.Popen([*command, "-k", "", "-F"], stdout=log, stderr=log, **self._as)

        def answers() -> bool:
            try:
                psycopg2.connect(host="127.0.0.1", port=self._port, user=USER, dbname="postgres").close()
            except psycopg2.OperationalError:
                return False
            return True

        wait_for(answers)

    def kill(self) -> None:
        """Ends it at once, as a crash does: every connection breaks, and the next start recovers from its log."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None


class TrackingServer:
    """`mlflow server` over a database, always at the same address."""

    def __init__(self, database: str, folder: Path) -> None:
        self._port, self._log = free_port(), folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        self._command += ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
        self._command += ["--workers", "1"]

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        without = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment = {name: text for name, text in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | without
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

        def answers() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=10) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        wait_for(answers)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to all of its processes."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL to all of its processes."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            self._process.wait()
            self._process = None
