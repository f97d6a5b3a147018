"""A server on this machine that behaves as badly as a test wants it to."""

import socket
import struct
import threading
from contextlib import contextmanager, suppress


class Conversation:
    """One connection, as a test's behaviour sees it."""

    def __init__(self, sock, stopping):
        self.sock = sock
        self.stopping = stopping
        self.request = b''

    def read_request(self):
        """Receive a whole request."""
        while b'\r\n\r\n' not in self.request:
            self._receive()
        head = self.request.partition(b'\r\n\r\n')[0]
        length = 0
        for line in head.split(b'\r\n'):
            name, _, value = line.partition(b':')
            if name.lower() == b'content-length':
                length = int(value)
        while len(self.request) < len(head) + 4 + length:
            self._receive()
        return self.request

    def _receive(self):
        received = self.sock.recv(65536)
        if not received:
            raise ConnectionError
        self.request += received

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, body, status='200 OK', headers=()):
        lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body)}', *headers, '', '']
        self.send('\r\n'.join(lines).encode() + body)

    def drip(self, data, pause):
        """Send a byte at a time, over and over, until nobody listens."""
        while not self.stopping.is_set():
            for byte in data:
                self.send(bytes([byte]))
                if self.stopping.wait(pause):
                    return

    def pour(self, data):
        """Send as much as goes, until nobody listens."""
        while not self.stopping.is_set():
            self.send(data)

    def wait(self):
        """Say nothing."""
        self.stopping.wait(30)

    def reset(self):
        """End the connection as a machine does that lost its power."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()


@contextmanager
def serving(behaviour, family=socket.AF_INET):
    """Serve on a free port of this machine; `behaviour(conversation)` has the word.

    Gives a list of the conversations, whose `port` is the server's.
    """
    server = Server(behaviour, family)
    try:
        yield server
    finally:
        server.stop()


class Server:
    def __init__(self, behaviour, family=socket.AF_INET):
        self.behaviour = behaviour
        self.stopping = threading.Event()
        self.accepted = threading.Event()
        self.conversations = []
        self.threads = []
        self.listener = socket.socket(family)
        self.listener.bind(('127.0.0.1' if family == socket.AF_INET else '::1', 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self._start(self._accept)

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _address = self.listener.accept()
            except OSError:
                return
            conversation = Conversation(sock, self.stopping)
            self.conversations.append(conversation)
            self._start(self._talk, conversation)
            self.accepted.set()

    def _talk(self, conversation):
        # An OSError: the other side has had enough.
        with conversation.sock, suppress(OSError):
            self.behaviour(conversation)

    def stop(self):
        self.stopping.set()
        # closing alone does not wake a thread that waits in accept()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)
