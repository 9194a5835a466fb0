"""What a study will leave is known from its runs alone, quickly and without heavy imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from a3c.analysis import outputs
from a3c.problems import InvalidInput


def imported_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_asking_what_there_will_be_imports_neither_pandas_nor_matplotlib() -> None:
    assert not imported_after("import a3c.analysis.outputs") & {"pandas", "matplotlib", "torch", "mlflow"}


@pytest.mark.slow
def test_nothing_in_the_analysis_imports_torch_or_mlflow() -> None:
    folder = Path(outputs.__file__).parent
    names = [f"a3c.analysis.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"]
    found = imported_after(f"import {', '.join(names)}")
    assert set(names) <= found
    assert not found & {"torch", "mlflow"}


def test_a_study_with_several_worker_counts_has_scaling_figures(synthetic: Any) -> None:
    one = synthetic.make_study(*(synthetic.make_run(v) for v in ("locked", "synchronous")))
    assert outputs.figure_names(one) == ["learning_curves", "comparison", "staleness_histograms", "drift"]
    several = synthetic.make_study(*(synthetic.make_run(workers=w) for w in (1, 2)))
    assert {"throughput", "time_to_score"} <= set(outputs.figure_names(several))


def test_a_synchronous_study_has_no_staleness_figure(synthetic: Any) -> None:
    assert "staleness_histograms" not in outputs.figure_names(synthetic.make_study(synthetic.make_run("synchronous")))


def test_the_cliff_world_adds_its_table_and_figures(synthetic: Any) -> None:
    study = synthetic.make_study(synthetic.make_run(game="CliffWorld"))
    assert outputs.table_names(study) == [*outputs.TABLES, "workers", "cliff_world_policy"]
    assert outputs.figure_names(study)[-2:] == ["cliff_world_returns", "cliff_world_policy"]


def test_groups_stand_in_the_studys_order_with_their_seeds_ascending(synthetic: Any) -> None:
    runs = [
        synthetic.make_run(v, workers=w, seed=s) for v in ("synchronous", "hogwild") for w in (4, 2) for s in (1, 0)
    ]
    found = outputs.groups(synthetic.make_study(*runs))
    assert [(g.variant, g.workers) for g in found] == [
        ("synchronous", 2), ("synchronous", 4), ("hogwild", 2), ("hogwild", 4),
    ]  # fmt: skip
    assert all([run.settings.seed for run in g.runs] == [0, 1] for g in found)


def test_a_group_of_two_settings_is_refused(synthetic: Any) -> None:
    study = synthetic.make_study(synthetic.make_run(), synthetic.make_run(budget_frames=20_000, seed=1))
    with pytest.raises(ValueError, match="CartPole-v1, locked, 2 workers stands for different settings"):
        outputs.table_names(study)


def test_two_protocols_in_one_study_are_refused(synthetic: Any) -> None:
    paper = synthetic.make_run("a", game="Pong")
    sticky = paper.settings.environment.model_copy(update={"protocol": "sticky"}).model_dump()
    study = synthetic.make_study(paper, synthetic.make_run("b", game="Pong", environment=sticky))
    with pytest.raises(ValueError, match="mixes the protocols paper, sticky"):
        outputs.groups(study)


def test_a_study_that_cannot_be_tabulated_is_refused_before_anything_is_trained(synthetic: Any) -> None:
    mixed = [synthetic.make_run(budget_frames=frames) for frames in (10_000, 20_000)]
    with pytest.raises(InvalidInput, match="stands for different settings"):
        outputs.check_views([synthetic.make_study(*mixed)])
