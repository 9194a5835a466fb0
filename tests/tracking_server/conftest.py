"""One PostgreSQL and one MLflow server for all of these tests, which are apart by their results folders."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.append(str(Path(__file__).parent))  # tests import `servers` by this name

if TYPE_CHECKING:
    from servers import Database, TrackingServer


@pytest.fixture(scope="session")
def _database() -> Iterator[Database]:
    from servers import Database, missing

    if reason := missing():
        pytest.skip(reason)
    # Not below pytest's folder, which is closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="a3c-postgresql-") as folder:
        database = Database(Path(folder))
        try:
            yield database
        finally:
            database.kill()


@pytest.fixture(scope="session")
def _server(_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    from servers import TrackingServer

    server = TrackingServer(_database.uri, tmp_path_factory.mktemp("server"))
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def database(_database: Database) -> Database:
    """Running, whatever the last test did."""
    if not _database.running:
        _database.start()
    return _database


@pytest.fixture
def server(database: Database, _server: TrackingServer, monkeypatch: pytest.MonkeyPatch) -> TrackingServer:
    """Running over the database, and named by the one variable that a user sets."""
    if not _server.running:
        _server.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", _server.uri)
    return _server
