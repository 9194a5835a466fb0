"""A server that answers as Kubernetes does, of which a pod is its command, run here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Pod:
    """One job and its pod: a process that starts in an empty folder, which alone is told of a deletion."""

    def __init__(self, manifest: dict[str, Any], folder: Path) -> None:
        self.manifest = manifest
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        folder.mkdir()
        environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
        self.log = folder / "log"
        with self.log.open("w") as log:
            command = [*container["command"], *container["args"]]
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def status(self) -> dict[str, int]:
        """Of the job."""
        code = self.process.poll()
        return {} if code is None else {"failed": 1} if code else {"succeeded": 1}

    def listed(self, name: str) -> dict[str, Any]:
        """The pod, as in a list."""
        code = self.process.poll()
        state = {"running": {}} if code is None else {"terminated": {"exitCode": code % 256}}
        facts = {"name": "snakemake", "image": "", "imageID": "", "ready": True, "restartCount": 0, "state": state}
        return {"metadata": {"name": f"{name}-pod"}, "status": {"containerStatuses": [facts]}}

    def delete(self) -> None:
        """SIGTERM for the first process, and no SIGKILL, which would come after the grace period."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)


class Cluster(ThreadingHTTPServer):
    """What of Kubernetes' interface is asked for; whatever else is, is refused."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.folder = folder
        self.pods: dict[str, Pod] = {}
        self.asked: set[tuple[str, str]] = set()  # verb, resource


class Answers(BaseHTTPRequestHandler):
    """One request."""

    server: Cluster

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def answer(self) -> None:
        """By what is asked for: `/(api|apis)/.../namespaces/NAMESPACE/RESOURCE[/NAME[/SUBRESOURCE]]`."""
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or "{}")
        path, _, query = self.path.partition("?")
        resource, name, below = (*path.split("/namespaces/")[1].split("/")[1:], "", "")[:3]
        verb = {"POST": "create", "DELETE": "delete"}.get(self.command, "get" if name else "list")
        self.server.asked.add((verb, f"{resource}/{below}" if below else resource))
        code, reply = self.reply(verb, resource, name, below, query, body)
        text = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer

    def reply(
        self, verb: str, resource: str, name: str, below: str, query: str, body: dict[str, Any]
    ) -> tuple[int, object]:
        pods = self.server.pods
        match verb, resource, below:
            case "create" | "delete", "secrets", "":
                return 200, {}
            case "create", "jobs", "":
                job = body["metadata"]["name"]
                pods[job] = Pod(body, self.server.folder / f"pod{len(pods)}")
                return 201, body
            case "get", "jobs", "status":
                return 200, {"status": pods[name].status}
            case "delete", "jobs", "":
                return 200, {}
            case "list", "pods", "":
                job = query.partition("job-name%3D")[2]
                return 200, {"items": [pods[job].listed(job)]}
            case "get", "pods", "log" if "previous=True" in query:  # there is none: nothing was started again
                return 400, {"message": "previous terminated container not found"}
            case "get", "pods", "log":
                return 200, pods[name.removesuffix("-pod")].log.read_text()
            case "delete", "pods", "":
                pods[name.removesuffix("-pod")].delete()
                return 200, {}
        return 403, {"message": f"{verb} {resource}/{below}"}
