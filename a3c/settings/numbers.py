"""The kinds of numbers that settings are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_WORKERS = 1024

# Frames are counted in 64-bit integers and pass through float64 in figures, which is exact up to 2**53.
Positive = Annotated[int, Field(ge=1, le=2**53)]
Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Lag = Annotated[int, Field(ge=0, le=65535)]  # what a recorded turn can hold
