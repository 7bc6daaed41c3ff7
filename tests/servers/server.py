"""A server of the tests: an ordinary process on a free port of 127.0.0.1, in a temporary folder of its own."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

# Five times what servers need on two busy cores (initdb and start 0.6 s to 4 s), and then some.
READY_SECONDS = 60
STOP_SECONDS = 30
STARTS_MAX = 3  # another process may take the free port first


class ServerError(Exception):
    """A server that cannot be had; the message says why and what to do."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def account(*names):
    """The first of these system users that exists, where this process is root: servers refuse to run as root."""
    if os.geteuid() != 0:
        return None
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise ServerError(f"no user {' or '.join(names)} to run the server as; make one, or do not run the tests as root")


class Server:
    """Owns the folder and the process. Subclasses make the data (`initialize`), name the command (`command`), tell
    when it answers (`answers`) and set up users and databases (`populate`)."""

    system = ""
    users = ("nobody",)
    stop_signal = signal.SIGTERM

    def __init__(self):
        self.folder = None
        self.process = None
        self.port = 0
        self.owner = None

    # What a subclass says.

    def initialize(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def populate(self):
        raise NotImplementedError

    # Life.

    def start(self):
        """Makes the folder, the data and the process, and returns when it answers and is set up."""
        self.owner = account(*self.users)
        self.folder = Path(tempfile.mkdtemp(prefix=f"sluice-{self.system}-"))
        try:
            self.folder.chmod(0o755)
            self.own(self.folder)
            self.initialize()
            self.start_process()
            self.populate()
        except BaseException:
            self.stop()
            raise
        return self

    def start_process(self):
        for attempt in range(1, STARTS_MAX + 1):
            self.port = free_port()
            self.launch()
            if self.wait_until_it_answers():
                return
            if attempt == STARTS_MAX or "in use" not in self.log_text():
                raise ServerError(f"{self.system} ended with code {self.process.returncode} while it started; its log ends:\n"
                                  + self.log_tail())

    def launch(self):
        with open(self.log, "a", encoding="utf-8") as log:
            # The server ends with this process, however that ends.
            argv = self.as_owner(["--pdeathsig", self.stop_signal.name.removeprefix("SIG")]) + self.command()
            self.process = subprocess.Popen(list(map(str, argv)), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)

    def restart(self, seconds):
        """Ends the process in order and starts it again on its port, after so many seconds in which nothing listens there."""
        self.process.send_signal(self.stop_signal)
        self.process.wait(STOP_SECONDS)
        time.sleep(seconds)
        self.launch()
        if not self.wait_until_it_answers():
            raise ServerError(f"{self.system} did not start again; its log ends:\n{self.log_tail()}")

    def crash(self, seconds):
        """Kills the process and its children (SIGKILL) and starts it again on its port, after so many seconds."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        self.process.kill()
        self.process.wait()
        for child in map(int, children):
            with contextlib.suppress(ProcessLookupError):  # those of PostgreSQL end with their parent as well
                os.kill(child, signal.SIGKILL)
        time.sleep(seconds)
        deadline = time.monotonic() + READY_SECONDS
        self.launch()
        while not self.wait_until_it_answers():
            # Memory that a killed child still has, as long as it has it, keeps PostgreSQL from starting.
            if time.monotonic() > deadline:
                raise ServerError(f"{self.system} did not start again after a crash; its log ends:\n{self.log_tail()}")
            time.sleep(0.1)
            self.launch()

    def wait_until_it_answers(self):
        """False where the process has ended."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            if self.answers():
                return True
            time.sleep(0.05)
        raise ServerError(f"{self.system} did not answer within {READY_SECONDS} s; its log ends:\n{self.log_tail()}")

    def stop(self):
        """Ends the process by its pid and removes the folder. May be called again."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # Tools of subclasses.

    @property
    def log(self):
        return self.folder / "server.log"

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def log_tail(self):
        return "\n".join(self.log_text().splitlines()[-15:])

    def as_owner(self, more=()):
        """What begins a command that runs as the server's user; `setpriv` keeps the pid."""
        prefix = ["setpriv", *more]
        if self.owner is not None:
            prefix += [f"--reuid={self.owner.pw_uid}", f"--regid={self.owner.pw_gid}", "--clear-groups"]
        return prefix if len(prefix) > 1 else []

    def own(self, path):
        if self.owner is not None:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        self.own(path)
        return path

    def run(self, argv, text=None, env=None, timeout=READY_SECONDS, as_owner=False):
        """Runs a tool to its end and gives its output; a failure is a ServerError with the tool's words."""
        argv = list(map(str, (self.as_owner() if as_owner else []) + list(argv)))
        try:
            done = subprocess.run(argv, cwd=self.folder, input=text, env={**clean_environment(), **(env or {})}, text=True,
                                  capture_output=True, timeout=timeout, errors="replace")
        except FileNotFoundError:
            raise ServerError(f"{argv[0]} is not installed; ./deploy/install-packages.sh deploy/packages-test.txt installs it")
        except subprocess.TimeoutExpired:
            raise ServerError(f"{argv[0]} did not end within {timeout} s") from None
        if done.returncode != 0:
            raise ServerError(f"{Path(argv[0]).name} ended with code {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
        return done.stdout

    def tries(self, argv, env=None):
        """Whether a tool succeeds within 5 s: a client without a deadline may hang on a dead port."""
        try:
            done = subprocess.run(list(map(str, argv)), env={**clean_environment(), **(env or {})}, timeout=5, capture_output=True)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def clean_environment():
    """The environment without what would change a client's connection."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "MYSQL", "MARIADB"))}
