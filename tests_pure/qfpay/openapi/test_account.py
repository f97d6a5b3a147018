from unittest import TestCase

from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.qfpay.openapi.account import Account, checked_base_url
from pos_payment_qfpay.qfpay.openapi.catalogue import ENVIRONMENTS
from pos_payment_qfpay.qfpay.openapi.signature import ClientKey


class TestOpenapiAccount(TestCase):
    def test_addresses(self):
        for base in (
            *ENVIRONMENTS.values(),
            'http://127.0.0.1:9003',
            'http://[::1]:9003',
            'https://gateway',
        ):
            with self.subTest(base):
                self.assertEqual(checked_base_url(base), base)
        self.assertEqual(checked_base_url('https://a.example/'), 'https://a.example')
        for base in (
            '',
            None,
            'a.example',
            'ftp://a.example',
            'https://',
            'https://a.example/trade',
            'https://a.example?x=1',
            'https://a.example#x',
            'https://user@a.example',
            'https://user:secret@a.example',
            'https://a.example:0',
            'https://a.example:99999',
            'https://a.example:x',
            'https://a b.example',
            'https://a.example ',
            'https://a.example\n',
            'https://[::1',
            'https://[x]',
            'https://é.example',
        ):
            with self.subTest(base), self.assertRaises(InvalidRequest) as caught:
                checked_base_url(base)
            self.assertEqual(caught.exception.field, 'base_url')

    def test_accounts(self):
        good = {
            'base_url': ENVIRONMENTS['production'],
            'app_code': 'APP',
            'client_key': ClientKey('SECRET'),
            'merchant_id': 'M1',
        }
        self.assertNotIn('SECRET', repr(Account(**good)))
        for field, value in (
            ('base_url', 'x'),
            ('app_code', ''),
            ('app_code', 'a\r\nb'),
            ('merchant_id', ''),
            ('merchant_id', 'x' * 17),
        ):
            with self.subTest(field), self.assertRaises(InvalidRequest) as caught:
                Account(**{**good, field: value})
            self.assertEqual(caught.exception.field, field)
