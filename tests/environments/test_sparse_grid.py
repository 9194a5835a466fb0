"""A hidden way, and a goal at its end."""

from __future__ import annotations

import numpy as np
import pytest

from a3c.environments.places import COLORS, GOAL
from a3c.environments.sparse_grid import ACTIONS, SparseGrid, cell, right_move
from a3c.environments.step import Spec
from a3c.settings import SparseGridSettings


def grid(**changes: object) -> SparseGrid:
    plain = {"kind": "sparse_grid", "decisions": 4, "observed": "index", "step_limit_steps": 50}
    return SparseGrid(SparseGridSettings.model_validate(plain | changes))


def test_right_moves_lead_to_the_goal_which_pays_one_and_ends_the_episode() -> None:
    game = grid()
    game.reset()
    steps = [game.step(right_move(n)) for n in range(4)]
    assert [(s.score, s.discount, s.last) for s in steps] == [(0.0, 1.0, False)] * 3 + [(1.0, 0.0, True)]
    assert [int(s.observation) for s in steps] == [1, 2, 3, 4]


@pytest.mark.parametrize("wrong", sorted({0, 1, 2, 3} - {right_move(2)}))
def test_a_wrong_move_leads_back_to_the_start_in_the_same_episode(wrong: int) -> None:
    game = grid()
    game.reset()
    game.step(right_move(0))
    game.step(right_move(1))
    step = game.step(wrong)
    assert (int(step.observation), step.score, step.discount, step.last) == (0, 0.0, 1.0, False)


def test_the_step_limit_ends_the_episode_and_keeps_the_discount() -> None:
    game = grid(step_limit_steps=3)
    for _ in range(2):
        game.reset()
        steps = [game.step(right_move(n)) for n in range(3)]
        assert [(s.discount, s.last) for s in steps] == [(1.0, False), (1.0, False), (1.0, True)]


def test_reaching_the_goal_with_the_last_step_allowed_counts_as_reaching_it() -> None:
    game = grid(step_limit_steps=4)
    game.reset()
    *_, end = [game.step(right_move(n)) for n in range(4)]
    assert (end.score, end.discount, end.last) == (1.0, 0.0, True)


def test_the_way_goes_right_and_down_without_a_rule() -> None:
    moves = [ACTIONS[right_move(n)] for n in range(1000)]
    assert set(moves) == {"right", "down"}
    assert 450 < moves.count("right") < 550
    assert set(moves[:8]) == {"right", "down"}
    assert cell(1000) == (moves.count("down"), moves.count("right"))


@pytest.mark.parametrize(
    ("observed", "spec"), [("index", Spec((), "int64", 4, states=5)), ("vector", Spec((5,), "float32", 4))]
)
def test_observations_are_as_announced(observed: str, spec: Spec) -> None:
    game = grid(observed=observed)
    assert game.spec == spec
    seen = [game.reset(), *(game.step(right_move(n)).observation for n in range(4))]
    expected = np.arange(5) if observed == "index" else np.eye(5, dtype=np.float32)
    assert np.array_equal(np.stack(seen), expected)
    assert seen[0].dtype == expected.dtype


@pytest.mark.parametrize("decisions", [1, 4, 1000])
def test_the_drawing_has_the_goal_at_the_end_of_the_way(decisions: int) -> None:
    game = grid(decisions=decisions)
    game.reset()
    picture = game.render()
    rows, columns = (axis + 1 for axis in cell(decisions))
    side = picture.shape[0] // rows
    assert picture.shape == (rows * side, columns * side, 3)
    assert picture.dtype == np.uint8
    assert side >= 1
    assert (picture[-1, -1] == COLORS[GOAL]).all()


def test_a_restored_grid_goes_on_exactly() -> None:
    here, there = grid(step_limit_steps=5), grid(step_limit_steps=5)
    here.reset()
    there.reset()
    for n in range(2):
        here.step(right_move(n))
    there.restore(here.save())
    rest = [right_move(2), 3, right_move(0)]
    assert [here.step(action) for action in rest] == [there.step(action) for action in rest]
    assert here.save() == there.save()
