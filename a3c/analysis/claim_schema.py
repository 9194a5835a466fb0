"""What a claim is: a sentence, its source, and one of a few tests on the tables of a study."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from a3c.settings import MAX_WORKERS
from a3c.study_file import Name, Value
from a3c.validation import Frozen

WORKER_WORDS = ("fewest", "most", "most_within_cores")
VALUE_WORDS = ("least", "greatest", "natural")


def _workers(value: Any) -> int | str:
    if value in WORKER_WORDS or (isinstance(value, int) and 1 <= value <= MAX_WORKERS):
        found: int | str = value
        return found
    words = ", ".join(WORKER_WORDS)
    raise PydanticCustomError("workers", f"input should be from 1 to {MAX_WORKERS}, or one of {words}")


def _value(value: Any) -> float | str:
    if value in VALUE_WORDS or (isinstance(value, int | float) and not isinstance(value, bool)):
        found: float | str = value
        return found
    raise PydanticCustomError("value", f"input should be a number, or one of {', '.join(VALUE_WORDS)}")


Text = Annotated[str, Field(min_length=1)]


class Arm(Frozen):
    """Runs of a study that differ in nothing but game and seed, or, without a value, in what the study sweeps as well.

    Attributes:
      variant: the study's.
      workers: how many, or `fewest`, `most`, `most_within_cores` of those that both arms have in a game.
      value: of the study's sweep: a number, `least`, `greatest`, or `natural`: the nearest to workers - 1, the mean
        staleness that so many workers have by themselves; all of them by default.
    """

    variant: Name
    workers: Annotated[int | str, PlainValidator(_workers)] = "most"
    value: Annotated[float | str, PlainValidator(_value)] | None = None


class Within(Frozen):
    """An open range that an effect must lie in.

    Attributes:
      above: its lower end, if it has one.
      below: its upper end, if it has one.
    """

    above: Value | None = None
    below: Value | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Within:
        if self.above is None and self.below is None:
            raise PydanticCustomError("ends", "input should have `above`, `below` or both")
        return self


class Against(Frozen):
    """Two arms, or one against each of several.

    Attributes:
      arm: the first.
      against: what it is held against.
    """

    arm: Arm
    against: Annotated[list[Arm], Field(min_length=1)]


class Difference(Against):
    """The first arm's mean of a column minus the other's: above or below nothing.

    Attributes:
      column: of the table `runs`, one value a run, or of a table that has a row and an interval a group of runs.
      table: which. In one with a column `seconds`, the rows at the latest second that both arms reach are compared.
      expect: which sign is claimed.
    """

    kind: Literal["difference"]
    column: Name
    table: Name = "runs"
    expect: Literal["higher", "lower"]


class Equivalence(Against):
    """Two means of a column of `runs` that differ by less than a margin, named beforehand for each game tested."""

    kind: Literal["equivalence"]
    column: Name
    margins: Annotated[dict[str, Annotated[Value, Field(gt=0)]], Field(min_length=1)]


class Ratio(Against, Within):
    """The first arm's mean of a positive column of `runs` over the other's."""

    kind: Literal["ratio"]
    column: Name


class Quantity(Within):
    """A column that must lie within bounds in every run or, of another table than `runs`, in every row.

    Attributes:
      column: which.
      table: whose.
      variants: whose rows.
      counted_by: the column that counts the runs behind a row of another table.
    """

    kind: Literal["quantity"]
    column: Name
    table: Name = "runs"
    variants: Annotated[list[Name], Field(min_length=1)]
    counted_by: Name = "n"


Test = Annotated[Difference | Equivalence | Ratio | Quantity, Field(discriminator="kind")]


class Claim(Frozen):
    """One claim of a source.

    Attributes:
      id: a few words joined by underscores.
      sentence: what is claimed, in our words.
      source: document and section or figure.
      study: whose tables test it.
      test: how.
      games: those that are tested, all of the study's by default.
      note: what else must be known to read the verdict.
    """

    id: Name
    sentence: Text
    source: Text
    study: Name
    test: Test
    games: Annotated[list[str], Field(min_length=1)] | None = None
    note: str = ""


class Property(Frozen):
    """One row of the table that holds A3C against A2C.

    Attributes:
      name: what is compared.
      unit: of its numbers.
      study: whose table has it.
      table: which.
      column: of that table, with an interval beside it or not.
      counted_by: the column that counts the runs behind it.
      variants: what that study calls the columns, where it calls them otherwise.
    """

    name: Text
    unit: str
    study: Name
    table: Name
    column: Name
    counted_by: Name = "n"
    variants: dict[Name, Name] = Field(default_factory=dict)


class Claims(Frozen):
    """The whole file.

    Attributes:
      claims: in the order in which the ledger shows them.
      columns: headings of the table of properties, by variant.
      properties: its rows.
    """

    claims: list[Claim]
    columns: dict[Name, Text] = Field(default_factory=dict)
    properties: list[Property] = Field(default_factory=list)
