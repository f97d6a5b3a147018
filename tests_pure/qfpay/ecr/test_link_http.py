import gzip
import os
import select
import socket
import threading
import time
from contextlib import ExitStack
from unittest import TestCase
from unittest.mock import patch

from pos_payment_qfpay.qfpay.ecr.link_http import HttpLink
from pos_payment_qfpay.qfpay.errors import AnswerLost, NotSent
from pos_payment_qfpay.tests_pure.qfpay.bad_server import serving

PATH = '/api/pos/trade'
BODY = b'"QUJDRA=="'
ANSWER = b'{"respcd":"6000"}'
#: seconds in which every test of a deadline must have ended; the deadlines themselves are shorter
AT_ONCE = 3


class TestEcrLinkHttp(TestCase):
    def exchange(self, server, read_timeout=5, deadline=5, **options):
        return HttpLink('127.0.0.1', server.port).exchange(
            PATH, BODY, read_timeout, deadline, **options
        )

    def assertLost(self, reason, behaviour, **options):
        """An exchange with a server that behaves so loses its answer, soon, and is not repeated."""
        with serving(behaviour) as server:
            started = time.monotonic()
            with self.assertRaises(AnswerLost) as caught:
                self.exchange(server, **options)
            self.assertLess(time.monotonic() - started, AT_ONCE)
            self.assertEqual(caught.exception.reason, reason, caught.exception.message)
            self.assertEqual(len(server.conversations), 1)
        return caught.exception

    # ------------------------------------------------------------------
    # All is well
    # ------------------------------------------------------------------

    def test_an_exchange(self):
        def behaviour(it):
            it.read_request()
            it.answer(ANSWER)

        with serving(behaviour) as server:
            self.assertEqual(self.exchange(server), ANSWER)
        head, _, body = server.conversations[0].request.partition(b'\r\n\r\n')
        self.assertEqual(body, BODY)
        lines = head.decode().lower().split('\r\n')
        self.assertEqual(lines[0], f'post {PATH} http/1.1')
        self.assertIn(f'host: 127.0.0.1:{server.port}', lines)
        self.assertIn('content-type: application/json', lines)
        self.assertIn('connection: close', lines)
        self.assertFalse([line for line in lines if line.startswith(('cookie', 'authorization'))])

    def test_forms_of_http(self):
        answers = {
            'until the end': b'HTTP/1.1 200 OK\r\n\r\n' + ANSWER,
            'old': b'HTTP/1.0 200 OK\r\n\r\n' + ANSWER,
            'in chunks': b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
            b'5\r\n{"res\r\nc\r\npcd":"6000"}\r\n0\r\n\r\n',
            'after a word in between': b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'
            + ANSWER,
        }
        for form, answer in answers.items():
            with self.subTest(form):

                def behaviour(it, answer=answer):
                    it.read_request()
                    for at in range(len(answer)):
                        it.send(answer[at : at + 1])

                with serving(behaviour) as server:
                    self.assertEqual(self.exchange(server), ANSWER)

    def test_a_customer_takes_time(self):
        def behaviour(it):
            it.read_request()
            time.sleep(0.7)
            it.answer(ANSWER)

        with serving(behaviour) as server:
            link = HttpLink('127.0.0.1', server.port, connect_timeout=0.3)
            self.assertEqual(link.exchange(PATH, BODY, 5, 5), ANSWER)

    def test_two_at_once(self):
        """A cancel must get through while the payment is under way."""
        cancelled = threading.Event()

        def behaviour(it):
            if b'cancel_request' in it.read_request():
                cancelled.set()
                it.answer(b'{"respcd":"6000"}')
            else:
                cancelled.wait(5)
                it.answer(b'{"respcd":"6001"}')

        with serving(behaviour) as server:
            link, answers = HttpLink('127.0.0.1', server.port), []
            payment = threading.Thread(
                target=lambda: answers.append(link.exchange(PATH, BODY, 5, 5))
            )
            payment.start()
            link.exchange('/api/pos/cancel_request', BODY, 5, 5)
            payment.join(5)
        self.assertEqual(answers, [b'{"respcd":"6001"}'])

    def test_the_environment_has_no_say(self):
        proxies = {'http_proxy': 'http://127.0.0.1:1', 'HTTP_PROXY': 'http://127.0.0.1:1'}
        with patch.dict(os.environ, proxies), serving(lambda it: it.answer(ANSWER)) as server:
            self.assertEqual(self.exchange(server), ANSWER)

    # ------------------------------------------------------------------
    # Nothing left
    # ------------------------------------------------------------------

    def assertNotSent(self, link, deadline=5):
        started = time.monotonic()
        with self.assertRaises(NotSent):
            link.exchange(PATH, BODY, 5, deadline)
        self.assertLess(time.monotonic() - started, AT_ONCE)

    def test_refused(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            self.assertNotSent(HttpLink('127.0.0.1', taken.getsockname()[1]))

    def test_no_such_name(self):
        self.assertNotSent(HttpLink('terminal.invalid', 9001))

    def full_listener(self, stack):
        """A port whose queue is full: who connects to it waits for ever."""
        listener = stack.enter_context(socket.socket())
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        for _waiting in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        return listener.getsockname()[1]

    def test_a_name_that_leads_to_a_link_local_address(self):
        """Services of a data centre listen there; whether they do is not for a till to find out."""
        with serving(lambda connection: None) as server:
            port = server.port
            places = [
                (socket.AF_INET, socket.SOCK_STREAM, 6, '', ('169.254.169.254', port)),
                (socket.AF_INET6, socket.SOCK_STREAM, 6, '', ('fe80::1%2', port, 0, 2)),
            ]
            tried = []
            with (
                patch('socket.getaddrinfo', lambda *_args, **_options: places),
                patch('socket.socket.connect', lambda _sock, place: tried.append(place)),
                self.assertRaises(NotSent),
            ):
                HttpLink('metadata.example', port).exchange('/x', b'x', 1.0, 1.0)
            self.assertEqual(tried, [])

    def test_nobody_picks_up(self):
        with ExitStack() as stack:
            port = self.full_listener(stack)
            self.assertNotSent(HttpLink('127.0.0.1', port, connect_timeout=0.3))
            self.assertNotSent(HttpLink('127.0.0.1', port), deadline=0.3)

    def test_no_time_at_all(self):
        with serving(lambda it: it.answer(ANSWER)) as server:
            self.assertNotSent(HttpLink('127.0.0.1', server.port), deadline=0)
            self.assertNotSent(HttpLink('127.0.0.1', server.port), deadline=-1)
        self.assertEqual(server.conversations, [])

    # ------------------------------------------------------------------
    # Whoever sends looks once more before the first byte
    # ------------------------------------------------------------------

    def assertNothingArrives(self, look, reason, **options):
        """The connection stands when somebody looks; then it ends without a byte."""

        def behaviour(it):
            it.sock.settimeout(5)
            it.received = it.sock.recv(65536)

        def looking():
            self.assertTrue(server.accepted.wait(5))
            look()

        with serving(behaviour) as server:
            with self.assertRaises(NotSent) as caught:
                self.exchange(server, before_first_byte=looking, **options)
            self.assertEqual(caught.exception.reason, reason)
            server.threads[-1].join(5)
            self.assertEqual([it.received for it in server.conversations], [b''])
        return caught.exception

    def test_a_last_look_stops_it_and_nothing_arrives(self):
        def too_late():
            raise NotSent('It is too late.', 'stale')

        error = self.assertNothingArrives(too_late, 'stale')
        self.assertEqual(error.message, 'It is too late.')

    def test_a_look_that_breaks_lets_nothing_out(self):
        """Whatever goes wrong before the first byte: nothing left."""
        self.assertNothingArrives(lambda: 1 // 0, 'network')

    def test_a_look_that_takes_longer_than_there_is_time_lets_nothing_out(self):
        self.assertNothingArrives(lambda: time.sleep(0.4), 'network', deadline=0.3)

    def test_a_last_look_is_taken_once_and_before_everything(self):
        looks = []

        def behaviour(it):
            it.read_request()
            it.looked_before = list(looks)
            it.answer(ANSWER)

        with serving(behaviour) as server:
            answer = self.exchange(server, before_first_byte=lambda: looks.append('look'))
        self.assertEqual(answer, ANSWER)
        self.assertEqual(looks, ['look'])
        self.assertEqual(server.conversations[0].looked_before, ['look'])

    def test_without_a_connection_nobody_looks(self):
        looks = []
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            link = HttpLink('127.0.0.1', taken.getsockname()[1])
            with self.assertRaises(NotSent) as caught:
                link.exchange(PATH, BODY, 5, 5, before_first_byte=lambda: looks.append('look'))
        self.assertEqual(caught.exception.reason, 'network')
        self.assertEqual(looks, [])

    # ------------------------------------------------------------------
    # Something left
    # ------------------------------------------------------------------

    def test_the_border_is_the_first_byte(self):
        """The same error on either side of it."""
        with serving(lambda it: it.wait()) as server:
            with (
                patch.object(socket.socket, 'connect', side_effect=ConnectionResetError),
                self.assertRaises(NotSent),
            ):
                self.exchange(server)
            for error in (ConnectionResetError, BrokenPipeError, TimeoutError, MemoryError):
                with (
                    self.subTest(error),
                    patch.object(socket.socket, 'sendall', side_effect=error),
                    self.assertRaises(AnswerLost),
                ):
                    self.exchange(server, deadline=0.5)

    def test_reset_before_reading(self):
        def behaviour(it):
            # Not while the connection is being made: then nothing would have left.
            select.select([it.sock], [], [], 5)
            it.reset()

        self.assertLost('connection', behaviour)

    def test_reset_after_reading(self):
        def behaviour(it):
            it.read_request()
            it.reset()

        self.assertLost('connection', behaviour)

    def test_hung_up_without_a_word(self):
        self.assertLost('connection', lambda it: it.read_request())

    def test_reset_in_the_middle_of_an_answer(self):
        def behaviour(it):
            it.read_request()
            it.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"respcd":')
            time.sleep(0.1)
            it.reset()

        self.assertLost('connection', behaviour)

    def test_hung_up_in_the_middle_of_an_answer(self):
        for half in (
            b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"respcd":"6000"}',
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"respcd":"6000"}',
            b'HTTP/1.1 200 OK\r\nContent-Le',
            b'HTTP/1.1 2',
        ):
            with self.subTest(half):

                def behaviour(it, half=half):
                    it.read_request()
                    it.send(half)

                if half.endswith(b'Content-Le'):
                    # headers that end early are still headers; the empty answer is read as such
                    with serving(behaviour) as server:
                        self.assertEqual(self.exchange(server), b'')
                else:
                    self.assertLost('connection', behaviour)

    def test_silence(self):
        self.assertLost('timeout', lambda it: it.wait(), read_timeout=0.3)
        self.assertLost('timeout', lambda it: it.wait(), deadline=0.3)

    def test_silence_after_the_headers(self):
        def behaviour(it):
            it.read_request()
            it.send(b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n')
            it.wait()

        self.assertLost('timeout', behaviour, read_timeout=0.3)

    def test_a_status_line_that_drips(self):
        self.assertLost('timeout', lambda it: it.drip(b'HTTP/1.1', 0.05), deadline=0.5)

    def test_headers_that_drip(self):
        def behaviour(it):
            it.read_request()
            it.send(b'HTTP/1.1 200 OK\r\n')
            it.drip(b'X-Wait: a\r\n', 0.02)

        self.assertLost('timeout', behaviour, deadline=0.5)

    def test_a_header_that_never_ends(self):
        def behaviour(it):
            it.read_request()
            it.send(b'HTTP/1.1 200 OK\r\nX-Long: ')
            it.pour(b'x' * 65536)

        self.assertLost('connection', behaviour)

    def test_headers_without_end(self):
        def behaviour(it):
            it.read_request()
            it.send(b'HTTP/1.1 200 OK\r\n')
            it.pour(b'X-More: a\r\n' * 1000)

        self.assertLost('connection', behaviour)

    def test_words_in_between_without_end(self):
        def behaviour(it):
            it.read_request()
            it.drip(b'HTTP/1.1 100 Continue\r\n\r\n', 0.001)

        self.assertLost('timeout', behaviour, deadline=0.5)

    def test_a_body_that_drips(self):
        for head in (
            b'HTTP/1.1 200 OK\r\n\r\n',
            b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n',
            b'HTTP/1.1 500 Oh\r\n\r\n',
            b'HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n',
        ):
            with self.subTest(head):

                def behaviour(it, head=head):
                    it.read_request()
                    it.send(head)
                    it.drip(b' ', 0.02)

                self.assertLost('timeout', behaviour, deadline=0.5)

    def test_chunks_that_drip(self):
        def behaviour(it):
            it.read_request()
            it.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
            it.drip(b'1\r\n \r\n', 0.02)

        self.assertLost('timeout', behaviour, deadline=0.5)

    def test_a_body_that_never_ends(self):
        for head in (
            b'HTTP/1.1 200 OK\r\n\r\n',
            b'HTTP/1.1 500 Oh\r\n\r\n',
            b'HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n',
        ):
            with self.subTest(head):

                def behaviour(it, head=head):
                    it.read_request()
                    it.send(head)
                    it.pour(b' ' * 65536)

                self.assertLost('too_large', behaviour)

    def test_ten_megabytes(self):
        def behaviour(it):
            it.read_request()
            it.answer(b'"' + b'A' * 10_000_000 + b'"')

        self.assertLost('too_large', behaviour)

    def test_the_limit(self):
        def behaviour(it):
            it.read_request()
            it.answer(b'x' * 1000)

        with serving(behaviour) as server:
            self.assertEqual(len(self.exchange(server, limit=1000)), 1000)
        self.assertLost('too_large', behaviour, limit=999)

    def test_a_small_parcel_that_unfolds(self):
        parcel = gzip.compress(b'{' + b' ' * 50_000_000 + b'}')

        def behaviour(it):
            it.read_request()
            it.answer(parcel, headers=['Content-Encoding: gzip'])

        with serving(behaviour) as server:
            self.assertEqual(self.exchange(server), parcel)

    def test_a_redirect_is_not_followed(self):
        with serving(lambda it: it.answer(ANSWER)) as elsewhere:

            def behaviour(it):
                it.read_request()
                location = f'Location: http://127.0.0.1:{elsewhere.port}/'
                it.answer(b'moved', '307 Temporary Redirect', [location])

            lost = self.assertLost('unreadable', behaviour)
            self.assertIn('307', lost.message)
            self.assertEqual(elsewhere.conversations, [])

    def test_other_statuses(self):
        for status in ('404 Not Found', '500 Oh', '503 Busy', '201 Created', '401 Who', '999 What'):
            for body in (ANSWER, b'"QUJDRA=="'):
                with self.subTest(status, body=body):

                    def behaviour(it, status=status, body=body):
                        it.read_request()
                        it.answer(body, status)

                    with serving(behaviour) as server:
                        self.assertEqual(self.exchange(server), body)

            def page(it, status=status):
                it.read_request()
                it.answer(b'<html>no</html>', status)

            with self.subTest(status):
                self.assertIn(status[:3], self.assertLost('unreadable', page).message)

    def test_other_statuses_with_little_to_read(self):
        for body in (b'', b'[]', b'404', b'null', b'[' * 100_000, b'\xff\xfe', b'{'):

            def behaviour(it, body=body):
                it.read_request()
                it.answer(body, '500 Oh')

            with self.subTest(body[:10]):
                self.assertLost('unreadable', behaviour)

    def test_what_is_no_http(self):
        for noise in (
            b'SSH-2.0-OpenSSH_9.2\r\n',
            b'\x15\x03\x01\x00\x02\x02\x16',
            b'\r\n' * 10,
            b'HTTP/1.1 abc\r\n\r\n',
            b'HTTP/1.1 200 OK\r\nContent-Length: -5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
        ):

            def behaviour(it, noise=noise):
                it.read_request()
                it.send(noise)

            with self.subTest(noise):
                self.assertLost('connection', behaviour)

    def test_the_beginning_of_a_lost_answer_is_kept_for_support(self):
        for status, body, reason, options in (
            ('500 Oh', b'<html>out of order</html>' + b' ' * 5000, 'unreadable', {}),
            ('200 OK', b'<html>out of order</html>' + b' ' * 5000, 'too_large', {'limit': 2000}),
        ):

            def behaviour(it, status=status, body=body):
                it.read_request()
                it.answer(body, status)

            with self.subTest(status):
                lost = self.assertLost(reason, behaviour, **options)
                self.assertTrue(lost.heard.startswith('<html>out of order</html>'))
                self.assertEqual(len(lost.heard), 1000)
                self.assertNotIn('out of order', lost.message)
        self.assertEqual(self.assertLost('connection', lambda it: it.read_request()).heard, '')

    def test_errors_do_not_quote_the_request(self):
        def behaviour(it):
            # Not while the connection is being made: then nothing would have left.
            select.select([it.sock], [], [], 5)
            it.reset()

        lost = self.assertLost('connection', behaviour)
        self.assertNotIn('QUJDRA', str(lost))

    def test_no_connection_is_left_behind(self):
        def behaviour(it):
            it.read_request()
            it.answer(ANSWER, headers=['Connection: keep-alive'])
            # ends only when the other side closes
            it.sock.settimeout(5)
            it.closed = it.sock.recv(1) == b''

        with serving(behaviour) as server:
            self.exchange(server)
            server.threads[-1].join(5)
            self.assertTrue(server.conversations[0].closed)
