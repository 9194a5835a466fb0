"""Snakemake jobs as Kubernetes pods that share one volume with the Snakemake that submits them.

The published executor plugin, `snakemake-executor-plugin-kubernetes`, submits the pods and watches them, but it takes
for granted that nothing is shared: every job's declared outputs would travel through an object store, and what else a
run folder holds, its checkpoints included, would end with the pod. Here the whole checkout lies on a volume that all
pods mount, as on a cluster with a network file system, and so a job that is tried again finds its checkpoint.

Snakemake finds this executor, `pods`, where PYTHONPATH names the folder above; its options are that plugin's, with
`--pods-` in front.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import snakemake_executor_plugin_kubernetes as published
from kubernetes import client, config
from snakemake_executor_plugin_kubernetes import ExecutorSettings as ExecutorSettings
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

GRACE_SECONDS = 90  # from SIGTERM to SIGKILL; a trainer takes 10 for its last checkpoint, longer on a busy machine
OURS = {"app": "snakemake"}
TIMING = "--timing"  # among a job's `conditions`, if it is timed

common_settings = dataclasses.replace(
    published.common_settings,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=False,
    auto_deploy_default_storage_provider=False,
)


class Executor(published.Executor):  # type: ignore[misc]  # the plugin carries no types
    """The published executor, for pods that share the folder that Snakemake works in."""

    def __post_init__(self) -> None:
        """Connects to the cluster.

        Raises:
          WorkflowError: if no volume has the folder, or no cluster is known here.
        """
        volumes = self.workflow.executor_settings.persistent_volumes or []
        if not any(Path.cwd().is_relative_to(volume.path) for volume in volumes):
            raise WorkflowError(f"{Path.cwd()} is on no shared volume; see --pods-persistent-volumes CLAIM:PATH")
        try:
            super().__post_init__()
        except config.ConfigException as error:
            raise WorkflowError("no Kubernetes cluster is known here: no kubeconfig, and this is no pod") from error
        self._connect()

    def get_job_exec_prefix(self, job: JobExecutorInterface) -> str:
        """Pods start in a folder of their own."""
        return f"cd {shlex.quote(str(Path.cwd()))}"

    def get_python_executable(self) -> str:
        """Python, below a `timeout` that never comes, for its care for signals.

        Kubernetes sends SIGTERM to a pod's first process alone, and Snakemake would wait until its job is done.
        `timeout` passes it on to all processes, like Ctrl-C, and the trainer makes its last checkpoint.
        """
        return f"exec timeout 0 {super().get_python_executable()}"

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submits a job."""
        self.batchapi.alone = job.resources.get("conditions") == TIMING
        super().run_job(job)

    def _connect(self) -> None:
        try:
            config.load_kube_config()
        except config.ConfigException:
            config.load_incluster_config()
        self.kubeapi, self.batchapi = Pods(), Jobs()

    def _reauthenticate_and_retry(self, func: Callable[[], Any] | None = None) -> Any:
        """The published way of it needs `kubectl`, and no pod has the file that it reads."""
        self._connect()
        return func() if func else None


class Pods(client.CoreV1Api):  # type: ignore[misc]
    """The part of the cluster's interface that has the pods."""

    def read_namespaced_pod_log(self, name: str, namespace: str, **options: Any) -> Any:
        """A failed pod's log; asked for that of the container before it, as is published, Kubernetes refuses."""
        return super().read_namespaced_pod_log(name, namespace, **{**options, "previous": False})


class Jobs(client.BatchV1Api):  # type: ignore[misc]
    """The part of the cluster's interface that has the jobs.

    Attributes:
      alone: whether the next job must have a node without others of this kind.
    """

    alone = False

    def create_namespaced_job(self, namespace: str, body: client.V1Job, **options: Any) -> Any:
        """Submits a job: as this user, with time for a last checkpoint, and the node's shared memory, not 64 MiB."""
        spec = body.spec.template.spec
        spec.security_context = client.V1PodSecurityContext(run_as_user=os.getuid(), run_as_group=os.getgid())
        spec.termination_grace_period_seconds = GRACE_SECONDS
        spec.volumes.append(client.V1Volume(name="shm", empty_dir=client.V1EmptyDirVolumeSource(medium="Memory")))
        spec.containers[0].volume_mounts.append(client.V1VolumeMount(name="shm", mount_path="/dev/shm"))
        body.spec.template.metadata = client.V1ObjectMeta(labels=OURS)
        if self.alone:
            spec.affinity = client.V1Affinity(pod_anti_affinity=_no_others())
        return super().create_namespaced_job(namespace, body, **options)


def _no_others() -> client.V1PodAntiAffinity:
    """No pod of ours on the same node, and none of ours is put there later, for it holds in both directions."""
    others = client.V1LabelSelector(match_labels=OURS)
    term = client.V1PodAffinityTerm(label_selector=others, topology_key="kubernetes.io/hostname")
    return client.V1PodAntiAffinity(required_during_scheduling_ignored_during_execution=[term])
