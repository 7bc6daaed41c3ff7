"""Fakes that inject what no server of today does: too old a version, or too old a TLS. On a free port."""

import socket
import ssl
import struct
import threading


class Fake:
    """A context: listens, and gives each connection to `talk`, on a thread of its own."""

    timeout_s = 10

    def __init__(self, talk):
        self.talk = talk
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()

    def serve(self):
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk_to, args=(peer,), daemon=True).start()

    def talk_to(self, peer):
        with peer:
            peer.settimeout(self.timeout_s)
            try:
                self.talk(peer)
            except (OSError, struct.error):
                pass


def exactly(peer, size):
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def old_tls(peer, certificates):
    """A TLS server that knows 1.0 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path("server.pem"), certificates.path("server.key"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.wrap_socket(peer, server_side=True)


def postgresql_message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def old_postgresql(peer):
    """Greets as 9.6: https://www.postgresql.org/docs/15/protocol-message-formats.html"""
    size = struct.unpack("!I", exactly(peer, 4))[0]
    exactly(peer, size - 4)
    peer.sendall(postgresql_message(b"R", struct.pack("!I", 0)) + postgresql_message(b"S", b"server_version\0009.6.24\0")
                 + postgresql_message(b"S", b"server_encoding\0UTF8\0") + postgresql_message(b"K", struct.pack("!II", 1, 1))
                 + postgresql_message(b"Z", b"I"))
    peer.recv(1)


def postgresql_of_old_tls(certificates):
    def talk(peer):
        exactly(peer, 8)  # SSLRequest
        peer.sendall(b"S")
        old_tls(peer, certificates)
    return talk


def mysql_packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def mysql_greeting(version):
    """Protocol 10: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html"""
    capabilities = 0x1 | 0x8 | 0x200 | 0x800 | 0x8000 | 0x80000  # passwords, a database, 4.1, TLS, the plugin's name
    return mysql_packet(0, b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + b"abcdefgh\0" + struct.pack("<H", capabilities & 0xFFFF)
                        + b"\x21" + struct.pack("<H", 2) + struct.pack("<H", capabilities >> 16) + bytes([21]) + b"\0" * 10 + b"ijklmnopqrst\0"
                        + b"mysql_native_password\0")


def old_mysql(peer):
    peer.sendall(mysql_greeting("5.1.73"))
    size = int.from_bytes(exactly(peer, 4)[:3], "little")
    exactly(peer, size)
    peer.sendall(mysql_packet(2, b"\0\0\0" + struct.pack("<HH", 2, 0)))  # OK
    peer.recv(1)


def mysql_of_old_tls(certificates):
    def talk(peer):
        peer.sendall(mysql_greeting("8.0.33"))
        size = int.from_bytes(exactly(peer, 4)[:3], "little")
        exactly(peer, size)
        old_tls(peer, certificates)
    return talk


class Older(Fake):
    """A way to a real server on which names of `unknown` reach it misspelt, and what it says of itself is changed (`says`:
    pairs of bytes, the second no longer): for what a server of today knows and the one that it stands for does not. Without TLS."""

    timeout_s = None

    def __init__(self, port, unknown, says):
        super().__init__(self.pass_on)
        self.to = port
        self.unknown = [(name, name[:-1] + (b"x" if name[-1:] != b"x" else b"y")) for name in unknown]
        self.says = [(old, new.ljust(len(old), b" ")) for old, new in says]

    def pass_on(self, client):
        with socket.create_connection(("127.0.0.1", self.to)) as server:
            back = threading.Thread(target=self.pump, args=(server, client, self.says))
            back.start()
            self.pump(client, server, self.unknown)
            back.join()

    @staticmethod
    def pump(source, target, changes):
        try:
            while data := source.recv(1 << 16):
                for old, new in changes:
                    data = data.replace(old, new)
                target.sendall(data)
        except OSError:
            pass
        for peer in (source, target):
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Unmissed(Fake):
    """A way to a real server, which does not miss the connections that are cut here: to it they are idle."""

    timeout_s = None

    def __init__(self, port):
        super().__init__(self.pass_on)
        self.to = port
        self.pairs = []

    def __exit__(self, *_):
        super().__exit__()
        for _, server in self.pairs:
            server.close()

    def pass_on(self, client):
        server = socket.create_connection(("127.0.0.1", self.to))
        self.pairs.append((client, server))
        threading.Thread(target=self.pump, args=(server, client), daemon=True).start()
        self.pump(client, server)

    def cut(self):
        for client, _ in self.pairs:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass
