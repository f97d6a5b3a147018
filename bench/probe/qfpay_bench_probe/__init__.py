"""Loaded into the measured Odoo with ``--load``: answers what the process has used so far.

It listens on a port of its own, past Odoo's HTTP stack, so that asking costs no query, no database
connection and no HTTP worker.
"""

import json
import os
import socketserver
import threading
import time

from odoo import sql_db


def _pools():
    return [pool for pool in (sql_db._Pool, sql_db._Pool_readonly) if pool is not None]


def reading(database):
    """The process's counters.

    :param str database: whose connections are counted
    :return: dict of `queries` (SQL statements so far), `cpu` (seconds so far), `workers` (HTTP
        requests being served) and `connections` (taken out of the pool) at this moment
    """
    taken = [cnx for pool in _pools() for cnx in list(pool._connections) if cnx._pool_in_use]
    return {
        'queries': sql_db.sql_counter,
        'cpu': time.process_time(),
        'workers': sum(getattr(thread, 'type', '') == 'http' for thread in threading.enumerate()),
        'connections': sum(cnx.info.dbname == database for cnx in taken),
    }


class _Answer(socketserver.StreamRequestHandler):
    """One line in, the name of a database; one line out, the reading as JSON."""

    def handle(self):
        for line in self.rfile:
            self.wfile.write(json.dumps(reading(line.decode().strip())).encode() + b'\n')


def _listen():
    server = socketserver.ThreadingTCPServer(
        ('127.0.0.1', int(os.environ['QFPAY_BENCH_PROBE_PORT'])), _Answer
    )
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name='qfpay.bench.probe', daemon=True).start()


_listen()
