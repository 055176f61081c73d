"""`noren-witness init FOLDER --name NAME`, `noren-witness serve FOLDER [--listen HOST:PORT]`."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from noren_witness.folder import Folder, FolderError
from noren_witness.server import Server
from noren_witness.witness import Witness


def main(arguments: Sequence[str] | None = None) -> int:
    """Give the exit code: 0 done, 1 not possible (with words why), 2 asked wrongly."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "init":
            return _init(asked.folder, asked.name)
        return _serve(asked.folder, _address(asked.listen))
    except (FolderError, OSError, ValueError) as error:
        sys.stderr.write(f"noren-witness: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="noren-witness", description="Remember how far a ledger had come.")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make the folder and its key, and print the public key")
    init.add_argument("folder", type=Path)
    init.add_argument("--name", required=True, help="the witness's name, such as witness.example.jp")
    serve = commands.add_parser("serve", help="answer until it is stopped")
    serve.add_argument("folder", type=Path)
    serve.add_argument("--listen", default="127.0.0.1:7380", metavar="HOST:PORT", help="default: %(default)s")
    return parser


def _init(path: Path, name: str) -> int:
    folder = Folder.make(path, name)
    sys.stdout.write(f"{folder.key.vkey()}\n")
    sys.stderr.write(f"Put the public key of each log to be witnessed into {path / 'logs'}.\n")
    return 0


def _serve(path: Path, address: tuple[str, int]) -> int:
    folder = Folder(path)
    folder.lock()
    known = folder.logs()
    server = Server(address, Witness(folder))

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    host, port = server.server_address[:2]
    sys.stdout.write(f"ready on http://{host!s}:{port}, for {len(known)} logs: {folder.key.vkey()}\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    return 0


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"--listen {text}: HOST:PORT expected")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
