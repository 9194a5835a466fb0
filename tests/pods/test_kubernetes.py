"""The workflow over Kubernetes' interface: what is submitted, the same tables, a pod that goes on from its checkpoint.

No cluster: a server on this machine answers as Kubernetes does, and a pod is its command, run here, with the volume at
the path where it is. Images, nodes and networks are not in it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from answering import Cluster, Pod
from determined_study import determined_study

from a3c import batch_system
from a3c.plan import Run, load_study
from a3c.records import run_folder

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "profiles/kubernetes"
PATIENCE_SECONDS = 400.0
# Those without seconds.
EQUAL_TABLES = ("scores", "evaluations", "comparison", "staleness", "staleness_histogram")

STUDY = determined_study(30_000)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    if importlib.util.find_spec("snakemake_executor_plugin_kubernetes") is None:
        pytest.skip("needs pip install 'a3c[kubernetes]'")
    (tmp_path / "pods").mkdir()
    server = Cluster(tmp_path / "pods")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        for pod in server.pods.values():
            if pod.process.poll() is None:
                os.killpg(pod.process.pid, signal.SIGKILL)
        server.shutdown()
        server.server_close()


def snakemake(path: Path, *options: str, cluster: Cluster | None = None) -> subprocess.Popen[str]:
    environment = dict(os.environ)
    if cluster is not None:
        address = f"http://127.0.0.1:{cluster.server_address[1]}"
        contexts = [{"name": "here", "context": {"cluster": "here", "user": "me"}}]
        clusters, users = [{"name": "here", "cluster": {"server": address}}], [{"name": "me", "user": {}}]
        facts = {"current-context": "here", "contexts": contexts, "clusters": clusters, "users": users}
        (path / "kubeconfig").write_text(json.dumps(facts))
        environment |= {"KUBECONFIG": str(path / "kubeconfig"), "PYTHONPATH": "profiles/kubernetes"}
    command = [sys.executable, "-m", "snakemake", *options, "--config", "scale=smoke"]
    return subprocess.Popen(
        command, cwd=path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def over_kubernetes(path: Path, cluster: Cluster, *options: str) -> subprocess.Popen[str]:
    own = ["--pods-persistent-volumes", f"claim:{path}", "--container-image", "registry.example.org/a3c:1"]
    polling = ["--seconds-between-status-checks", "1", "--latency-wait", "5"]
    return snakemake(path, "--profile", "profiles/kubernetes", *own, *polling, *options, cluster=cluster)


def until(condition: Callable[[], object], what: str) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_SECONDS, f"{what} did not come"
        time.sleep(0.1)


def finished(process: subprocess.Popen[str]) -> str:
    text = process.communicate(timeout=PATIENCE_SECONDS)[0]
    assert process.returncode == 0, text
    return text


def pod_of(cluster: Cluster, run: Run) -> Pod | None:
    id = run.folder.split("/")[1]
    return next((pod for pod in cluster.pods.values() if id in str(pod.manifest)), None)


def allowed() -> set[tuple[str, str]]:
    documents = yaml.safe_load_all((PROFILE / "snakemake.yaml").read_text(encoding="utf-8"))
    (role,) = [document for document in documents if document["kind"] == "Role"]
    return {(verb, name) for rule in role["rules"] for name in rule["resources"] for verb in rule["verbs"]}


def check_manifest(manifest: dict[str, Any], run: Run, path: Path) -> None:
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.example.org/a3c:1"
    settings = run.settings
    asked = {"cpu": f"{950 * settings.processes}m", "memory": f"{batch_system.megabytes(settings)}M"}
    requests = {"requests": {**asked, "ephemeral-storage": "1000M"}}
    assert container["resources"] == requests  # and no limits: memory is an estimate
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume.pop("name"): volume for volume in pod["volumes"]}
    assert volumes[mounts[str(path)]] == {"persistentVolumeClaim": {"claimName": "claim"}}
    assert volumes[mounts["/dev/shm"]] == {"emptyDir": {"medium": "Memory"}}
    assert pod["terminationGracePeriodSeconds"] >= 60
    assert pod["securityContext"] == {"runAsUser": os.getuid(), "runAsGroup": os.getgid()}


def containerfile(instruction: str) -> list[str]:
    text = (ROOT / "containers/Containerfile").read_text(encoding="utf-8")
    return re.findall(rf"(?m)^{instruction} (.+)$", text)


def test_the_image_has_a_python_extras_and_files_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (image,) = containerfile("FROM")
    (python,) = re.findall(r"^python:(\d+\.\d+)-slim-", image)
    assert f">={python}" == project["requires-python"]
    script = (ROOT / "containers/install.sh").read_text(encoding="utf-8")
    (extras,) = re.findall(r"(?m)^EXTRAS=\$\{EXTRAS:-(.+)\}$", script)
    assert f"EXTRAS={extras}" in containerfile("ARG")
    assert {"pipeline", "kubernetes"} <= set(extras.split(",")) <= set(project["optional-dependencies"])
    assert "-c constraints.txt" in script
    copied = [word for line in containerfile("COPY") for word in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"Snakefile", "a3c", "experiments", "profiles", "constraints.txt"} <= set(copied)


def test_the_pod_that_runs_snakemake_the_profile_and_the_image_agree() -> None:
    profile = yaml.safe_load((PROFILE / "config.yaml").read_text(encoding="utf-8"))
    (volume,) = profile["pods-persistent-volumes"]
    documents = list(yaml.safe_load_all((PROFILE / "snakemake.yaml").read_text(encoding="utf-8")))
    kinds = {document["kind"]: document for document in documents}
    pod = kinds["Job"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (mount,), (own,) = container["volumeMounts"], pod["volumes"]
    assert f"{own['persistentVolumeClaim']['claimName']}:{mount['mountPath']}" == volume
    assert own["name"] == mount["name"]
    assert container["workingDir"] == mount["mountPath"] == containerfile("WORKDIR")[0]
    assert kinds["PersistentVolumeClaim"]["metadata"]["name"] == own["persistentVolumeClaim"]["claimName"]
    assert pod["serviceAccountName"] == kinds["RoleBinding"]["subjects"][0]["name"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert container["image"] == environment["IMAGE"] == profile["container-image"]
    folder = environment["PYTHONPATH"]
    assert (ROOT / folder / f"snakemake_executor_plugin_{profile['executor']}/__init__.py").is_file()
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert [user] == containerfile("USER")
    assert f"--uid {user.split(':')[0]}" in (ROOT / "containers/install.sh").read_text(encoding="utf-8")


def test_a_timed_run_asks_for_a_node_without_others(monkeypatch: pytest.MonkeyPatch) -> None:
    client = pytest.importorskip("kubernetes.client")
    monkeypatch.syspath_prepend(PROFILE)
    pods = pytest.importorskip("snakemake_executor_plugin_pods")
    submitted: list[Any] = []
    monkeypatch.setattr(
        client.BatchV1Api, "create_namespaced_job", lambda self, namespace, body: submitted.append(body)
    )
    for alone in (False, True):
        container = client.V1Container(name="snakemake", volume_mounts=[])
        spec = client.V1PodSpec(containers=[container], volumes=[])
        jobs = pods.Jobs(client.ApiClient(client.Configuration()))
        jobs.alone = alone
        template = client.V1PodTemplateSpec(spec=spec)
        jobs.create_namespaced_job("default", client.V1Job(spec=client.V1JobSpec(template=template)))
    beside, timed = (body.spec.template for body in submitted)
    assert beside.spec.affinity is None
    (term,) = timed.spec.affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution
    assert term.label_selector.match_labels == beside.metadata.labels == timed.metadata.labels
    assert term.topology_key == "kubernetes.io/hostname"


@pytest.mark.slow
def test_a_folder_that_no_pod_sees_is_refused(
    cluster: Cluster, copy_project: Callable[[Path, str], Path], tmp_path: Path
) -> None:
    there = copy_project(tmp_path / "there", STUDY)
    refused = over_kubernetes(there, cluster, "--pods-persistent-volumes", "claim:/elsewhere")
    text = refused.communicate(timeout=PATIENCE_SECONDS)[0]
    assert refused.returncode != 0
    assert "is on no shared volume" in text
    assert cluster.pods == {}


@pytest.mark.slow
def test_over_kubernetes_the_tables_are_the_same_and_an_evicted_pod_goes_on(
    cluster: Cluster, copy_project: Callable[[Path, str], Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    here, there = (copy_project(tmp_path / name, STUDY) for name in ("here", "there"))
    finished(snakemake(here, "--cores", "2"))

    over = over_kubernetes(there, cluster)
    request.addfinalizer(over.kill)
    runs = {run.variant: run for run in load_study("one", "smoke", there / "experiments").runs}
    folder = there / "results/runs" / runs["a3c"].folder
    until(lambda: list((folder / "checkpoints").glob("0*/checkpoint.json")) or over.poll() is not None, "a checkpoint")
    assert not (folder / run_folder.DONE).exists(), "the run is too short for this machine"
    evicted = pod_of(cluster, runs["a3c"])
    assert evicted is not None
    evicted.delete()
    text = finished(over)

    assert "checkpoint" in evicted.log.read_text(), text
    assert "going on from" in (folder / "train.log").read_text(), text
    assert len(cluster.pods) == len(runs) + 1
    assert cluster.asked <= allowed()
    for name in EQUAL_TABLES:
        tables = [root / f"results/tables/smoke/one/{name}.csv" for root in (here, there)]
        assert tables[0].read_bytes() == tables[1].read_bytes(), name
    for run in runs.values():
        files = [root / "results/runs" / run.folder / run_folder.SCHEDULE for root in (here, there)]
        assert files[0].read_bytes() == files[1].read_bytes(), run.folder
        pod = pod_of(cluster, run)
        assert pod is not None
        check_manifest(pod.manifest, run, there)
