"""The simulator as a program of its own, and plain HTTP calls to it.

Nothing here imports the addon or the simulator.
"""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, data=None, *, method=None, headers=None, timeout=20):
    """Status, headers and body of an HTTP call that may fail."""
    request = urllib.request.Request(  # noqa: S310 - addresses of our own making
        url,
        data=data,
        method=method,
        headers={'Content-Type': 'application/json'} | (headers or {}),
    )
    try:
        with NO_PROXY.open(request, timeout=timeout) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


class Program:
    """A simulator that runs."""

    def __init__(self, directory, *options):
        ready = directory / 'ready.json'
        # A file and no pipe: a pipe that nobody empties would stop the program one day.
        self.output = directory / 'output.txt'
        with self.output.open('w') as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    '-m',
                    'simulator',
                    '--terminal-port',
                    '0',
                    '--web-port',
                    '0',
                    '--ready-file',
                    str(ready),
                    *options,
                ],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 20
        while not ready.exists():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, 'the simulator does not start'
            time.sleep(0.02)
        self.ready = json.loads(ready.read_text())
        self.ready_file = ready

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, self.output.read_text()
