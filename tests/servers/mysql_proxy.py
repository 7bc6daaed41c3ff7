"""A proxy in front of a MariaDB or MySQL, as pools and routers are: it gives its own numbers to connections, may move statements between
connections to the server, and keeps what came by. Without TLS, for accounts of `mysql_native_password`."""

import contextlib
import hashlib
import socket
import struct
import threading

from servers.fakes import Fake, exactly

ANOTHER_NUMBER = 1_000_000
CONNECT_WITH_DB, PLUGIN_AUTH, CONNECT_ATTRS = 0x8, 0x80000, 0x100000
QUERY = 3


def packet(peer):
    """Header and payload: https://mariadb.com/kb/en/0-packet/"""
    header = exactly(peer, 4)
    return header, exactly(peer, int.from_bytes(header[:3], "little"))


def with_length(payload, number):
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def end(peer):
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_RDWR)  # another thread may wait for it
    peer.close()


def zero_ended(data, at):
    end = data.index(b"\0", at)
    return data[at:end], end + 1


def counted(data, at):
    """A text behind its length: https://mariadb.com/kb/en/protocol-data-types/#length-encoded-strings"""
    size, at = data[at], at + 1
    if size == 0xFC:
        size, at = int.from_bytes(data[at:at + 2], "little"), at + 2
    return data[at:at + size], at + size


def scramble(password, salt):
    """https://mariadb.com/kb/en/connection/#mysql_native_password-plugin"""
    first = hashlib.sha1(password.encode()).digest()
    other = hashlib.sha1(salt + hashlib.sha1(first).digest()).digest()
    return bytes(a ^ b for a, b in zip(first, other))


class Login:
    """What a client logs in with: https://mariadb.com/kb/en/connection/#handshake-response-packet"""

    def __init__(self, data):
        flags = struct.unpack("<I", data[:4])[0]
        self.user, self.at = zero_ended(data, 32)
        self.data = data
        self.size = data[self.at]
        at = self.at + 1 + self.size
        if flags & CONNECT_WITH_DB:
            _, at = zero_ended(data, at)
        if flags & PLUGIN_AUTH:
            _, at = zero_ended(data, at)
        self.attributes = {}
        if flags & CONNECT_ATTRS:
            rest, _ = counted(data, at)
            at = 0
            while at < len(rest):
                name, at = counted(rest, at)
                self.attributes[name.decode()], at = counted(rest, at)

    def answered(self, answer):
        return self.data[:self.at] + bytes([len(answer)]) + answer + self.data[self.at + 1 + self.size:]


class MySqlProxy(Fake):
    """A context. `moves`: each statement goes to the next of a client's two connections, which have another number each. `shares`: all clients get the first one's connection for their
    statements. `version`: what it puts behind the server's own."""

    timeout_s = None

    def __init__(self, server, user="admin", moves=False, shares=False, numbers=True, version=""):
        super().__init__(self.stand_between)
        self.server, self.user, self.moves, self.shares, self.version = server, user, moves, shares, version
        self.shared = None
        self.turn = threading.Lock()
        self.number = ANOTHER_NUMBER if numbers else 0
        self.names, self.statements = [], []
        self.open = []

    def __exit__(self, *left):
        super().__exit__(*left)
        for one in self.open:
            end(one)

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.server.port))
        self.open.append(peer)
        return peer

    def stand_between(self, client):
        self.open.append(client)
        backends = []
        try:
            backends.append(self.connect())
            login = self.log_in(client, backends[0])
            if self.moves:
                backends.append(self.one_more(login))
            if self.shares and self.shared is None:
                self.shared = self.one_more(login)
            for backend in backends:
                threading.Thread(target=self.pump, args=(backend, client), daemon=True).start()
            self.pass_on(client, backends)
        finally:
            for one in (client, *backends):
                end(one)

    def log_in(self, client, backend):
        _, greeting = packet(backend)
        version, at = zero_ended(greeting, 1)
        number = struct.unpack("<I", greeting[at:at + 4])[0] + self.number
        client.sendall(with_length(greeting[:1] + version + self.version.encode() + b"\0" + struct.pack("<I", number) + greeting[at + 4:], 0))
        header, answer = packet(client)
        login = Login(answer)
        self.names.append(login.attributes.get("program_name", b"").decode())
        while True:
            backend.sendall(header + answer)
            header, said = packet(backend)
            client.sendall(header + said)
            if said[0] in (0, 0xFF):
                return login
            header, answer = packet(client)

    def one_more(self, login):
        backend = self.connect()
        _, greeting = packet(backend)
        _, at = zero_ended(greeting, 1)
        salt = greeting[at + 4:at + 12] + greeting[at + 31:at + 43]
        backend.sendall(with_length(login.answered(scramble(self.server.password(self.user), salt)), 1))
        _, said = packet(backend)
        if said[0] != 0:
            raise OSError(f"the server let the proxy not in: {said}")
        return backend

    def pass_on(self, client, backends):
        turn = 0
        while True:
            header, said = packet(client)
            if header[3] == 0:
                turn += 1
                self.statements.append(said[1:].decode(errors="replace"))
            if self.shares and header[3] == 0 and said[0] == QUERY:
                self.ask_shared(header + said, client)
                continue
            backends[turn % len(backends)].sendall(header + said)

    def ask_shared(self, statement, client):
        """Answers of one statement at a time: up to an error, an OK, or the second end of rows."""
        with self.turn:
            self.shared.sendall(statement)
            ends = 0
            while ends < 2:
                header, said = packet(self.shared)
                client.sendall(header + said)
                ends += 2 if said[0] in (0, 0xFF) and header[3] == 1 else said[0] == 0xFE and len(said) < 9

    @staticmethod
    def pump(backend, client):
        try:
            while data := backend.recv(1 << 16):
                client.sendall(data)
        except OSError:
            pass
