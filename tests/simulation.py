"""The simulator as a process of its own, for tests that need a terminal which really answers."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ADDON = Path(__file__).resolve().parents[1]
START_LIMIT = 30  # seconds until all ports must listen
# The simulator is on this machine: whatever proxy the environment names is not for it.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Simulator:
    """`python -m simulator` on free ports of this machine, with its gateway.

    :param int terminals: how many terminals it shows; they are counted from 0
    """

    def __init__(self, terminals=2):
        self._folder = tempfile.TemporaryDirectory()
        ready_file = Path(self._folder.name) / 'ready.json'
        ports = ('--terminal-port', '0', '--web-port', '0', '--terminals', str(terminals))
        self._errors = (Path(self._folder.name) / 'errors').open('w+')
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'simulator', *ports, '--ready-file', ready_file],
            cwd=ADDON,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        try:
            self.addresses = self._wait_until_ready(ready_file)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, ready_file):
        deadline = time.monotonic() + START_LIMIT
        while not ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._errors.seek(0)
                raise RuntimeError(f'The simulator did not start: {self._errors.read()}')
            time.sleep(0.05)
        return json.loads(ready_file.read_text())

    def stop(self):
        """End the process, and nothing but it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        self._folder.cleanup()

    def port(self, terminal=0):
        """The port of a terminal, on 127.0.0.1."""
        return int(self.addresses['terminals'][terminal].rpartition(':')[2])

    def set(self, terminal=0, **settings):
        """Change settings, for instance mode='approve' or fault='silent_after_charge'."""
        return self._call(terminal, 'settings', settings)

    def press(self, button, terminal=0):
        """A finger on the terminal: approve, decline, cancel, timeout."""
        return self._call(terminal, 'press', {'button': button})

    def reset(self, terminal=0):
        """Like a new terminal. Whoever waits for it is cut off."""
        return self._call(terminal, 'reset', {})

    def state(self, terminal=0):
        """What the terminal does: IDLE, WAIT_CUSTOMER, PROCESSING, REFUNDING or RESULT."""
        return self._call(terminal, '')['state']

    def trades(self, terminal=0):
        """QFPay's own book of what was traded on the terminal."""
        return self._call(terminal, 'trades')

    def requests(self, func_type=None, terminal=0):
        """The requests that the terminal received, in order, perhaps of one kind only."""
        log = self._call(terminal, 'log')
        return [entry for entry in log if func_type in (None, entry['func_type'])]

    @property
    def gateway_url(self):
        """The address of the OpenAPI."""
        return self.addresses['gateway']

    def act(self, do, **values):
        """What the customer does with the newest order: scan, pay, refuse, expire …"""
        return self._ask('gateway/orders/last/act', {'do': do, **values})

    def orders(self):
        """QFPay's book of orders and refunds, oldest first."""
        return self._ask('gateway/orders')

    def phone_code(self, wallet='alipay', script='ok'):
        """A customer's code; the script says what happens when it is scanned."""
        return self._ask(f'phone/code?wallet={wallet}&script={script}')['code']

    def reset_gateway(self):
        """No orders, and settings as at the start."""
        return self._ask('gateway/reset', {})

    def _call(self, terminal, path, values=None):
        return self._ask(f'terminals/{terminal}/{path}'.rstrip('/'), values)

    def _ask(self, path, values=None):
        url = f'{self.addresses["web"]}/api/{path}'
        data = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(url, data)  # noqa: S310 (the address is our own)
        with _opener.open(request, timeout=10) as answer:
            return json.load(answer)
