"""From studies to runs: shared runs, edits that retrain nothing, and imports that stay light."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from a3c.__main__ import main
from a3c.analysis.outputs import groups
from a3c.plan import Run, load_study, studies, studies_of
from a3c.problems import InvalidInput
from a3c.settings import ConstantLag, MeasuredHistogram, resolve
from a3c.settings_files import load_settings, merge
from a3c.study_file import SCALES, Sweep

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
STUDIES = ("a3c_vs_a2c", "staleness", "thread_scaling")


def copied(folder: Path, **edits: tuple[str, str]) -> Path:
    """A copy of the shipped files, one passage of some of them replaced."""
    shutil.copytree(EXPERIMENTS, folder)
    for name, (old, new) in edits.items():
        path = folder / f"{name}.yaml"
        assert old in path.read_text(), f"{name} has no {old!r} any more"
        path.write_text(path.read_text().replace(old, new, 1))
    return folder


def planned(experiments: Path, scale: str = "smoke") -> dict[str, str]:
    """Every run that the studies of the questions ask for: folder -> settings as JSON, what Snakemake compares."""
    return {
        run.folder: run.settings.to_json()
        for name in studies(experiments, scale)
        if "\npart: " not in (experiments / f"{name}.yaml").read_text()
        for run in load_study(name, scale, experiments).runs
    }


def test_the_shipped_studies_are_found_and_settings_files_are_none() -> None:
    assert set(STUDIES) <= set(studies(EXPERIMENTS))
    assert not {"paper", "atari_laptop", "cartpole", "cliff_world"} & set(studies(EXPERIMENTS))


QUESTION_SCALES = ("smoke", "laptop", "paper")
SLOW_SCALES = ("overnight", "paper")  # thousands of runs
EVERY_SCALE = [pytest.param(scale, marks=[pytest.mark.slow] * (scale in SLOW_SCALES)) for scale in SCALES]
PLANNED = [
    pytest.param(name, scale, marks=[pytest.mark.slow] * (scale in SLOW_SCALES))
    for scale in SCALES
    for name in studies(EXPERIMENTS, scale)
]


@pytest.mark.parametrize("name", studies(EXPERIMENTS))
def test_every_shipped_study_has_the_scales_of_ci_and_of_the_real_thing(name: str) -> None:
    assert {scale for scale in SCALES if name in studies(EXPERIMENTS, scale)} >= {"smoke", "paper"}


@pytest.mark.parametrize(("name", "scale"), PLANNED)
def test_every_shipped_study_is_planned_at_each_of_its_scales(name: str, scale: str) -> None:
    study = load_study(name, scale, EXPERIMENTS)
    assert (study.name, study.scale) == (name, scale)
    assert study.runs
    assert study.question.endswith("?")
    planned_variants = {run.variant for run in study.runs}
    small = scale in ("smoke", "laptop")  # which leave variants out where time is short
    assert planned_variants <= set(study.variants) if small else planned_variants == set(study.variants)
    assert len({(run.variant, run.folder) for run in study.runs}) == len(study.runs)
    assert sorted(run.folder for group in groups(study) for run in group.runs) == sorted(r.folder for r in study.runs)


@pytest.mark.parametrize("scale", EVERY_SCALE)
def test_one_folder_is_one_run_whichever_study_asks(scale: str) -> None:
    runs = [run for name in studies(EXPERIMENTS, scale) for run in load_study(name, scale, EXPERIMENTS).runs]
    assert len({run.folder for run in runs}) == len({(run.peer, run.settings.to_json()) for run in runs})


def test_a_run_that_two_studies_share_has_one_folder() -> None:
    """Four locked workers on CartPole: one study asks about schedules, the others about staleness and scaling."""
    folders = []
    for name in STUDIES:
        runs = load_study(name, "laptop", EXPERIMENTS).runs
        folders.append({
            run.folder for run in runs
            if (run.variant, run.settings.game, run.settings.workers) == ("a3c_locked", "CartPole-v1", 4)
        })  # fmt: skip
    shared = set.intersection(*folders)
    assert {folder.rsplit("/", 1)[1] for folder in shared} == {"seed0", "seed1", "seed2"}


@pytest.mark.slow
def test_a_folder_says_to_which_studies_it_belongs() -> None:
    run = next(r for r in load_study("staleness", "laptop", EXPERIMENTS).runs if r.settings.workers == 4)
    found = studies_of(Path("elsewhere") / "runs" / run.folder, EXPERIMENTS)
    assert set(STUDIES) <= set(found["studies"].split(","))
    assert "a3c_hogwild" in found["variant"].split(",")
    assert studies_of(Path("elsewhere/runs/Pong/hogwild-w1-0/seed0"), EXPERIMENTS) == {}


def test_a_folder_is_game_settings_and_seed() -> None:
    settings = resolve(load_settings("paper", EXPERIMENTS) | {"seed": 3})
    assert Run("any", settings).folder == f"Pong/{settings.id}/seed3"
    custom = settings.model_copy(update={"game": "my.games:make"})
    assert Run("any", custom).folder == f"my.games.make/{settings.id}/seed3"


@pytest.mark.parametrize("name", STUDIES)
def test_a_new_game_adds_its_runs_and_changes_no_other(name: str, tmp_path: Path) -> None:
    before = planned(EXPERIMENTS)
    game, more = "games: [CartPole-v1]", "games: [Acrobot-v1, CartPole-v1]"
    after = planned(copied(tmp_path / "experiments", **{name: (game, more)}))
    assert before.items() <= after.items()
    assert {folder.split("/")[0] for folder in after.keys() - before.keys()} == {"Acrobot-v1"}


@pytest.mark.parametrize(("old", "new"), [("seeds: 1", "seeds: 3"), ("workers: [2, 4]", "workers: [1, 2, 4, 8]")])
def test_more_seeds_and_workers_change_no_other_run(old: str, new: str, tmp_path: Path) -> None:
    before = planned(EXPERIMENTS)
    after = planned(copied(tmp_path / "experiments", staleness=(old, new)))
    assert before.items() < after.items()


def test_a_game_named_twice_is_played_once(tmp_path: Path) -> None:
    edited = copied(tmp_path / "experiments", staleness=("[CartPole-v1]", "[CartPole-v1, CartPole-v1]"))
    assert load_study("staleness", "smoke", edited).runs == load_study("staleness", "smoke", EXPERIMENTS).runs


def test_a_new_variant_changes_no_other_run(tmp_path: Path) -> None:
    new = "variants:\n  slow: {schedule: locked, optimizer: {learning_rate: 1.0e-5}}"
    after = planned(copied(tmp_path / "experiments", staleness=("variants:", new)))
    assert planned(EXPERIMENTS).items() < after.items()


@pytest.mark.parametrize("scale", ["smoke", *(pytest.param(s, marks=pytest.mark.slow) for s in ("laptop", "paper"))])
def test_comments_questions_and_the_order_of_keys_change_no_run(scale: str, tmp_path: Path) -> None:
    edited = copied(
        tmp_path / "experiments",
        staleness=("question: How", "question: Pray, how"),
        cartpole=("workers: 4\nbudget_frames: 160_000", "budget_frames: 160000   # as many as before\nworkers: 4"),
    )
    for path in edited.glob("*.yaml"):
        path.write_text(f"# A comment before,\n\n{path.read_text()}\n# and one after.\n")
    assert planned(edited, scale) == planned(EXPERIMENTS, scale)


def test_a_setting_changes_the_runs_that_it_concerns_and_no_others(tmp_path: Path) -> None:
    before = planned(EXPERIMENTS)
    after = planned(copied(tmp_path / "experiments", cartpole=("gamma: 0.99", "gamma: 0.98")))
    kept = before.keys() & after.keys()
    assert {folder.split("/")[0] for folder in before.keys() - kept} == {"CartPole-v1"}
    assert {folder.split("/")[0] for folder in kept} >= {"CliffWorld", "Pong"}
    assert "CartPole-v1" not in {folder.split("/")[0] for folder in kept}


def test_later_layers_win_key_by_key() -> None:
    below = {"a": 1, "deep": {"x": 1, "y": {"z": 1, "w": 1}}}
    assert merge(below, {"deep": {"y": {"z": 2}}, "b": 3}, {"b": 4}) == {
        "a": 1,
        "b": 4,
        "deep": {"x": 1, "y": {"z": 2, "w": 1}},
    }
    assert below == {"a": 1, "deep": {"x": 1, "y": {"z": 1, "w": 1}}}


def test_a_mapping_of_another_kind_replaces_what_is_below() -> None:
    below = {"network": {"kind": "mlp", "hidden": [64]}}
    assert merge(below, {"network": {"kind": "table"}}) == {"network": {"kind": "table"}}
    assert merge(below, {"network": {"kind": "mlp", "wide": 1}}) == {"network": {**below["network"], "wide": 1}}
    assert merge(below, {"network": {"hidden": [8]}}) == {"network": {"kind": "mlp", "hidden": [8]}}


def test_lists_and_nothing_replace_what_is_below() -> None:
    assert merge({"hidden": [64, 64], "limit": 40.0}, {"hidden": [8], "limit": None}) == {"hidden": [8], "limit": None}


def test_variants_win_over_overrides_and_overrides_over_settings(tmp_path: Path) -> None:
    """CartPole's file says 20 steps and gamma 0.99."""
    variant = "{schedule: hogwild, learning: {rollout_steps: 7}}"
    edited = copied(tmp_path / "experiments", staleness=("{schedule: hogwild}", variant))
    text = (edited / "staleness.yaml").read_text()
    override = "override: {learning: {rollout_steps: 9, gamma: 0.5}, "
    (edited / "staleness.yaml").write_text(text.replace("override: {", override, 1))
    found = {
        run.variant: (run.settings.learning.rollout_steps, run.settings.learning.gamma)
        for run in load_study("staleness", "smoke", edited).runs
    }
    assert found == {"a3c_hogwild": (7, 0.5), "a3c_locked": (9, 0.5)}


@pytest.mark.parametrize(
    ("study", "variants", "other", "scale"),
    [
        ("staleness_corrections", ("none",), "staleness_prescribed", "laptop"),
        ("staleness_corrections", ("none",), "staleness_prescribed", "paper"),
        ("staleness_arms", ("a3c_locked", "a3c_hogwild", "a2c"), "a3c_vs_a2c", "smoke"),
        ("staleness_arms", ("a3c_locked", "a3c_hogwild", "a2c"), "a3c_vs_a2c", "laptop"),
        *(("lock_or_not", ("a3c_locked", "a3c_hogwild"), "thread_scaling", scale) for scale in QUESTION_SCALES),
    ],
)
def test_a_study_asks_for_runs_of_another(study: str, variants: tuple[str, ...], other: str, scale: str) -> None:
    asked = {run.folder for run in load_study(study, scale, EXPERIMENTS).runs if run.variant in variants}
    assert asked
    assert asked <= {run.folder for run in load_study(other, scale, EXPERIMENTS).runs}


def test_a_sweep_is_a_key_path_that_becomes_a_layer() -> None:
    sweep = Sweep(setting="environment.options.size", label="size", unit="cells")
    assert sweep.name == "size"
    assert sweep.at(0.5) == {"environment": {"options": {"size": 0.5}}}
    assert Sweep(setting="budget_frames", label="budget", unit="frames").at(8) == {"budget_frames": 8}


def test_each_run_of_a_sweep_has_its_value_as_point_and_setting(tmp_path: Path) -> None:
    before = load_study("staleness_prescribed", "smoke", EXPERIMENTS)
    assert before.sweep is not None
    assert before.sweep.name == "lag"
    found = {(run.variant, run.point): run.settings.order for run in before.runs}
    variants = ("shared_rmsprop", "momentum_sgd")
    assert found == {(v, lag): ConstantLag(kind="constant_lag", lag=lag) for v in variants for lag in (0, 8)}
    own = ("{kind: constant_lag}", "{kind: constant_lag, lag: 77}")
    edited = copied(tmp_path / "experiments", staleness_prescribed=own)
    assert load_study("staleness_prescribed", "smoke", edited).runs == before.runs, "the sweep wins over the variant"


def test_a_new_value_changes_no_other_run(tmp_path: Path) -> None:
    edited = copied(tmp_path / "experiments", staleness_prescribed=("values: [0, 8]", "values: [3, 0, 8]"))
    assert planned(EXPERIMENTS).items() < planned(edited).items()


def test_a_study_without_a_sweep_has_no_points() -> None:
    study = load_study("staleness", "smoke", EXPERIMENTS)
    assert study.sweep is None
    assert {run.point for run in study.runs} == {None}
    assert groups(study)[0].key == {"game": "CartPole-v1", "variant": "a3c_hogwild", "workers": 2}


def test_groups_of_a_sweep_stand_in_the_order_of_its_values(tmp_path: Path) -> None:
    edits = ("values: [0, 8]\n      seeds: 1", "values: [8, 10, 0]\n      seeds: 2")
    study = load_study("staleness_prescribed", "smoke", copied(tmp_path / "experiments", staleness_prescribed=edits))
    found = groups(study)
    assert [(g.variant, g.point) for g in found] == [(v, lag) for v in study.variants[:2] for lag in (0, 8, 10)]
    assert found[1].key == {"game": "CartPole-v1", "variant": "shared_rmsprop", "workers": 4, "lag": 8}
    assert all([run.settings.seed for run in group.runs] == [0, 1] for group in found)


def test_the_plan_shows_the_value_of_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["--experiments", str(EXPERIMENTS), "--results", str(tmp_path)]
    assert main(["plan", "staleness_prescribed", "--scale", "smoke", *folders]) == 0
    assert [line.split()[2:5] for line in capsys.readouterr().out.splitlines() if "to do" in line] == [
        [variant, "lag", lag] for variant in ("shared_rmsprop", "momentum_sgd") for lag in ("0", "8")
    ]


@pytest.mark.parametrize("scale", QUESTION_SCALES)
def test_measured_staleness_comes_from_the_planned_run_of_the_same_game_workers_and_seed(scale: str) -> None:
    runs = load_study("staleness_arms", scale, EXPERIMENTS).runs
    locked = {
        (run.settings.game, run.settings.workers, run.settings.seed): run.folder
        for run in runs if run.variant == "a3c_locked"
    }  # fmt: skip
    drawn = [run.settings for run in runs if run.variant == "drawn_from_locked"]
    assert len(drawn) == len(locked)
    for settings in drawn:
        source = locked[settings.game, settings.workers, settings.seed]
        assert settings.order == MeasuredHistogram(kind="measured_histogram", run=source)


def test_measured_staleness_of_a_sweep_comes_from_the_run_of_the_same_value(tmp_path: Path) -> None:
    swept = "sweep: {setting: learning.gamma, label: discount, unit: ''}\n\nvariants:\n"
    edited = copied(tmp_path / "experiments", staleness_arms=("variants:\n", swept))
    path = edited / "staleness_arms.yaml"
    path.write_text(path.read_text().replace("seeds:", "values: [0.9, 0.5]\n      seeds:"))
    runs = load_study("staleness_arms", "smoke", edited).runs
    locked = {run.folder: run.point for run in runs if run.variant == "a3c_locked"}
    drawn = [run for run in runs if run.variant == "drawn_from_locked"]
    assert len(drawn) == 4
    for run in drawn:
        assert isinstance(run.settings.order, MeasuredHistogram)
        assert locked[run.settings.order.run] == run.point


def test_a_run_named_as_a_source_is_the_source_of_every_seed(tmp_path: Path) -> None:
    folder = "CartPole-v1/locked-w4-0123456789/seed7"
    edited = copied(tmp_path / "experiments", staleness_arms=("variant: a3c_locked", f"run: {folder}"))
    runs = load_study("staleness_arms", "smoke", edited).runs
    orders = [run.settings.order for run in runs if run.variant == "drawn_from_locked"]
    assert orders == [MeasuredHistogram(kind="measured_histogram", run=folder)] * 2
    assert len({run.settings.id for run in runs if run.variant == "drawn_from_locked"}) == 1


def imported(*statements: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after these statements."""
    script = ";".join([*statements, "import sys", "print(*{name.split('.')[0] for name in sys.modules})"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_planning_loads_neither_torch_nor_an_emulator() -> None:
    plan = "from a3c.plan import load_study; from pathlib import Path"
    loaded = imported("import a3c.workflow", plan, f"load_study('staleness', 'smoke', Path({str(EXPERIMENTS)!r}))")
    assert not loaded & {"torch", "gymnasium", "ale_py", "cv2", "mlflow", "matplotlib"}


def test_analysis_loads_no_torch() -> None:
    names = sorted(path.stem for path in (EXPERIMENTS.parent / "a3c" / "analysis").glob("*.py"))
    loaded = imported(*(f"import a3c.analysis.{name}" for name in names if name != "__init__"))
    assert "matplotlib" in loaded
    assert not loaded & {"torch", "gymnasium", "ale_py", "mlflow"}


def test_help_loads_nothing_that_takes_time() -> None:
    loaded = imported("from a3c.__main__ import parser", "parser().format_help()")
    assert not loaded & {"torch", "pydantic", "yaml", "numpy", "pandas", "mlflow"}


def test_a_kind_with_the_same_keys_keeps_what_is_not_said_anew() -> None:
    below = {"network": {"kind": "conv2013", "lstm_cells": 256}, "optimizer": {"kind": "rmsprop", "epsilon": 0.1}}
    above = {"network": {"kind": "conv2015"}, "optimizer": {"kind": "shared_adam"}}
    assert merge(below, above) == {
        "network": {"kind": "conv2015", "lstm_cells": 256},
        "optimizer": {"kind": "shared_adam"},
    }


def test_a_scale_with_a_typo_is_said_though_nobody_asked_for_the_study(tmp_path: Path) -> None:
    text = (EXPERIMENTS / "staleness.yaml").read_text()
    (tmp_path / "staleness.yaml").write_text(text.replace("  laptop:", "  labtop:"))
    assert studies(tmp_path, "laptop") == ["staleness"]
    with pytest.raises(InvalidInput, match=r"scales\.labtop: .*did you mean 'laptop'"):
        load_study("staleness", "laptop", tmp_path)
