"""What is read is data: no pickle, no code in YAML, no markup in the report, no environment variable in a record."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import a3c
from a3c.analysis import page
from a3c.records.manifest import Manifest
from a3c.settings import Settings

ROOT = Path(a3c.__file__).parents[1]
SOURCES = [*sorted((ROOT / "a3c").rglob("*.py")), *sorted((ROOT / "experiments").rglob("*.py"))]

# Modules whose only use is to turn bytes into objects of any kind.
UNSAFE_MODULES = ("pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib")
UNSAFE_NAMES = ("eval", "exec", "compile", "__import__")


def called(node: ast.Call) -> str:
    """`torch.load(...)` -> `torch.load`."""
    return ast.unparse(node.func)


def wrong(tree: ast.AST) -> Iterator[str]:
    """Every place in a program that could run what it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            yield from (f"imports {name}" for name in names if name.partition(".")[0] in UNSAFE_MODULES)
        if not isinstance(node, ast.Call):
            continue
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        name = called(node)
        if name in UNSAFE_NAMES:
            yield f"calls {name}"
        if name == "torch.load" and given.get("weights_only") != "True":
            yield "torch.load without weights_only=True"
        if name.endswith(("np.load", "numpy.load")) and given.get("allow_pickle") != "False":
            yield "np.load without allow_pickle=False"
        if name in ("yaml.load", "yaml.load_all") and ast.unparse(node.args[1]) != "_Loader":
            yield "yaml.load with another loader"
        if name.startswith(("yaml.full_load", "yaml.unsafe_load", "yaml.safe_load")):
            yield f"{name}, which checks neither size nor keys"
        if given.get("shell") == "True" or name in ("os.system", "os.popen"):
            yield f"{name} through a shell"


def test_no_program_runs_what_it_reads() -> None:
    trees = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    found = {name: list(wrong(tree)) for name, tree in trees.items()}
    assert len(found) > 100
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import load", "eval(x)", "exec(x)", "torch.load(x)", "np.load(x)",
        "torch.load(x, weights_only=False)", "yaml.load(x, yaml.Loader)", "yaml.unsafe_load(x)",
        "np.load(x, allow_pickle=True)", "subprocess.run(x, shell=True)", "os.system(x)",
    ],
)  # fmt: skip
def test_such_places_are_found(code: str) -> None:
    assert len(list(wrong(ast.parse(code)))) == 1


def test_the_yaml_loader_is_a_safe_one() -> None:
    import yaml

    from a3c import yaml_files

    assert issubclass(yaml_files._Loader, yaml.SafeLoader)
    assert yaml_files._Loader.yaml_constructors is yaml.SafeLoader.yaml_constructors


def test_markup_in_names_is_text_in_the_report(tmp_path: Path) -> None:
    bad = '<script>alert("x")</script>'
    picture = tmp_path / "x.svg"
    picture.write_text("<svg/>")
    parts = [
        page.element("h2", bad), page.link(f"#{bad}", bad), page.picture(picture, bad), page.table([bad], [[bad]]),
        page.facts([(bad, bad)]),
    ]  # fmt: skip
    whole = page.document(bad, parts)
    assert "<script" not in whole
    assert whole.count("&lt;script&gt;alert(&quot;x&quot;)") == 8
    assert page.link("javascript:alert(1)", "x").startswith('<a href="javascript%3A')


def test_the_manifest_keeps_no_environment_variable(
    tmp_path: Path, cliff: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(cliff)
    settings: Settings = cliff()
    monkeypatch.setenv("A_SECRET_OF_THE_USER", "hunter2-9f8e7d")
    Manifest(tmp_path, settings, timing=False, cpu_capability="x")
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "hunter2-9f8e7d" not in text
    assert "A_SECRET_OF_THE_USER" not in text
