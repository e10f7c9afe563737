"""Clones of this project, and servers that DVC can push to, for tests of what travels between machines."""

__all__ = ["ROOT", "clone", "commit", "dvc", "git", "http_server", "kickpipe", "pretend_training", "s3_server"]

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from tiny_models import MODELS, write_tiny_models

from kickpipe.audio.settings import AudioSettings

ROOT = Path(__file__).parents[1]
TIMEOUT = 240  # seconds a command: dvc takes one or two, a machine in use many times that
PERSON = {f"GIT_{role}_{what}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def run(directory: Path, *command: object, **variables: str) -> str:
    """Runs a command and returns what it printed; the test fails with its output if the command does."""
    own = directory.parent / "dvc"  # no settings and no locks of the person who runs the tests
    folders = {f"DVC_{name}_DIR": str(own) for name in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")}
    environment = {**os.environ, **PERSON, **folders, "DVC_NO_ANALYTICS": "1", "CI": "true", **variables}
    done = subprocess.run(
        [str(part) for part in command], cwd=directory, env=environment, capture_output=True, text=True,
        encoding="utf-8", errors="replace", timeout=TIMEOUT, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def git(directory: Path, *arguments: object) -> str:
    return run(directory, "git", *arguments)


def dvc(directory: Path, *arguments: object, **variables: str) -> str:
    return run(directory, sys.executable, "-m", "dvc", *arguments, **variables)


def kickpipe(directory: Path, *arguments: object) -> str:
    """The command as it is in a clone, not as it is installed."""
    return run(directory, sys.executable, "-m", "kickpipe", *arguments, PYTHONPATH=str(directory))


def clone(source: Path, target: Path) -> Path:
    """A fresh clone of what is committed; skips where the project is not a Git repository."""
    if not (source / ".git").exists():
        pytest.skip("not a Git repository")
    target.parent.mkdir(parents=True, exist_ok=True)
    git(target.parent, "clone", "--quiet", source, target)
    return target


def commit(directory: Path, *paths: str) -> None:
    git(directory, "add", *paths)
    git(directory, "commit", "--quiet", "--message", "test")


def pretend_training(project: Path, settings: AudioSettings) -> None:
    """Gives a clone what ``dvc repro`` leaves behind: tiny models, one file for each other output, and dvc.lock."""
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    source_dir = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))["aggregate"]["source_dir"]
    outs = [out for stage in stages.values() for out in stage["outs"]]
    uncached = [name for out in outs for name, options in out.items() if options.get("cache") is False]
    for name in (source_dir, *uncached):
        path = project / name
        if not path.suffix:
            path = path / "kick.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n" if path.suffix == ".json" else f"what {name} holds\n", encoding="utf-8", newline="\n")
    write_tiny_models(project / "checkpoints", settings, (*MODELS, "texture"))
    dvc(project, "commit", "--force", "--quiet")


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """A web server on this machine that serves a folder and takes files by PUT; gives its address."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_PUT(self) -> None:
            path = Path(self.translate_path(self.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(self.body()))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def body(self) -> Iterator[bytes]:
            if self.headers.get("Transfer-Encoding") != "chunked":
                yield self.rfile.read(int(self.headers["Content-Length"]))
                return
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def log_message(self, *arguments: object) -> None:
            pass

    folder.mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def s3_server(bucket: str, variables: dict[str, str]) -> Iterator[str]:
    """An S3-compatible server on this machine with one empty bucket; gives its address.

    Arguments:
        variables: Credentials of AWS, as environment variables.
    """
    boto3 = pytest.importorskip("boto3")
    ThreadedMotoServer = pytest.importorskip("moto.server").ThreadedMotoServer
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        ).create_bucket(Bucket=bucket)
        yield address
    finally:
        server.stop()
