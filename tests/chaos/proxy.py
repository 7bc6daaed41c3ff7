"""A way to a server that is cut at a byte, or around a COMMIT. Without TLS."""

import contextlib
import socket
import struct
import threading

from servers.fakes import Fake

# With a linger of 0 a close is a reset, which loses what is on the way, as a cable that is pulled does.
RESET = struct.pack("ii", 1, 0)
# As one message of its own: https://www.postgresql.org/docs/15/protocol-message-formats.html, https://mariadb.com/kb/en/com_query/
COMMITS = (b"Q\0\0\0\x0bCOMMIT\0", b"\x07\0\0\0\x03COMMIT")
ANSWER_SECONDS = 5


class Cut:
    """Ends all connections of a way once: after so many bytes in a direction (`up` is to the server), or at the n-th COMMIT:
    `before` it gets to the server, or `after`, when the server has answered it and nobody has got the answer."""

    def __init__(self, direction=None, after_bytes=0, commit=None, nth=1):
        self.direction, self.left, self.commit, self.nth = direction, after_bytes, commit, nth
        self.text = f"cut {commit} COMMIT {nth}" if commit else f"cut {direction} after {after_bytes} bytes"
        self.done = False

    def __str__(self):
        return self.text


class Connection:
    """One of a client, with that to the server. What is `muted` gets no answer any more."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.muted = self.left_alone = False
        self.answered = threading.Event()


class CuttingProxy(Fake):
    """A context. `arm` and the others may be called at any time; a way without a cut passes all on. Its threads are its own."""

    timeout_s = None

    def __init__(self, port):
        super().__init__(self.pass_on)
        self.to = port
        self.cut = None
        self.turn = threading.Lock()  # of `cut` and `connections`
        self.connections = []

    def __exit__(self, *left):
        super().__exit__(*left)
        self.end_all()

    def arm(self, cut):
        with self.turn:
            self.cut = cut

    def leave_alone(self):
        """From here on the server is not told that the clients of today are gone, as where a network loses what they send; `tell` does."""
        with self.turn:
            for one in self.connections:
                one.left_alone = True
            return len(self.connections)

    def tell(self):
        with self.turn:
            alone = [one for one in self.connections if one.left_alone]
        for one in alone:
            one.left_alone = False
            self.reset(one.server)

    def end_clients(self):
        with self.turn:
            connections = list(self.connections)
        for one in connections:
            self.reset(one.client)

    def end_all(self):
        with self.turn:
            connections = list(self.connections)
        for one in connections:
            self.reset(one.client)
            self.reset(one.server)

    @staticmethod
    def reset(peer):
        with contextlib.suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            peer.shutdown(socket.SHUT_RDWR)

    def pass_on(self, client):
        with socket.create_connection(("127.0.0.1", self.to)) as server:
            one = Connection(client, server)
            with self.turn:
                self.connections.append(one)
            back = threading.Thread(target=self.pump, args=(one, server, client, "down"), daemon=True)
            back.start()
            self.pump(one, client, server, "up")
            back.join()
            with self.turn:
                self.connections.remove(one)

    def pump(self, one, source, target, direction):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                if direction == "down" and one.muted:
                    one.answered.set()
                    continue
                if direction == "down" and one.left_alone:
                    continue
                passed, ends = self.judge(one, data, direction)
                target.sendall(passed)
                if ends:
                    if one.muted:
                        one.answered.wait(ANSWER_SECONDS)
                    self.end_all()
                    return
        if one.left_alone:
            return
        for peer in (source, target):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

    def judge(self, one, data, direction):
        """What of the bytes is passed on, and whether all ends behind it."""
        with self.turn:
            cut = self.cut
            if cut is None or cut.done:
                return data, False
            if cut.commit:
                if direction == "down" or not any(commit in data for commit in COMMITS):
                    return data, False
                cut.nth -= 1
                cut.done = cut.nth == 0
                if not cut.done:
                    return data, False
                one.muted = cut.commit == "after"
                return data if one.muted else b"", True
            if direction != cut.direction:
                return data, False
            passed = data[:cut.left]
            cut.left -= len(passed)
            cut.done = cut.left == 0
            return passed, cut.done
