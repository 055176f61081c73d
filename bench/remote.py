"""A name through the vault over TLS, against the same vault's unix socket: what the second host costs."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from bench import measure
from bench.reveal import signed_in
from bench.system import System, free_ports, wait

REVEALS = 100
CONNECTIONS = 30


def main() -> None:
    with vault_host() as (running, address):
        _measure(running, address)


@contextmanager
def vault_host() -> Iterator[tuple[System, str]]:
    """Start the vault's side alone, with certificates, and this process's Django as its administrator's."""
    folder = Path(tempfile.mkdtemp(prefix="nb-", dir="/tmp"))
    folder.chmod(0o755)
    port, line = free_ports(), _free()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NOREN_")}
    environ |= {"NOREN_VAR": str(folder / "var"), "NOREN_PORT": str(port)}
    environ |= {"NOREN_VAULT_LISTEN": f"127.0.0.1:{line}"}
    noren = [sys.executable, "-m", "noren.cli"]
    _certify(noren, environ, folder)
    with (folder / "up.log").open("w+") as log:
        running = subprocess.Popen([*noren, "up"], env=environ, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait(running, folder / "up.log", "The vault is open")
            os.environ.update(environ | {"DJANGO_SETTINGS_MODULE": "noren.runtime.settings"})
            django.setup()
            yield System(folder / "var", port), f"tls://localhost:{line}"
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)
            shutil.rmtree(folder, ignore_errors=True)


def _certify(noren: list[str], environ: dict[str, str], folder: Path) -> None:
    def certs(*words: object) -> bytes:
        command = [*noren, "certs", *map(str, words)]
        return subprocess.run(command, env=environ, check=True, capture_output=True).stdout

    certs("init", "--host", "localhost")
    (folder / "req").write_bytes(certs("request"))
    (folder / "crt").write_bytes(certs("sign", "--admin", folder / "req"))
    certs("install", folder / "crt")


def _measure(running: System, address: str) -> None:
    # Django is set up by now: what needs it is imported here.
    from django.conf import settings  # noqa: PLC0415
    from django.test import override_settings  # noqa: PLC0415

    from noren import people  # noqa: PLC0415
    from noren.people import wire  # noqa: PLC0415

    grant = signed_in(running)
    person = people.put(1, "bench", {"name": "計測 花子"})
    socket_path = str(settings.VAULT_SOCKET)

    def reveal() -> Any:
        return people.reveal(grant, people.Purpose.TODAY, [person], ["name"])

    def connect(where: str) -> Any:
        wire.Connection(where).close()

    def over(where: str, deed: Callable[[], Any], times: int) -> Callable[[], float]:
        def run() -> float:
            with override_settings(VAULT_SOCKET=where):
                return _each(deed, times)

        return run

    taken = measure.interleaved(
        {"tls": over(address, reveal, REVEALS), "unix": over(socket_path, reveal, REVEALS)}
    )
    handshake = _each(lambda: connect(address), CONNECTIONS)
    measure.figure("remote_reveal_one_name_tls", taken["tls"], "ms", ratio=taken["tls"] / taken["unix"])
    measure.figure("remote_reveal_one_name_unix", taken["unix"], "ms")
    measure.figure("remote_connect_tls", handshake, "ms")


def _each(deed: Callable[[], Any], times: int) -> float:
    """Return milliseconds a deed."""
    begin = time.perf_counter()
    for _ in range(times):
        deed()
    return (time.perf_counter() - begin) / times * 1000


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
