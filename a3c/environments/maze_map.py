"""Random mazes: drawn from a generator, and written as text maps for Doom.

    # # # # # # #
    #   .     . #
    # # # . # # #
    #     .     #
    # # # # # # #

A maze of n x n cells is a plan of 2n + 1 by 2n + 1 blocks: a cell where row and column are odd, and walls around it,
some of them open. Cells are wide and walls are thin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CELL = 128  # Doom's map units: a player is 32 wide, 56 high, sees from a height of 41 and runs up to 17 a frame
WALL = 16
CEILING = 128
LOOPS = 0.15  # of the walls that are left inside, so many are opened: there is more than one way
DIRECTIONS = 8  # that a player may look in at first

# What stands on a map: numbers of kinds of things, Doom's own below 10,000; and the tags that they are found by.
START, LANDING, SPOT, APPLE, PORTAL = 1, 14, 9001, 31001, 31002
LANDINGS, APPLE_SPOTS, PORTAL_SPOT, APPLES = 1, 2, 3, 4

Cell = tuple[int, int]  # row, from the south, and column, from the west


@dataclass(frozen=True)
class Plan:
    """A maze.

    Attributes:
      open: bool [2n + 1, 2n + 1], where one can walk.
      textures: int [2n + 1, 2n + 1], what the walls look like.
      start: where the player begins.
      portal: where the portal stands.
      apples: where an apple lies.
      angle: degrees counterclockwise from the east, in which the player looks at first.
    """

    open: np.ndarray
    textures: np.ndarray
    start: Cell
    portal: Cell
    apples: tuple[Cell, ...]
    angle: int

    @property
    def side_cells(self) -> int:
        """Cells along a side, n."""
        return len(self.open) // 2


def draw_plan(side_cells: int, apples: int, textures: int, generator: np.random.Generator) -> Plan:
    """A maze with every cell in reach.

    Args:
      side_cells: n, at least 2.
      apples: how many, at most n² − 2; each in a cell of its own, apart from the start and the portal.
      textures: how many different ones there are for walls.
      generator: of all chance in it.
    """
    blocks = 2 * side_cells + 1
    way = _carve(side_cells, generator)
    closed = ~way
    closed[[0, -1]] = closed[:, [0, -1]] = False
    closed[::2, ::2] = False  # between four cells; the walls beside it decide
    way |= closed & (generator.random(way.shape) < LOOPS)
    chosen = generator.permutation(side_cells**2)[: apples + 2]
    start, portal, *rest = [divmod(int(cell), side_cells) for cell in chosen]
    angle = int(generator.integers(DIRECTIONS)) * 360 // DIRECTIONS
    return Plan(way, generator.integers(textures, size=(blocks, blocks)), start, portal, tuple(rest), angle)


def _carve(side_cells: int, generator: np.random.Generator) -> np.ndarray:
    """Open blocks of a maze without loops, bool [2n + 1, 2n + 1]: a walk that turns back where it is stuck."""
    way = np.zeros((2 * side_cells + 1, 2 * side_cells + 1), dtype=bool)
    way[1, 1] = True
    trail = [(1, 1)]
    while trail:
        row, column = trail[-1]
        ahead = [
            (row + down, column + right)
            for down, right in ((0, 2), (2, 0), (0, -2), (-2, 0))
            if 0 < row + down < len(way) and 0 < column + right < len(way) and not way[row + down, column + right]
        ]
        if not ahead:
            trail.pop()
            continue
        there = ahead[generator.integers(len(ahead))]
        way[(row + there[0]) // 2, (column + there[1]) // 2] = way[there] = True
        trail.append(there)
    return way


def text_map(plan: Plan, wall: str, floor: str, ceiling: str) -> str:
    """The maze as a map in UDMF, Doom's text format, for ZDoom, which works out itself what is visible from where.

    Args:
      plan: the maze.
      wall: name of the wall textures, without their number.
      floor: name of the floor's texture.
      ceiling: name of the ceiling's.
    """
    lines = list(_lines(plan))
    corners: dict[Cell, int] = {}
    for line in lines:
        for corner in line[:2]:
            corners.setdefault(corner, len(corners))
    places = _places(plan.side_cells)
    text = ['namespace = "zdoom";']
    text += [f"vertex {{ x = {places[column]}; y = {places[row]}; }}" for row, column in corners]
    for number, (begin, end, texture) in enumerate(lines):
        text.append(f"linedef {{ v1 = {corners[begin]}; v2 = {corners[end]}; sidefront = {number}; blocking = true; }}")
        text.append(f'sidedef {{ sector = 0; texturemiddle = "{wall}{texture}"; }}')
    text.append(
        f'sector {{ heightfloor = 0; heightceiling = {CEILING}; texturefloor = "{floor}"; '
        f'textureceiling = "{ceiling}"; lightlevel = 255; }}'
    )
    return "\n".join([*text, *_things(plan), ""])


def center(cell: Cell) -> tuple[int, int]:
    """Where the middle of a cell is on the map: x, to the east, and y, to the north."""
    row, column = (WALL + place * (WALL + CELL) + CELL // 2 for place in cell)
    return column, row


def _places(side_cells: int) -> list[int]:
    """Where the blocks' edges are on the map."""
    return [(edge + 1) // 2 * WALL + edge // 2 * CELL for edge in range(2 * side_cells + 2)]


def _lines(plan: Plan) -> Iterator[tuple[Cell, Cell, int]]:
    """From corner to corner, with the wall on the left and the way on the right, and the wall's texture."""
    for row, column in np.argwhere(plan.open).tolist():
        south_west, south_east = (row, column), (row, column + 1)
        north_west, north_east = (row + 1, column), (row + 1, column + 1)
        for beside, begin, end in (
            ((row - 1, column), south_east, south_west),
            ((row, column - 1), south_west, north_west),
            ((row + 1, column), north_west, north_east),
            ((row, column + 1), north_east, south_east),
        ):
            if not plan.open[beside]:
                yield begin, end, int(plan.textures[beside])


def _things(plan: Plan) -> Iterator[str]:
    """The player, the apples, the portal; spots where they come back; landings in all open cells but the portal's."""
    yield _thing(START, plan.start, angle=plan.angle)
    for kind, tag in ((PORTAL, 0), (SPOT, PORTAL_SPOT)):
        yield _thing(kind, plan.portal, tag)
    for cell in plan.apples:
        yield _thing(APPLE, cell, APPLES)
        yield _thing(SPOT, cell, APPLE_SPOTS)
    for cell in np.ndindex(plan.side_cells, plan.side_cells):
        if plan.open[1::2, 1::2][cell] and cell != plan.portal:
            yield _thing(LANDING, cell, LANDINGS)


def _thing(kind: int, cell: Cell, tag: int = 0, angle: int = 0) -> str:
    x, y = center(cell)
    return f"thing {{ type = {kind}; id = {tag}; x = {x}; y = {y}; angle = {angle}; skill3 = true; single = true; }}"
