"""The words and numbers of figures: units, counts, and what a caption must not leave out."""

from __future__ import annotations

import pandas as pd


def plural(workers: int) -> str:
    """`1 worker`, `2 workers`."""
    return f"{workers} worker" if workers == 1 else f"{workers} workers"


def frame_unit(greatest: float) -> tuple[float, str]:
    """What to divide frames by on an axis that ends at `greatest`, and the axis's label."""
    if greatest >= 1e6:
        return 1e6, "frames (millions)"
    return (1e3, "frames (thousands)") if greatest >= 5e3 else (1.0, "frames")


def second_unit(greatest: float) -> tuple[float, str]:
    """What to divide seconds by on an axis that ends at `greatest`, and the axis's label."""
    if greatest >= 7200:
        return 3600.0, "wall-clock (h)"
    return (60.0, "wall-clock (min)") if greatest >= 300 else (1.0, "wall-clock (s)")


def number(value: float, _: object = None) -> str:
    """A tick's label: `2,048`, `0.5`, with a true minus sign."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.4g}"
    return text.replace("-", "\N{MINUS SIGN}")


def seeds(frame: pd.DataFrame) -> str:
    """`n = 5 seeds`, or the range over the rows, from the column n."""
    low, high = int(frame["n"].min()), int(frame["n"].max())
    return f"n = {low} {'seed' if high == 1 else 'seeds'}" if low == high else f"n = {low} to {high} seeds"


def overload(runs: pd.DataFrame) -> str:
    """A caption's last sentence: which worker counts exceeded the cores; nothing if none did."""
    over = runs[runs["oversubscribed"] == "yes"]
    if over.empty:
        return ""
    pairs = sorted({(int(w), int(c)) for w, c in zip(over["workers"], over["cores"], strict=True)})
    return " Oversubscribed: " + ", ".join(f"{plural(w)} on {c} cores" for w, c in pairs) + "."


def short(name: str, limit: int = 30) -> str:
    """A long name with its middle left out."""
    return name if len(name) <= limit else f"{name[: limit // 2 - 1]}…{name[-(limit // 2) :]}"
