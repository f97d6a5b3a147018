"""The customer's code and the shop's keys reach no log, also when a statement fails."""

import logging

import psycopg2

from odoo.addons.pos_payment_qfpay.cashier import start
from odoo.exceptions import ConcurrencyError, ValidationError
from odoo.tests import tagged

from .common import POS_KEY
from .openapi_shop import CLIENT_KEY, OpenApiCase

CODE = '281234567890123456'
NEW_POS_KEY = 'abcdefghijklmnop'
NEW_CLIENT_KEY = 'FEDCBA9876543210FEDCBA9876543210'
SECRETS = (POS_KEY, CLIENT_KEY, CODE, NEW_POS_KEY, NEW_CLIENT_KEY)


class _Ear(logging.Handler):
    """Hears everything, as a log file does that somebody reads later."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter('%(message)s'))
        self.heard = []

    def emit(self, record):
        self.heard.append(self.format(record))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestSecrets(OpenApiCase):
    def setUp(self):
        super().setUp()
        self.ear = _Ear()
        statements = logging.getLogger('odoo.sql_db')
        self.patch(statements, 'propagate', False)
        for logger in (logging.getLogger(), statements):
            logger.addHandler(self.ear)
            self.addCleanup(logger.removeHandler, self.ear)

    def break_table(self, table, condition):
        """From here on the database refuses what does not fulfil the condition, and quotes it."""
        self.env.flush_all()
        self.env.cr.execute(
            f'ALTER TABLE {table} ADD CONSTRAINT broken_for_a_test CHECK ({condition}) NOT VALID'
        )

    def break_name(self, record):
        """From here on the database refuses a second record of that name.

        It could refuse for other reasons, too; those for which it would quote the whole row are
        checked before (see TestTerminalSettings).
        """
        self.env.flush_all()
        self.env.cr.execute(f'CREATE UNIQUE INDEX ON {record._table} (name)')

    def assert_nothing_told(self, error, *actions):
        """Each of them fails in the database, and neither the log nor the error tells a secret."""
        for action in actions:
            with self.assertRaises(error) as refusal, self.env.cr.savepoint():
                action()
                self.env.flush_all()
            told = '\n'.join([*self.ear.heard, str(refusal.exception.args[0])])
            for secret in SECRETS:
                self.assertNotIn(secret, told)

    def test_a_statement_that_fails_is_told_with_its_values(self):
        """Odoo logs it so: the other tests here could see a secret, if there was one."""
        self.break_name(self.terminal)
        with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
            self.terminal.write({'name': self.terminal_2.name, 'host': 'seen-in-the-log'})
            self.env.flush_all()
        self.assertIn('seen-in-the-log', '\n'.join(self.ear.heard))

    def test_code_of_a_customer_when_the_row_is_refused(self):
        """Another till was faster, or the database is in trouble: the code was not in it."""
        payment = self.payment(10, self.scanned)
        self.break_table('qfpay_transaction', "state <> 'draft'")
        self.assert_nothing_told(psycopg2.Error, lambda: self.begin(payment, CODE))

    def test_code_of_a_customer_when_another_till_is_faster(self):
        """The request runs again, and says who was first."""
        payment = self.payment(10, self.scanned)
        ledger = self.env['qfpay.transaction']
        values = start.Start(ledger, payment).values(ledger, 1, CODE)
        del values['auth_code']
        check = start.Start._check_room

        def overtaken(begun, attempts, amount_minor):
            check(begun, attempts, amount_minor)
            ledger.create(values)

        self.patch(start.Start, '_check_room', overtaken)
        self.assert_nothing_told(ConcurrencyError, lambda: self.begin(payment, CODE))

    def test_code_of_a_customer_when_it_is_refused_itself(self):
        """The statement that carries the code is not logged."""
        payment = self.payment(10, self.scanned)
        self.break_table('qfpay_transaction', 'auth_code IS NULL')
        with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
            self.begin(payment, CODE)
        self.assertNotIn(CODE, '\n'.join(self.ear.heard))

    def test_code_of_a_customer_that_is_sent(self):
        """Nor does it stand in what support reads."""
        row = self.sent(method=self.scanned, auth_code=CODE)
        kept = ' '.join(f'{word.asked} {word.heard} {word.detail}' for word in row.testimony_ids)
        self.assertIn(row.reference, kept)
        self.assertNotIn(CODE, kept)
        self.assertNotIn(CODE, row.with_user(self.manager)._conversation())
        self.assertNotIn(CODE, '\n'.join(self.ear.heard))

    def test_keys_when_the_record_is_refused(self):
        """The values are logged, and the key is not among them."""
        self.break_name(self.terminal)
        values = {'name': self.terminal_2.name, 'pos_key': NEW_POS_KEY}
        self.assert_nothing_told(
            psycopg2.Error,
            lambda: self.terminal.create(dict(values, host='10.0.0.8')),
            lambda: self.terminal.write(values),
        )
        self.assertIn('10.0.0.8', '\n'.join(self.ear.heard))

    def test_keys_of_an_account_when_the_record_is_refused(self):
        """The same for the client key."""
        other = self.account.create({'name': 'Other', 'environment': 'sandbox'})
        self.break_name(self.account)
        values = {'name': other.name, 'client_key': NEW_CLIENT_KEY}
        self.assert_nothing_told(
            psycopg2.Error,
            lambda: self.account.create(values),
            lambda: self.account.write(values),
        )

    def test_keys_that_are_saved_in_a_race(self):
        """Another transaction has the record: the statement that carries the key is not logged."""
        for table, column, record, key in (
            ('qfpay_terminal', 'pos_key', self.terminal, NEW_POS_KEY),
            ('qfpay_account', 'client_key', self.account, NEW_CLIENT_KEY),
        ):
            with self.subTest(table), self.rewound():
                self.break_table(table, f"{column} <> '{key}'")
                with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
                    record.write({column: key})
                told = '\n'.join(it for it in self.ear.heard if 'ALTER TABLE' not in it)
                self.assertNotIn(key, told)

    def test_keys_that_cannot_be_right(self):
        """What a manager reads about it does not repeat it."""
        for record, values in (
            (self.terminal, {'pos_key': 'too-short'}),
            (self.account, {'client_key': 'schlüssel'}),
        ):
            (value,) = values.values()
            with self.assertRaises(ValidationError) as refusal, self.env.cr.savepoint():
                record.write(values)
            self.assertNotIn(value, str(refusal.exception))
            self.assertNotIn(value, '\n'.join(self.ear.heard))
