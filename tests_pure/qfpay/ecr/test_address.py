from unittest import TestCase

from pos_payment_qfpay.qfpay.ecr.address import checked_host
from pos_payment_qfpay.qfpay.ecr.link_http import HttpLink
from pos_payment_qfpay.qfpay.errors import InvalidRequest


class TestEcrAddress(TestCase):
    def test_hosts(self):
        for host, in_url in [
            ('192.168.1.50', '192.168.1.50'),
            ('127.0.0.1', '127.0.0.1'),
            ('localhost', 'localhost'),
            ('terminal-1.shop.local', 'terminal-1.shop.local'),
            ('till2', 'till2'),
            ('3com', '3com'),
            ('::1', '[::1]'),
            ('[::1]', '[::1]'),
            ('FD00:0:0::1', '[fd00::1]'),
            ('::ffff:192.168.1.50', '[::ffff:c0a8:132]'),
        ]:
            with self.subTest(host):
                self.assertEqual(checked_host(host), in_url)
                self.assertIn(f'http://{in_url}:9001', repr(HttpLink(host, 9001)))

    def test_what_is_no_host(self):
        for host in (
            '',
            ' ',
            ' 192.168.1.50',
            '192.168.1.50 ',
            '192.168.1.50\n',
            '192.168.1. 50',
            'http://192.168.1.50',
            'https://192.168.1.50:9001/api/pos/trade',
            '//192.168.1.50',
            '192.168.1.50/',
            '192.168.1.50/api',
            '192.168.1.50:9001',
            'till:9001',
            '[::1]:9001',
            'admin@192.168.1.50',
            'admin:secret@till',
            '192.168.1.50?x=1',
            '192.168.1.50#x',
            '192.168.1',
            '192.168.1.256',
            '192.168.1.50.7',
            '192.168.01.50',
            '3232235826',
            '0x7f000001.1',
            '0x7f000001',
            'till.0x1',
            '192.168.1.５０',
            '0.0.0.0',
            '255.255.255.255',
            '224.0.0.1',
            '169.254.169.254',
            'fe80::1',
            '::',
            '[]',
            '[192.168.1.50]',
            '[::1',
            '::1]',
            '[[::1]]',
            ':::1',
            'ff02::1',
            'fe80::1%eth0',
            '-till',
            'till-',
            'till..local',
            '.till',
            'till_1',
            'a' * 64,
            '.'.join(['a' * 60] * 5),
            'términal',
            '終端機',
            'till\0',
            'till%20',
            'till\\x',
            None,
            False,
            5,
            b'till',
        ):
            with self.subTest(host), self.assertRaises(InvalidRequest) as caught:
                HttpLink(host, 9001)
            self.assertEqual(caught.exception.field, 'host')

    def test_ports(self):
        for port in (1, 9001, 65535):
            HttpLink('till', port)
        for port in (0, -1, 65536, True, False, None, '9001', 9001.0):
            with self.subTest(port), self.assertRaises(InvalidRequest) as caught:
                HttpLink('till', port)
            self.assertEqual(caught.exception.field, 'port')
