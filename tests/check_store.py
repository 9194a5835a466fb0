"""Fails unless every run in an MLflow SQLite store is FINISHED; run after a workflow: `check_store.py mlflow.db`."""

from __future__ import annotations

import sqlite3
import sys

with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as store:
    counts = dict(store.execute("SELECT status, COUNT(*) FROM runs GROUP BY status").fetchall())
print(f"runs in MLflow by status: {counts}")
sys.exit(0 if set(counts) == {"FINISHED"} else 1)
