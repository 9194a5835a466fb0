"""What a maze looks like, and by which rules it is played: in Doom's terms, packed into one file for the engine."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from string import Template

import cv2
import numpy as np

from a3c.environments import maze_map
from a3c.environments.maze_map import Plan, text_map

FLOOR, CEILING, WALL = "MFLOOR", "MCEIL", "MWALL"
SIDE = 128  # pixels of a texture, one a map unit

# Walls differ in color and in pattern; nothing of theirs is red or green, as apples and the portal are.
COLORS = (
    (70, 95, 220),
    (220, 185, 60),
    (165, 75, 190),
    (70, 170, 200),
    (230, 130, 40),
    (190, 190, 190),
    (140, 95, 60),
    (235, 160, 195),
)
FLOOR_COLOR, CEILING_COLOR = (88, 80, 72), (30, 34, 52)
APPLE_COLOR, LEAF_COLOR, PORTAL_COLOR, GLOW_COLOR = (235, 20, 20), (30, 150, 30), (40, 235, 60), (255, 255, 255)

# An apple that is touched is gone, and counts as an item. A portal counts as a secret and is gone as well, but leaves
# an arrival behind. One frame later, when the player's own move is over, that takes the player to one of the landings,
# by the engine's random numbers, and puts all apples and the portal anew; the player has been tagged 99 for it.
RULES = """
actor MazeApple : ScoreItem $APPLE
{
  SpawnID 201
  Radius 20
  Height 40
  +COUNTITEM
  Inventory.PickupMessage ""
  Inventory.PickupSound ""
  States
  {
  Spawn:
    MAPP A -1 Bright
    Stop
  }
}
actor MazePortal : CustomInventory $PORTAL
{
  SpawnID 202
  Radius 20
  Height 56
  +COUNTSECRET
  Inventory.PickupMessage ""
  Inventory.PickupSound ""
  States
  {
  Spawn:
    MPOR A -1 Bright
    Stop
  Pickup:
    TNT1 A 0 Thing_ChangeTID(0, 99)
    TNT1 A 0 Thing_SpawnNoFog($PORTAL_SPOT, 203, 0, 0)
    Stop
  }
}
actor MazeArrival
{
  SpawnID 203
  +NOINTERACTION
  States
  {
  Spawn:
    TNT1 A 1
    TNT1 A 0 TeleportOther(99, $LANDINGS, 0)
    TNT1 A 0 Thing_Remove($APPLES)
    TNT1 A 0 Thing_SpawnNoFog($APPLE_SPOTS, 201, 0, $APPLES)
    TNT1 A 0 Thing_SpawnNoFog($PORTAL_SPOT, 202, 0, 0)
    Stop
  }
}
"""

Lump = tuple[str, bytes]


def maze_name(number: int) -> str:
    """What the engine calls the maze of that number in a file."""
    return f"MAZE{number:02}"


def pack(plans: Iterable[Plan]) -> bytes:
    """A file with these mazes, their textures and rules, in Doom's format ("where's all the data")."""
    lumps: list[Lump] = [("DECORATE", Template(RULES).substitute(vars(maze_map)).encode())]
    lumps += [("TX_START", b""), *_textures(), ("TX_END", b""), ("S_START", b""), *_sprites(), ("S_END", b"")]
    for number, plan in enumerate(plans):
        text = text_map(plan, wall=WALL, floor=FLOOR, ceiling=CEILING)
        lumps += [(maze_name(number), b""), ("TEXTMAP", text.encode()), ("ENDMAP", b"")]
    header = struct.calcsize("<4sii")
    directory, contents = b"", b"".join(content for _, content in lumps)
    place = header
    for name, content in lumps:
        directory += struct.pack("<ii8s", place, len(content), name.encode())
        place += len(content)
    return struct.pack("<4sii", b"PWAD", len(lumps), place) + contents + directory


def _textures() -> list[Lump]:
    y, x = np.mgrid[:SIDE, :SIDE]
    patterns = (
        x // 32 % 2,
        y // 32 % 2,
        (x + y) // 32 % 2,
        (x - y) // 32 % 2,
        (x // 32 + y // 32) % 2,
        np.hypot(x - 63.5, y - 63.5) < 40,
        x // 64 % 2,
        abs(x - 63.5) + abs(y - 63.5) < 50,
    )
    found = []
    for number, (color, pattern) in enumerate(zip(COLORS, patterns, strict=True)):
        found.append((f"{WALL}{number}", _png(np.array(color) * (0.6 + 0.4 * pattern[..., None]))))
    for name, color in ((FLOOR, FLOOR_COLOR), (CEILING, CEILING_COLOR)):
        found.append((name, _png(np.full((64, 64, 3), color))))
    return found


def _sprites() -> list[Lump]:
    """An apple, 40 x 40 with a leaf, and a portal, a ring of 64 x 96 with light in it."""
    apple, portal = np.zeros((40, 40, 4)), np.zeros((96, 64, 4))
    y, x = np.mgrid[:40, :40]
    apple[np.hypot(x - 19.5, y - 22) < 17] = (*APPLE_COLOR, 255)
    apple[2:9, 18:30] = (*LEAF_COLOR, 255)
    y, x = np.mgrid[:96, :64]
    away = np.hypot((x - 31.5) / 32, (y - 47.5) / 48)
    portal[away < 1] = (*PORTAL_COLOR, 255)
    portal[away < 0.6] = (*GLOW_COLOR, 255)
    return [("MAPPA0", _standing(_png(apple), 40, 40)), ("MPORA0", _standing(_png(portal), 64, 96))]


def _png(picture: np.ndarray) -> bytes:
    """A picture, [H, W, 3] or with opacity [H, W, 4], as a PNG file."""
    order = [2, 1, 0, 3][: picture.shape[2]]  # OpenCV has blue first
    _, content = cv2.imencode(".png", picture[..., order].astype(np.uint8))
    return content.tobytes()


def _standing(png: bytes, width: int, height: int) -> bytes:
    """The PNG with ZDoom's chunk for sprites, `grAb`: the middle of the lower edge is where the thing stands."""
    chunk = b"grAb" + struct.pack(">ii", width // 2, height)
    after_header = 33
    length, check = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    return png[:after_header] + length + chunk + check + png[after_header:]
