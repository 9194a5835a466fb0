"""What can be said of a server, and of a results folder that shares it with others, without one."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest

from a3c.records.tracking_store import StoreUnusable, check, results_id, sentence
from a3c.tracking_commands import Mirroring

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="could not find MLflow")

URI = "http://127.0.0.1:5000"


@pytest.mark.parametrize("uri", ["127.0.0.1:5000", "tracking.example.org:80/"])
def test_an_address_without_its_scheme_is_not_taken_for_a_folder(uri: str) -> None:
    with pytest.raises(StoreUnusable, match=f"set MLFLOW_TRACKING_URI=http://{uri}$"):
        check(uri)


def test_a_port_that_is_no_number_is_said() -> None:
    with pytest.raises(StoreUnusable, match=r"http://127\.0\.0\.1:mlflow is not the address of a server: "):
        check("http://127.0.0.1:mlflow")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Max retries exceeded (Caused by ResponseError('too many 503 error responses'))", "whether its database runs"),
        ("Max retries exceeded (Caused by ReadTimeoutError('Read timed out. (read timeout=10)'))", "overloaded"),
        ("failed with error code 403 != 200. Response body: 'Invalid Host header - possible", "`--allowed-hosts`"),
        ("You are not authenticated. Please see https://", "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
    ],
)
def test_what_a_server_refuses_is_one_sentence_with_what_helps(said: str, remedy: str) -> None:
    text = sentence(URI, RuntimeError(said))
    assert text.startswith(f"{URI} ")
    assert remedy in text
    assert text.endswith("then run `a3c track`")


def test_a_results_folder_keeps_a_name_that_no_other_has(tmp_path: Path) -> None:
    assert len(results_id(tmp_path / "one")) == 32
    assert results_id(tmp_path / "one") == results_id(tmp_path / "one")
    assert results_id(tmp_path / "one") != results_id(tmp_path / "other")


def test_the_address_of_a_store_is_not_among_the_arguments_that_everybody_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, started = "http://user:secret@127.0.0.1:1", []

    def start(command: list[str], **how: Any) -> None:
        started.append((command, how["env"]["MLFLOW_TRACKING_URI"]))

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(Mirroring, "_check", lambda self: None)
    options = argparse.Namespace(no_track=False, tracking_uri=uri, results=tmp_path, experiments=tmp_path)
    mirroring = Mirroring(options, tmp_path)
    mirroring.start()
    ((command, told),) = started
    assert "secret" not in " ".join(command)
    assert told == uri
