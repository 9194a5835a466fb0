"""Every setting, what it may be and what the paper's is, as a page that is made from the code that checks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from a3c.settings import Settings

Schema = Mapping[str, Any]

INTRODUCTION = (
    "# Settings",
    "`a3c settings` prints this page. Every setting has a value in the file that a run starts from, and none has a "
    "default anywhere else. Each can be replaced on the command line by its key, as in "
    "`a3c train experiments/paper.yaml game=Breakout optimizer.learning_rate=1e-3 'network={kind: mlp, ...}'`; "
    "changing a `kind` replaces what that kind does not share. The last column is `experiments/paper.yaml`: the values "
    "of Mnih et al. (2016), whose sources stand there.",
)
UNIT_PLACES = 53  # integers above 2^53 lose digits in JSON: nobody needs to be told that limit


def reference(paper: Mapping[str, Any]) -> str:
    """The page, in Markdown.

    Args:
      paper: the settings of the paper, not yet validated.
    """
    schema = Settings.model_json_schema()
    single = {key: value for key, value in schema["properties"].items() if not _models(value)}
    blocks = [*INTRODUCTION, "## The run", *_section(schema["description"], single, "", paper)]
    for key, value in schema["properties"].items():
        names = _models(value)
        if not names:
            continue
        nothing = ", or `null` for none" if _is_optional(value) else ""
        blocks += [f"## {key}"]
        if kinds := [kind for name in names for kind in _kinds(schema, name)]:
            blocks += [f"One of {_list(kinds)}{nothing}."]
        for name in names:
            blocks += _model(schema, name, key, paper.get(key) or {})
    return "\n\n".join(blocks) + "\n"


def _model(schema: Schema, name: str, path: str, paper: Mapping[str, Any]) -> Iterator[str]:
    """One model's text and table; models inside it follow."""
    found, kinds = schema["$defs"][name], _kinds(schema, name)
    if kinds:
        yield f"### {path}: {_list(kinds)}"
    values = paper if not kinds or paper.get("kind") in kinds else {}
    plain = {k: v for k, v in found["properties"].items() if k != "kind" and not _models(v)}
    yield from _section(found.get("description", ""), plain, f"{path}.", values)
    for key, value in found["properties"].items():
        for inner in _models(value):
            yield from _model(schema, inner, f"{path}.{key}", values.get(key) or {})


def _section(description: str, fields: Schema, prefix: str, paper: Mapping[str, Any]) -> Iterator[str]:
    yield " ".join(description.split("\n\n")[0].split())
    yield from (" ".join(paragraph.split()) for paragraph in description.split("\n\n")[1:])
    if fields:
        rows = [f"| `{prefix}{key}` | {_allowed(value)} | {_shown(paper, key)} |" for key, value in fields.items()]
        yield "\n".join(["| key | may be | paper |", "| --- | --- | --- |", *rows])


def _shown(paper: Mapping[str, Any], key: str) -> str:
    return f"`{json.dumps(paper[key])}`" if key in paper else ""


def _allowed(field: Schema) -> str:
    """What a field may be, in words."""
    if "anyOf" in field:
        return " or ".join(_allowed(option) for option in field["anyOf"])
    if "enum" in field:
        return _list(field["enum"])
    kind = field.get("type")
    if kind == "array":
        return f"a list, each {_allowed(field['items'])}" if "items" in field else "a list"
    words = {
        "string": "text", "boolean": "`true`, `false`", "null": "`null`", "integer": "a whole number",
        "number": "a number", "object": "keys and values",
    }  # fmt: skip
    return " ".join([words.get(str(kind), "anything that JSON has"), *_bounds(field)])


def _bounds(field: Schema) -> Iterator[str]:
    most = field.get("maximum", field.get("exclusiveMaximum"))
    if most is not None and most >= 2**UNIT_PLACES:
        most = None
    for key, word in (("minimum", "at least"), ("exclusiveMinimum", "above")):
        if key in field:
            yield f"{word} {field[key]:g}" + (" and" if most is not None else "")
    if most is not None:
        yield f"{'at most' if 'maximum' in field else 'below'} {most:g}"


def _models(field: Schema) -> list[str]:
    """Names of the models that a field may hold, in their order."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return [] if name == "JsonValue" else [name]
    options = [*field.get("oneOf", ()), *field.get("anyOf", ())]
    return [name for option in options for name in _models(option)]


def _is_optional(field: Schema) -> bool:
    return any(option.get("type") == "null" for option in field.get("anyOf", ()))


def _kinds(schema: Schema, name: str) -> list[str]:
    kind = schema["$defs"][name]["properties"].get("kind", {})
    return [kind["const"]] if "const" in kind else list(kind.get("enum", ()))


def _list(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
