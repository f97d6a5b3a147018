"""How a payment begins: everything is checked before anything leaves this server."""

import re
from datetime import timezone

from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.tools import format_date

from ..ledger.limits import ENGAGED, MOST_UNDER_WAY, may_be_charged
from ..ledger.states import DONE, OPEN
from ..qfpay.errors import InvalidRequest
from ..qfpay.money import to_minor
from ..qfpay.openapi.catalogue import CURRENCIES, PAY_TYPES, Mode, pay_type_for
from .refunds import days_to_refund, is_given_back, is_too_late, last_day
from .status import status

TERMINAL_CURRENCY = 'HKD'
#: seconds after which a till that asked for money has given up, whatever became of its request
PATIENCE = 20.0
_TAP = re.compile(r'[A-Za-z0-9_-]{8,64}')


def accepted_currencies(provider, channel):
    """The currencies that a terminal's channel, or a pay type, takes.

    :return: ISO codes, in order
    """
    if provider == 'ecr':
        return (TERMINAL_CURRENCY,)
    known = PAY_TYPES.get(channel)
    return (known and known.currencies) or tuple(CURRENCIES)


def fits_qfpay(currency):
    """Whether QFPay can be told every amount that Odoo rounds to: in whole minor units of QFPay's.

    :param currency: a `res.currency` that QFPay takes
    """
    try:
        return to_minor(currency.rounding, CURRENCIES[currency.name]) > 0
    except InvalidRequest:
        return False


class StartRefused(Exception):
    """A payment was not started; nothing has left this server.

    :param code: for the till ('amount', 'busy', 'code', 'config', 'denied', 'elsewhere', 'late',
        'not_found', 'refund')
    :param message: a translated sentence that tells the cashier what to do next
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def start(env, payment_uuid, auth_code='', tap='', asked_at=None):
    """Begin a payment or refund for a payment line, unless one is under way or done.

    The courier sets out when the row is committed. When Odoo runs the request again after a
    concurrency error, the first run's row is gone and nothing had left; when the browser asks
    again, the row is found and nothing is sent twice.

    :param env: the cashier's
    :param str payment_uuid: the line; its order was synchronised before
    :param str auth_code: the customer's code, for methods that scan one
    :param str tap: names the tap; asked again under the same name, it is the same attempt
    :param float asked_at: when the cashier tapped, by the database's clock (epoch, seconds)
    :return: the status of the line, see `status`
    :raise StartRefused: nothing was started
    """
    payment = find_payment(env, payment_uuid)
    ledger = env['qfpay.transaction'].sudo().with_company(payment.company_id)
    attempts = _attempts_of_order(ledger, payment)
    of_line = attempts.filtered(lambda row: row.payment_uuid == payment_uuid)
    tap = tap if _TAP.fullmatch(tap) else ''
    known = of_line.filtered(lambda row: tap and row.tap == tap) or of_line._deciding()
    if known and (known.state in (*OPEN, DONE) or (known.tap and known.tap == tap)):
        known._take_part()
        return status(known)
    _check_in_time(env, asked_at)
    row = _create(Start(ledger, payment), attempts, of_line, auth_code, tap)
    row._set_out()
    return status(row)


def give_up(env, payment_uuid, tap):
    """A till has waited in vain for a start: should the request come yet, it begins nothing.

    :return: the row that holds its place, cancelled before anything left; None when it cannot begin
        anyway
    """
    try:
        payment = find_payment(env, payment_uuid)
        ledger = env['qfpay.transaction'].sudo().with_company(payment.company_id)
        attempts = _attempts_of_order(ledger, payment)
        of_line = attempts.filtered(lambda row: row.payment_uuid == payment_uuid)
        if not _TAP.fullmatch(tap) or of_line.filtered(lambda row: row.state in (*OPEN, DONE)):
            return None
        row = _create(Start(ledger, payment), attempts, of_line, None, tap)
    except StartRefused:
        return None
    row._want_cancelled(None)
    return row


def _attempts_of_order(ledger, payment):
    """All attempts to pay the order of a line, the newest first."""
    return ledger.search_fetch(
        [('order_uuid', '=', payment.pos_order_id.uuid)],
        ['amount_minor', 'config_id', 'kind', 'payment_uuid', 'state', 'tap'],
        order='id desc',
    )


def _check_in_time(env, asked_at):
    """A request that was on its way for so long wakes nobody: its cashier has given up."""
    if not isinstance(asked_at, (int, float)):
        return
    now = env.cr.now().replace(tzinfo=timezone.utc).timestamp()
    if now - asked_at > PATIENCE:
        raise StartRefused(
            'late',
            env._('Nothing was sent: your request was on its way for too long. Try again.'),
        )


def _create(begin, attempts, of_line, auth_code, tap):
    """Write the row; the customer's code goes alone, and never to the log."""
    values = begin.values(attempts, len(of_line) + 1, auth_code)
    auth_code = values.pop('auth_code')
    values.update(tap=tap or False, next_step='send', next_step_at=values['requested_at'])
    try:
        row = begin.ledger.create(values)
    except UniqueViolation as error:
        # Somebody was faster by a moment. Odoo runs the request again, which then sees who.
        raise ConcurrencyError(f'{values["reference"]} was overtaken') from error
    if auth_code:
        row.flush_recordset()
        row._write_raw({'auth_code': auth_code})
    return row


def find_payment(env, payment_uuid):
    """The payment of a line, if the caller may see it and its order can still be paid.

    :param env: the cashier's
    :return: `pos.payment` with the system's rights
    :raise StartRefused: there is none
    """
    payment = (
        env['pos.payment']
        .search_fetch(
            [('uuid', '=', payment_uuid)],
            ['amount', 'company_id', 'payment_method_id', 'pos_order_id', 'session_id', 'uuid'],
        )
        .sudo()
    )
    # An empty uuid would find whatever has none.
    if not payment or not payment_uuid:
        raise StartRefused(
            'not_found',
            env._('The server does not have this payment yet. Try again in a moment.'),
        )
    # Only what is needed: a queue stands behind this, and these records are wide.
    payment.pos_order_id.fetch(['amount_total', 'config_id', 'state', 'uuid'])
    config = payment.pos_order_id.config_id
    config.fetch(['cash_rounding', 'currency_id', 'name', 'qfpay_terminal_id'])
    config.currency_id.fetch(['decimal_places', 'name', 'rounding'])
    if payment.pos_order_id.state != 'draft':
        raise StartRefused(
            'denied',
            env._('No money was asked for: this order is closed already. Start a new order.'),
        )
    return payment


class Start:
    """A payment line on its way into the ledger: what its row says, if nothing stands against it.

    :param ledger: `qfpay.transaction` with the system's rights, in the line's company
    :param payment: the `pos.payment`, see `find_payment`
    """

    def __init__(self, ledger, payment):
        self.ledger = ledger
        self.env = ledger.env
        self.payment = payment
        self.config = payment.pos_order_id.config_id
        self.method = payment.payment_method_id

    def values(self, attempts, number, auth_code=''):
        """The row for the line, from what the server itself knows about it.

        :param attempts: all attempts to pay its order
        :param int number: 1 for the first attempt to pay this line
        :param str auth_code: the customer's code, if one was scanned; None: none is needed, since
            nothing will be sent
        :return: dict for `create`
        :raise StartRefused: something stands against it
        """
        payment, config, method = self.payment, self.config, self.method
        method.fetch(['name', 'use_payment_terminal', *method._qfpay_fields_to_start()])
        amount = payment.amount
        is_refund = payment.currency_id.compare_amounts(amount, 0) < 0
        original = self.ledger.browse()
        if is_refund:
            original = self._find_original()
        # Money goes back the way it came, whichever QFPay method the refund was entered with.
        provider = original.provider or method._qfpay_provider()
        channel = original.channel or method._qfpay_channel()
        route = self._route(provider, original)
        self._check_currency(provider, channel)
        amount_minor = self._amount()
        self._check_room(attempts, amount_minor)
        if is_refund:
            self._check_can_give_back(original, -amount_minor)
        if provider == 'openapi' and not is_refund and auth_code is not None:
            auth_code = self._check_auth_code(channel, auth_code)
        # The database's clock: what several servers compare is compared by it.
        requested_at = self.env.cr.now()
        return {
            'reference': f'{payment.uuid}-{number}',
            'kind': 'refund' if is_refund else 'payment',
            'provider': provider,
            'channel': channel,
            'auth_code': auth_code or None,
            'payment_method_id': method.id,
            **route,
            'config_id': config.id,
            'session_id': payment.session_id.id,
            'company_id': payment.company_id.id,
            'order_uuid': payment.pos_order_id.uuid,
            'order_attempt': len(attempts) + 1,
            'payment_uuid': payment.uuid,
            'pos_payment_id': payment.id,
            'original_id': original.id,
            'refund_number': len(original.refund_ids) + 1 if original else 0,
            'amount_minor': abs(amount_minor),
            'currency_id': config.currency_id.id,  # before the amount, which would ask for it
            'amount': amount,
            'requested_at': requested_at,
            'expires_at': self._expires_at(route, channel, requested_at),
        }

    def _route(self, provider, original):
        """By which terminal or account the money moves, ready to be spoken to."""
        if provider == 'ecr':
            terminal = self._terminal()
            self._check_is_free(terminal)
            return {'terminal_id': terminal.id, 'link_id': terminal.link_id.id}
        account = original.account_id or self.method.qfpay_account_id
        if provider != 'openapi' or not account:
            raise StartRefused(
                'config',
                self.env._(
                    'Payment method "%(method)s" is not set up for QFPay. Ask a manager, or take '
                    'another payment method.',
                    method=self.method.name,
                ),
            )
        if not account.active and not original:
            raise StartRefused(
                'config',
                self.env._(
                    'QFPay account "%(account)s" is not in use any more. Take another payment '
                    'method, and ask a manager to choose another account for "%(method)s".',
                    account=account.name,
                    method=self.method.name,
                ),
            )
        if not account._is_set_up():
            raise StartRefused('config', account._explain_not_set_up())
        if not original:
            self._check_till_has_room()
        return {'account_id': account.id, 'link_id': account.link_id.id}

    def _terminal(self):
        terminal = self.config.qfpay_terminal_id
        if not terminal:
            raise StartRefused(
                'config',
                self.env._(
                    '"%(till)s" has no QFPay terminal. Ask a manager to choose one in the '
                    'settings of this till, or take another payment method.',
                    till=self.config.name,
                ),
            )
        if not terminal.active:
            raise StartRefused(
                'config',
                self.env._(
                    'QFPay terminal "%(terminal)s" is not in use any more. Ask a manager to choose '
                    'another one for "%(till)s", or take another payment method.',
                    terminal=terminal.name,
                    till=self.config.name,
                ),
            )
        if not terminal._is_set_up():
            raise StartRefused('config', terminal._explain_not_set_up())
        return terminal

    def _check_currency(self, provider, channel):
        currency = self.config.currency_id
        accepted = accepted_currencies(provider, channel)
        if currency.name not in accepted:
            raise StartRefused(
                'amount',
                self.env._(
                    'This QFPay method takes %(accepted)s only, and this order is in '
                    '%(currency)s. Take another payment method.',
                    accepted=', '.join(accepted),
                    currency=currency.name,
                ),
            )
        if not fits_qfpay(currency):
            raise StartRefused(
                'amount',
                self.env._(
                    'QFPay counts %(currency)s in other steps than Odoo rounds to. Take another '
                    'payment method; an administrator has to correct the rounding of '
                    '%(currency)s.',
                    currency=currency.name,
                ),
            )

    def _check_room(self, attempts, amount_minor):
        """An order's attempts that are open or done never exceed what is due on it."""
        engaged = attempts.filtered(lambda row: row.state in ENGAGED)
        due = self.payment.pos_order_id._qfpay_due_minor(self._exponent())
        if may_be_charged(due, [row._signed_minor() for row in engaged], amount_minor):
            return
        busy = engaged.filtered(lambda row: row.state in OPEN)[:1]
        if busy:
            raise StartRefused(
                'elsewhere',
                self.env._(
                    'Nothing was asked for: a payment of this order is under way at "%(till)s" '
                    'already. Wait for its end, then look what is still due.',
                    till=busy.config_id.name,
                ),
            )
        raise StartRefused(
            'elsewhere',
            self.env._(
                'Nothing was asked for: that is more than what is still due on this order. Look at '
                'its payments, and correct the amount.'
            ),
        )

    def _check_till_has_room(self):
        under_way = self.ledger.search_count(
            [('config_id', '=', self.config.id), ('state', 'in', OPEN)], limit=MOST_UNDER_WAY
        )
        if under_way >= MOST_UNDER_WAY:
            raise StartRefused(
                'busy',
                self.env._(
                    'Nothing was asked for: %(number)s payments are under way at "%(till)s". '
                    'Cancel those whose customers have gone, then try again.',
                    number=under_way,
                    till=self.config.name,
                ),
            )

    def _exponent(self):
        """The decimals in which QFPay counts the till's currency; Odoo's may differ."""
        currency = self.config.currency_id
        return CURRENCIES.get(currency.name, currency.decimal_places)

    def _expires_at(self, route, channel, requested_at):
        """Until when a shown code can be paid: as long as QFPay honours it."""
        if 'account_id' not in route or PAY_TYPES[channel].mode is not Mode.MPM:
            return False
        account = self.env['qfpay.account'].browse(route['account_id'])
        return requested_at + account._life_of_code(channel)

    def _check_auth_code(self, channel, auth_code):
        """The customer's code, if it is one that this method can charge; '' for shown codes."""
        if PAY_TYPES[channel].mode is not Mode.CPM:
            return ''
        auth_code = ''.join(auth_code.split())
        try:
            pay_type_for(auth_code, (channel,))
        except InvalidRequest:
            raise StartRefused(
                'code',
                self.env._(
                    'This is not a payment code that this method can charge. Ask the customer to '
                    'show the payment code of the wallet, and scan it again.'
                ),
            ) from None
        return auth_code

    def _amount(self):
        """The amount of the line in minor units; negative for a refund."""
        amount = self.payment.amount
        try:
            amount_minor = to_minor(amount, self._exponent())
        except InvalidRequest:
            amount_minor = 0
        if not amount_minor:
            raise StartRefused(
                'amount',
                self.env._(
                    'QFPay cannot take the amount %(amount)s. Enter an amount above zero.',
                    amount=amount,
                ),
            )
        return amount_minor

    def _find_original(self):
        """The payment that this refund gives back.

        :return: the row of the payment, with enough left to give back
        :raise StartRefused: there is none
        """
        payment = self.payment
        paid = self.ledger.search(
            [
                ('company_id', '=', payment.company_id.id),
                ('pos_payment_id', 'in', payment.pos_order_id.refunded_order_id.payment_ids.ids),
                ('kind', '=', 'payment'),
                ('state', '=', DONE),
                ('syssn', '!=', False),
            ]
        )
        if not paid:
            raise StartRefused(
                'refund',
                self.env._(
                    'QFPay has no payment of this order that could be given back. Refund it with '
                    'the method it was paid with, or in cash.'
                ),
            )
        self._check_no_refund_under_way(paid)
        amount_minor = -self._amount()
        left = paid.filtered(lambda row: row._refundable_minor() >= amount_minor)
        if not left:
            most = max(paid, key=lambda row: row._refundable_minor())
            raise StartRefused(
                'refund',
                self.env._(
                    'More than is left: at most %(amount)s can be given back through QFPay.',
                    amount=payment.currency_id.format(most._in_major(most._refundable_minor())),
                ),
            )
        # The whole of one payment first: with a split order the amounts tell them apart.
        return left.sorted(
            lambda row: (
                row._refundable_minor() != amount_minor,
                row.payment_method_id != payment.payment_method_id,
                row.id,
            )
        )[0]

    def _check_can_give_back(self, original, amount_minor):
        """Refuse what QFPay cannot do for this payment (the protocol, A12.4, B12 and E1).

        :raise StartRefused: nothing was started
        """
        channel = original._channel_facts()
        label = original.payment_method_id._qfpay_channel_label(original.channel)
        if not is_given_back(original):
            raise StartRefused(
                'refund',
                self.env._(
                    '%(channel)s payments cannot be given back through QFPay. Refund in cash.',
                    channel=label,
                ),
            )
        if is_too_late(original):
            raise StartRefused(
                'refund',
                self.env._(
                    'QFPay gives %(channel)s payments back for %(days)s days, this one until '
                    '%(date)s. Refund in cash, or contact QFPay through its merchant portal.',
                    channel=original.wallet or label,
                    days=days_to_refund(original),
                    date=format_date(self.env, last_day(original)),
                ),
            )
        if original.provider == 'ecr' and channel.card and original.amount_minor != amount_minor:
            raise StartRefused(
                'refund',
                self.env._(
                    'A card payment can only be given back as a whole on the terminal: '
                    '%(amount)s. For a part of it use the QFPay merchant portal.',
                    amount=original.currency_id.format(original.amount),
                ),
            )

    def _check_no_refund_under_way(self, paid):
        """What is left of a payment is known again when its refund has ended."""
        busy = paid.refund_ids.filtered(lambda row: row.state in OPEN)[:1]
        if busy:
            raise StartRefused(
                'busy',
                self.env._(
                    'This order is being given back at "%(till)s" already. Wait until that is '
                    'finished, then look what is left.',
                    till=busy.config_id.name,
                ),
            )

    def _check_is_free(self, terminal):
        """Say who is in the way; that nobody is in the end, the unique indexes make sure of."""
        busy = self.ledger._open_by('terminal_id', terminal)
        if not busy:
            return
        raise StartRefused(
            'busy',
            self.env._(
                'Terminal "%(terminal)s" is busy with a payment at "%(till)s". Wait until it is '
                'finished there, then try again.',
                terminal=terminal.name,
                till=busy.config_id.name,
            ),
        )
