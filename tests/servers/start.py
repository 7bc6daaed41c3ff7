"""Starts database servers for the tests by hand: python3 tests/servers/start.py postgresql mariadb [-- COMMAND...].

With a command it runs that with the servers' files in its environment and ends with its exit code; without one it prints
the variables and waits for Ctrl-C (or a signal). The servers and their folders go with it."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.running import SYSTEMS, Running  # noqa: E402
from servers.server import ServerError  # noqa: E402


def main():
    given = sys.argv[1:]
    command = given[given.index("--") + 1:] if "--" in given else []
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="+", choices=sorted(SYSTEMS), metavar="SYSTEM", help=", ".join(sorted(SYSTEMS)))
    options = parser.parse_args(given[:given.index("--")] if "--" in given else given)

    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: (ended.set(), sys.exit(143)))
    try:
        with Running(options.systems) as running:
            if command:
                return subprocess.run(command, env={**os.environ, **running.environment}).returncode
            for name, path in running.environment.items():
                print(f"export {name}={path}")
            print("# Ctrl-C stops the servers and removes their folders.", flush=True)
            ended.wait()
    except ServerError as broken:
        print(broken, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
