"""Where the view of the runs lies, and what is wrong with that place: all that can be said without loading MLflow."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import socket
import sqlite3
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from a3c.records.storage import write_text

REBUILD = "`a3c track --rebuild` sets it aside and makes a new one from the run folders"
CONNECT_SECONDS, LOCK_SECONDS, OWN_TURN_SECONDS = 2.0, 1.0, 300.0
POLL_SECONDS = 0.05

# What SQLite, SQLAlchemy, MLflow and its server say, in words that name cause and remedy.
CAUSES = (
    ("database is locked", "is locked by another process: close the program that has it open, then run `a3c track`"),
    ("not a database", f"is damaged: {REBUILD}"),
    ("malformed", f"is damaged: {REBUILD}"),
    ("no such table", f"is not a whole MLflow store: {REBUILD}"),
    ("readonly database", "cannot be written to: change its permissions, then run `a3c track`"),
    ("unable to open database", "cannot be opened: change the permissions of its folder, then run `a3c track`"),
    ("disk is full", "cannot grow, the disk is full: make space there, then run `a3c track`"),
    ("disk i/o error", "cannot be written to (disk I/O error): make space there, then run `a3c track`"),
    (
        "out-of-date database schema",
        "was written by another version of MLflow: use that one, or bring an older store up to date with"
        f" `mlflow db upgrade`, or {REBUILD}",
    ),
    ("timed out", "does not answer in time: see whether the server is overloaded, then run `a3c track`"),
    ("error responses", "answers with errors: see its log, and whether its database runs, then run `a3c track`"),
    ("invalid host header", "refuses the name it is called by: start it with `--allowed-hosts`, then run `a3c track`"),
    (
        "not authenticated",
        "asks who you are: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, then run `a3c track`",
    ),
)


class StoreUnusable(Exception):
    """The view cannot be kept up to date: the message is one sentence with the cause and the remedy."""


def default_uri(results: Path) -> str:
    """The local SQLite store below a results folder, by its absolute path."""
    return f"sqlite:///{(results / 'mlflow' / 'mlflow.db').resolve()}"


def file_of(uri: str) -> Path | None:
    """The file of an SQLite store; None for a server and for every other kind of store."""
    return Path(uri.removeprefix("sqlite:///").partition("?")[0]) if uri.startswith("sqlite:///") else None


def created_at_ms(uri: str) -> int | None:
    """When an SQLite store was made, which tells it from one that took its place; None if nobody knows."""
    path = file_of(uri)
    if path is None or is_missing(path):
        return None
    try:
        with _opened(path) as store:
            (created,) = store.execute("SELECT MIN(creation_time) FROM experiments").fetchone()
    except sqlite3.Error:
        return None
    return int(created) if created is not None else None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that makes no file, but may take back what a killed process left half-written."""
    store = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=LOCK_SECONDS)
    try:
        yield store
    finally:
        store.close()


def results_id(results: Path) -> str:
    """Tells a results folder from another machine's at the same path; made at the first call, in the caller's turn."""
    path = results / "mlflow" / "results_id"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)  # the store may lie elsewhere
        write_text(path, f"{uuid.uuid4().hex}\n")
    return path.read_text(encoding="utf-8").strip()


def is_missing(path: Path) -> bool:
    """Whether there is no file, or an empty one."""
    return not path.exists() or path.stat().st_size == 0


def check(uri: str) -> None:
    """Looks at a store from outside, in two seconds at most; a store that is yet to be made is fine.

    Raises:
      StoreUnusable: if it can be seen that nothing can be shown there; a lock can pass and is none of this.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise StoreUnusable("MLflow is not installed: install a3c[pipeline], or train with --no-track")
    path = file_of(uri)
    if path is not None:
        if "?" in uri:
            raise StoreUnusable(f"{uri}: the path of an SQLite store cannot hold a question mark; choose another")
        _check_file(path)
    elif uri.startswith(("http://", "https://")):
        _check_server(uri)
    elif re.fullmatch(r"[\w.-]+:\d+/?", uri):  # MLflow would take it for a folder
        raise StoreUnusable(f"{uri} is not the address of a server: set MLFLOW_TRACKING_URI=http://{uri}")


def _check_file(path: Path) -> None:
    if is_missing(path):
        return
    try:
        with _opened(path) as store:
            store.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        if "locked" not in str(error):
            raise StoreUnusable(sentence(str(path), error)) from None
    if not os.access(path, os.W_OK):
        raise StoreUnusable(f"{path} cannot be written to: change its permissions, then run `a3c track`")


def _check_server(uri: str) -> None:
    parts = urlsplit(uri)
    try:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise StoreUnusable(f"{uri} is not the address of a server: {error}") from None
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        cause = error.strerror or str(error)
        raise StoreUnusable(
            f"no MLflow server answers at {uri} ({cause}): start it, for yourself with `mlflow server --host"
            f" 127.0.0.1 --port {port}`, then run `a3c track`"
        ) from None


def sentence(name: str, error: BaseException) -> str:
    """What went wrong with a store or a run, on one line, with a remedy if the cause is known."""
    said = " ".join(str(error).split())
    if isinstance(error, StoreUnusable):
        return said
    for words, cause in CAUSES:
        if words in said.lower():
            return f"{name} {cause}"
    return f"{name}: {type(error).__name__}: {said[:300]}"


@contextmanager
def own_turn(uri: str, results: Path) -> Iterator[None]:
    """One process at a time writes: two that both found a run missing would both create it.

    Raises:
      StoreUnusable: if one and the same turn of another process takes five minutes.
    """
    path = file_of(uri)
    place = path.parent if path else results / "mlflow"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("a+", encoding="utf-8") as lock:
        holder, since = "", time.monotonic()
        while not _locked(lock.fileno()):
            lock.seek(0)
            if (now := lock.read()) != holder:
                holder, since = now, time.monotonic()
            if time.monotonic() - since > OWN_TURN_SECONDS:
                pid = (holder.split() or ["unknown"])[0]
                raise StoreUnusable(f"{lock.name} is held by process {pid}: end it, then run `a3c track`")
            time.sleep(POLL_SECONDS)
        lock.truncate(0)
        lock.write(f"{os.getpid()} {time.time_ns()}\n")
        lock.flush()
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def set_aside(uri: str) -> Path | None:
    """Renames an SQLite store, with its journal, so that a new one can be made; returns the new name.

    Returns None if there is no store yet.
    """
    path = file_of(uri)
    if path is None or not path.exists():
        return None
    suffix = f".set-aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    aside = path.with_name(path.name + suffix)
    for ending in ("-journal", "-wal", "-shm"):  # SQLite looks for them by the name of the store
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + ending))
    path.rename(aside)
    return aside
