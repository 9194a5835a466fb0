"""From pydantic's findings to problems: key path, offending value, allowed values."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from a3c.problems import Problem, shown, unknown

# Settings that are one of several models, told apart by their `kind`.
UNIONS = ("environment", "network", "order", "algorithm", "optimizer", "correction")


class Frozen(BaseModel):
    """A strict, immutable record: unknown keys and silent conversions are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def field_problems(error: ValidationError, root: type[Frozen]) -> list[Problem]:
    """Pydantic's findings as problems: key path, offending value, allowed values."""
    return [Problem(_path(e["loc"]), _sentence(e, root)) for e in error.errors(include_url=False)]


def _path(location: tuple[int | str, ...]) -> str:
    """`('environment', 'atari', 'protocol')` -> `environment.protocol`: the union's tag is no key of the file."""
    kept = [part for i, part in enumerate(location) if not (i == 1 and location[0] in UNIONS)]
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in kept)
    return text.lstrip(".") or "settings"


def _sentence(error: Any, root: type[Frozen]) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "missing; it needs a value"
    if kind == "extra_forbidden":
        return unknown(error["loc"][-1], _siblings(error["loc"], root))
    if kind == "union_tag_invalid":
        return f"got kind {shown(context['tag'])}; allowed: {context['expected_tags']}"
    if kind == "union_tag_not_found":
        return "its `kind` is missing"
    if kind == "literal_error":
        return f"got {shown(value)}; allowed: {context['expected']}"
    return f"got {shown(value)}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _siblings(location: tuple[int | str, ...], root: type[Frozen]) -> list[str]:
    """The keys that are allowed where an unknown one was found."""
    model: Any = root
    for part in location[:-1]:
        model = _step_into(model, part)
    return list(model.model_fields)


def _members(annotation: Any) -> list[Any]:
    """The models of a union, whether optional or not."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Frozen) else []
    return [m for part in getattr(annotation, "__args__", ()) for m in _members(part)]


def _step_into(model: Any, part: int | str) -> Any:
    if not isinstance(model, list):
        annotation = model.model_fields[str(part)].annotation
        return annotation if isinstance(annotation, type) else _members(annotation)
    return next(m for m in model if m.model_fields["kind"].annotation.__args__.count(part))


def keys_by_kind(root: type[Frozen]) -> dict[str, frozenset[str]]:
    """Each `kind` of the settings that are one of several models, with the keys of its model."""
    found: dict[str, frozenset[str]] = {}
    for name in UNIONS:
        for model in _members(root.model_fields[name].annotation):
            keys = frozenset(model.model_fields)
            found |= dict.fromkeys(model.model_fields["kind"].annotation.__args__, keys)
    return found
