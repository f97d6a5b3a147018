"""A gateway on this machine that says what a test wants it to say.

It signs and checks by itself, from the documents: no line of the addon is used here, so that one
mistake cannot sit on both sides.
"""

import hashlib
import json
import ssl
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlsplit

APP_CODE = 'A6A49A66B4C94EA95032'
CLIENT_KEY = '0123456789ABCDEF0123456789ABCDEF'


class Request:
    """One request as it came in."""

    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        form = parts.query if method == 'GET' else body.decode('ascii')
        self.pairs = parse_qsl(form, keep_blank_values=True, strict_parsing=True)
        self.fields = dict(self.pairs)

    def is_signed(self, key=CLIENT_KEY):
        text = '&'.join(f'{name}={value}' for name, value in sorted(self.pairs)) + key
        hashed = hashlib.sha256 if self.headers.get('X-QF-SIGNTYPE') == 'SHA256' else hashlib.md5
        return self.headers.get('X-QF-SIGN') == hashed(text.encode()).hexdigest().upper()


class Said:
    """What to answer. `sign`: True, False (no signature), or the signature itself."""

    def __init__(self, body, status=200, sign=True, key=CLIENT_KEY, **headers):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.headers = {name.replace('_', '-'): value for name, value in headers.items()}
        if sign is True:
            sign = hashlib.md5(self.body + key.encode()).hexdigest().upper()
        if sign:
            self.headers.setdefault('X-QF-SIGN', sign)


class FakeGateway:
    """`behaviour(request)` gives an object to answer with, a `Said`, or None to hang up."""

    def __init__(self, behaviour, certificate=None):
        self.requests = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get('Content-Length') or 0)
                body = self.rfile.read(length)
                request = Request(self.command, self.path, self.headers, body)
                fake.requests.append(request)
                said = behaviour(request)
                if said is None:
                    return
                if not isinstance(said, Said):
                    said = Said(said)
                self.send_response_only(said.status)
                if 'Date' not in said.headers:
                    self.send_header('Date', self.date_time_string())
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header('Content-Length', str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

            do_GET = do_POST = handle_any

            def log_message(self, *_args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args):
                pass  # the other side has had enough

        self.server = Server(('127.0.0.1', 0), Handler)
        scheme = 'http'
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = 'https'
        self.url = f'{scheme}://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={'poll_interval': 0.005}, daemon=True
        )
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@contextmanager
def gateway_that(behaviour, certificate=None):
    fake = FakeGateway(behaviour, certificate)
    try:
        yield fake
    finally:
        fake.stop()


@contextmanager
def certificate_for_this_machine():
    """The path of a certificate for 127.0.0.1 with its key, signed by itself."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'gateway')])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, 'gateway.pem')
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        yield str(path)
