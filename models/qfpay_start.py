"""How a row of the ledger begins: everything is checked before anything leaves this server."""

from ..qfpay.errors import InvalidRequest
from ..qfpay.money import to_minor
from ..qfpay.openapi.catalogue import CURRENCIES, PAY_TYPES, Mode, pay_type_for
from .qfpay_states import OPEN_STATES
from .qfpay_terminal import TERMINAL_CURRENCY


def accepted_currencies(provider, channel):
    """The currencies that a terminal's channel, or a pay type, takes.

    :return: ISO codes, in order
    """
    if provider == 'ecr':
        return (TERMINAL_CURRENCY,)
    known = PAY_TYPES.get(channel)
    return (known and known.currencies) or tuple(CURRENCIES)


class StartRefused(Exception):
    """A payment was not started; nothing has left this server.

    :param code: for the till ('busy', 'config', 'not_found', 'amount', 'code',
        'denied', 'refund')
    :param message: a translated sentence that tells the cashier what to do next
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


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
    payment.pos_order_id.fetch(['config_id', 'state', 'uuid'])
    config = payment.pos_order_id.config_id
    config.fetch(['currency_id', 'name', 'qfpay_terminal_id'])
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

    def values(self, attempt, auth_code=''):
        """The row for the line, from what the server itself knows about it.

        :param int attempt: 1 for the first attempt to pay this line
        :param str auth_code: the customer's code, if one was scanned
        :return: dict for `create`
        :raise StartRefused: something stands against it
        """
        payment, config, method = self.payment, self.config, self.method
        method.fetch(['name', 'use_payment_terminal', *method._qfpay_fields_to_start()])
        amount_minor = self._amount()
        is_refund = amount_minor < 0
        original = self._find_original(-amount_minor) if is_refund else self.ledger.browse()
        # Money goes back the way it came, whichever QFPay method the refund was entered with.
        provider = original.provider or method._qfpay_provider()
        channel = original.channel or method._qfpay_channel()
        route = self._route(provider, original)
        self._check_currency(provider, channel)
        if provider == 'openapi' and not is_refund:
            auth_code = self._check_auth_code(channel, auth_code)
        return {
            'reference': f'{payment.uuid}-{attempt}',
            'kind': 'refund' if is_refund else 'payment',
            'provider': provider,
            'channel': channel,
            'auth_code': auth_code or False,
            'payment_method_id': method.id,
            **route,
            'config_id': config.id,
            'session_id': payment.session_id.id,
            'company_id': payment.company_id.id,
            'order_uuid': payment.pos_order_id.uuid,
            'payment_uuid': payment.uuid,
            'pos_payment_id': payment.id,
            'original_id': original.id,
            'amount_minor': abs(amount_minor),
            'currency_id': config.currency_id.id,
        }

    def _route(self, provider, original):
        """By which terminal or account the money moves, ready to be spoken to."""
        if provider == 'ecr':
            terminal = self._terminal()
            self._check_is_free(terminal)
            return {'terminal_id': terminal.id}
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
        return {'account_id': account.id}

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
            amount_minor = to_minor(amount, self.config.currency_id.decimal_places)
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

    def _find_original(self, amount_minor):
        """The payment that this refund gives back.

        :param int amount_minor: what to give back, positive
        :return: the row of the payment, with enough left to give back
        :raise StartRefused: there is none, or its channel gives nothing back (the protocol, A12.4)
        """
        payment = self.payment
        paid = self.ledger.search(
            [
                ('company_id', '=', payment.company_id.id),
                ('pos_payment_id', 'in', payment.pos_order_id.refunded_order_id.payment_ids.ids),
                ('kind', '=', 'payment'),
                ('state', '=', 'done'),
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
        left = paid.filtered(lambda row: row._refundable_minor() >= amount_minor)
        if not left:
            raise StartRefused(
                'refund',
                self.env._(
                    'More than is left: at most %(amount)s can be given back through QFPay.',
                    amount=payment.currency_id.format(
                        max(row._refundable_minor() for row in paid)
                        / 10**payment.currency_id.decimal_places
                    ),
                ),
            )
        # The whole of one payment first: with a split order the amounts tell them apart.
        original = left.sorted(
            lambda row: (
                row._refundable_minor() != amount_minor,
                row.payment_method_id != payment.payment_method_id,
                row.id,
            )
        )[0]
        self._check_can_give_back(original, amount_minor)
        return original

    def _check_can_give_back(self, original, amount_minor):
        """Refuse what QFPay cannot do for this payment (the protocol, A12.4 and B12).

        :raise StartRefused: nothing was started
        """
        channel = original._channel_facts()
        if not channel.refundable:
            raise StartRefused(
                'refund',
                self.env._(
                    '%(channel)s payments cannot be given back through QFPay. Refund in cash.',
                    channel=original.payment_method_id._qfpay_channel_label(original.channel),
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
        busy = paid.refund_ids.filtered(lambda row: row.state in OPEN_STATES)[:1]
        if busy:
            busy._take_up()
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
        busy._take_up()
        raise StartRefused(
            'busy',
            self.env._(
                'Terminal "%(terminal)s" is busy with a payment at "%(till)s". Wait until it is '
                'finished there, then try again.',
                terminal=terminal.name,
                till=busy.config_id.name,
            ),
        )
