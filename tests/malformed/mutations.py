"""A seeded generator of files and names as nobody should write them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

_MARK = "the-place-of-the-mistake"
_DEEP = 3_000


def laughs(levels: int = 12, width: int = 10) -> str:
    """Aliases of aliases: a few hundred bytes that mean 10^12 numbers."""
    rest = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * width)}]" for i in range(1, levels)]
    return "{" + ", ".join(["l0: &l0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", *rest]) + "}"


def merges(levels: int = 12, width: int = 10) -> str:
    """The same with merge keys."""
    rest = [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * width)}]}}" for i in range(1, levels)]
    return "{" + ", ".join(["m0: &m0 {a: 1}", *rest]) + "}"


# Raw YAML that stands where a value should; `CANARY` is a file that must never come to be.
VALUES = (
    ".nan", "-.inf", ".inf", "1e-4", "1e400", "1.0e+400", "-1", "0", "-0.0", "1.5", "9" * 30, "9" * 5_000,
    "0x" + "f" * 5_000,
    "0b" + "1" * 70, "010", "0o10", "0x1F", "1_000", "12:30:45", "190:20:30.15", "2026-01-01", "2026-13-45",
    "2026-01-01T25:61:61Z", "no", "yes", "on", "Off", "y", "~", "null", "''", "' '", "x", "x" * 5_000, "[]", "{}",
    "[[]]",
    "[~]", "{~: 1}", "{1: 2}", "{true: 1}", "{[1]: 2}", "{{a: 1}: 2}", "{? [a, b] : c}", "[1, x, .nan, {}]",
    "{kind: ~}", "{kind: []}", "{kind: {}}", "{kind: x}", "{kind: 1}", "{kind: mlp}", "{kind: .nan}", "!!binary aGk=",
    "!!binary 'gIGC/w=='", "!!binary '*'", "!!set {a, b}", "!!omap [a: 1, b: 2]", "!!pairs [a: 1, a: 2]", "!!int x",
    "!!int ''",
    "!!float x", "!!bool maybe", "!!timestamp x", "!!null x", "!!str {a: 1}", "!!seq x", "!!map x", "!!set x",
    "!!python/object/apply:os.system ['touch CANARY']", "!!python/object/new:os.system ['touch CANARY']",
    "!!python/object:os.system {}", "!!python/name:os.system ''", "!!python/module:os ''", "!!python/tuple [1, 2]",
    "!!python/object/apply:builtins.eval ['open(\"CANARY\", \"w\")']", "!mine x", "!<tag:x,2026:y> z", "=", "<<",
    "*nothing",
    "&self [*self]", "&self {again: *self}", "{<<: 1}", "{<<: [1]}", "{<<: {kind: x}}", "{a: 1, a: 2}", '"\\0"',
    '"\\n"',
    '"\\ud800"', '"\\U0001F40D"', '"\\x1b[31m"', "'<script>alert(1)</script>'", "'{game}'", "'%s%n'",
    "'$(touch CANARY)'",
    "'`touch CANARY`'", "'../../etc/passwd'", "[" * _DEEP, "[" * 300 + "]" * 300, "{a: " * 300 + "1" + "}" * 300,
    "'unended", '"unended', "{unended", "| text", "@at", "`tick", "%percent", "- item", "key: value", "? x",
    laughs(), merges(),
)  # fmt: skip

KEYS = ("colour", "games", "kind", "", " ", "1", "~", "<<", "__class__", "{game}",
        "../x", "no", "on", "workers", "seed",
        "x" * 5_000, "models", "schedul", "schedule ", "\u0441hedule", "'a\\nb'", "2026-01-01", "[1]",
    "{a: 1}")  # fmt: skip

BYTES = (b"\t", b"\x00", b"\xff", b"\xfe\xff", b"\xc3", b"\r", b"\x07", b"\x1b", "\u2028".encode(), "\u0085".encode(),
         b"\xef\xbb\xbf", b"\xed\xa0\x80", b"---\n", b"...\n", b"%YAML 9.9\n", b"'", b'"', b"{", b"]", b"&", b"*",
    b"!!",
         b"!!python/object/apply:os.system ['touch CANARY']\n", b"<<: *x\n", b"? ", b": ", b"- ", b"| ",
    b"@")  # fmt: skip

WHOLE = (
    b"", b"\n", b"# nothing\n", b"---\n---\n", b"[]", b"x", b"1", b"~", b"\xff\xfe\x00\x01", b"\x00" * 100,
    b"[" * 10_000,
    b"{a: " * 10_000, b"a: b: c", b"\t", b"!!python/object/apply:os.system ['touch CANARY']", laughs().encode(),
    merges().encode(), b"&a [*a]", b"x: " + b"y" * 3_000_000, bytes(range(256)), b"- a\n- b\n", b"{a: 1, a: 1}",
    "title: tête".encode("latin-1"), "title: x".encode("utf-16"), "title: x".encode("utf-32"), b"%YAML 3.0\n---\na: 1",
)  # fmt: skip


class Mutant(NamedTuple):
    """A file's bytes, and in words what was done to it."""

    content: bytes
    what: str


def mutants(text: str, count: int, seed: int) -> Iterator[Mutant]:
    """Versions of a YAML mapping with one or two mistakes each; some of them may still be valid."""
    chance = random.Random(seed)
    kinds: list[Callable[[str, random.Random], Mutant]] = [_another_value] * 5 + [_another_key] * 3 + [_broken_text] * 3
    for number in range(count):
        if number < len(WHOLE) and seed == 0:
            yield Mutant(WHOLE[number], f"the whole file: {WHOLE[number][:40]!r}")
        else:
            yield chance.choice(kinds)(text, chance)


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _holder(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        tree = tree[key]
    return tree


def _written(tree: Any, raw: str) -> bytes:
    text: str = yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, width=10**6)
    return text.replace(_MARK, raw).encode("utf-8", "surrogatepass")


def _another_value(text: str, chance: random.Random) -> Mutant:
    tree = yaml.safe_load(text)
    path, raw = chance.choice(list(_places(tree))), chance.choice(VALUES)
    _holder(tree, path)[path[-1]] = _MARK
    return Mutant(_written(tree, raw), f"{'.'.join(map(str, path))} becomes {raw[:60]}")


def _another_key(text: str, chance: random.Random) -> Mutant:
    tree = yaml.safe_load(text)
    path = chance.choice([path for path in _places(tree) if isinstance(_holder(tree, path), dict)])
    holder, where = _holder(tree, path), ".".join(map(str, path))
    if chance.random() < 0.3:
        del holder[path[-1]]
        return Mutant(_written(tree, ""), f"{where} is missing")
    value = holder[path[-1]]
    if chance.random() < 0.5:
        del holder[path[-1]]
    raw = chance.choice(KEYS)
    holder[_MARK] = value
    return Mutant(_written(tree, raw), f"beside or instead of {where}: {raw[:60]}")


def _broken_text(text: str, chance: random.Random) -> Mutant:
    whole, lines = text.encode(), text.encode().splitlines(keepends=True)
    at, line = chance.randrange(len(whole)), chance.randrange(len(lines))
    piece = chance.choice(BYTES)
    return chance.choice([
        Mutant(whole[:at] + piece + whole[at:], f"{piece!r} at byte {at}"),
        Mutant(b"".join([*lines[:line], piece, *lines[line:]]), f"{piece!r} before line {line}"),
        Mutant(whole[:at], f"cut at byte {at}"),
        Mutant(whole[:at] + whole[at + 1 :], f"without byte {at}"),
        Mutant(b"".join([*lines[:line], lines[line], *lines[line:]]), f"line {line} twice"),
        Mutant(b"".join([*lines[:line], b" " + lines[line], *lines[line + 1 :]]), f"line {line} indented"),
        Mutant(b"".join(chance.sample(lines, len(lines))), "lines in another order"),
    ])  # fmt: skip
