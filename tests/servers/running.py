"""Starts servers and says in a file for each where it is: what tests read through SLUICE_TEST_POSTGRESQL and the like."""

import contextlib
import json
import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from servers.certificates import Certificates
from servers.mysql import MariaDB, MySQL8
from servers.postgresql import PostgreSQL

SYSTEMS = {"postgresql": PostgreSQL, "mariadb": MariaDB, "mysql": MySQL8}


def variable(system):
    """The environment variable that names the file of this system."""
    return f"SLUICE_TEST_{system.upper()}"


def description(server):
    """What a test needs to know; docs: tests/servers/README.md."""
    paths = {name: str(server.certificates.path(file)) for name, file in
             (("ca_file", "ca.pem"), ("other_ca_file", "other_ca.pem"), ("client_cert_file", "client.pem"), ("client_key_file", "client.key"))}
    return {
        "system": server.system,
        "version": server.version(),
        "host": "127.0.0.1",
        "name": "localhost",  # in the certificate, as the address is
        "port": server.port,
        "pid": server.process.pid,
        "log": str(server.log),
        **paths,
        "database": server.databases[0],
        "shards": list(server.databases[1:]),
        "admin": {"user": "admin", "password": server.password("admin")},
        "users": {login: {"user": login, "password": server.password(login)} for login in server.logins},
    }


class Running:
    """Servers with their certificates; a context that ends them all."""

    def __init__(self, systems):
        self.systems = list(systems)
        self.servers = {}
        self.environment = {}
        self.ends = contextlib.ExitStack()

    def __enter__(self):
        try:
            folder = Path(tempfile.mkdtemp(prefix="sluice-servers-"))
            self.ends.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o755)
            certificates = Certificates(folder)
            for system in self.systems:
                server = self.ends.enter_context(SYSTEMS[system](certificates))
                path = folder / f"{system}.json"
                path.write_text(json.dumps(description(server), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                self.servers[system] = server
                self.environment[variable(system)] = str(path)
        except BaseException:
            self.ends.close()
            raise
        return self

    def __exit__(self, *_):
        self.ends.close()


def of_module(*systems):
    """Servers for all tests of the module whose setUpModule calls this, in the order asked for. The suite `full` runs
    some modules once more with the real MySQL 8 in MariaDB's place (SLUICE_TEST_MYSQL_FOR_MARIADB)."""
    stands_in = {"mariadb": "mysql"} if "SLUICE_TEST_MYSQL_FOR_MARIADB" in os.environ else {}
    systems = [stands_in.get(system, system) for system in systems]
    running = Running(systems)
    running.__enter__()
    unittest.addModuleCleanup(running.__exit__, None, None, None)
    return [running.servers[system] for system in systems]


def until(true, what, seconds=30):
    """Waits until `true()`; `what` is said where it never is."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.05)
