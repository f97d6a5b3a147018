"""Each sentence that somebody in the shop reads about a payment: what happened, what to do next.

For each end of a terminal's payment a sentence (the protocol, A8). For the OpenAPI one for each
return code that asks for something special, one for each action else (the protocol, B15). For what
this server knows by itself one for each of its own reasons. For managers one for each alarm.
"""

from ..ledger.states import CANCELLED, DONE, OPEN, PENDING, REVERSED, UNKNOWN
from ..qfpay.openapi.catalogue import (
    PAY_TYPES,
    RETURN_CODES,
    Action,
    Mode,
    RefundRefusal,
    meant_code,
    refund_refusal,
    return_code,
)


def explain(row):
    """What is happening to the money of a row, or went wrong with it, and what to do next.

    :param row: the `qfpay.transaction`, in the cashier's language
    :return: a sentence; empty when all is well
    """
    env = row.env
    if row.state == DONE:
        return ''
    if row.state == REVERSED:
        return env._(
            'QFPay took this payment back after it was done: the shop does not have the money. '
            'Collect it again, and call a manager.'
        )
    if row.state == UNKNOWN and not row._is_cancelling():
        if row.reason == 'in_the_clear':
            return env._(
                'The terminal answered without encryption, so its answer proves nothing; asking '
                'QFPay what became of the money. Do not charge again. A manager has to test the '
                'terminal (Test Connection).'
            )
        return env._(
            'The answer was lost; asking QFPay what became of the money. Do not charge again.'
        )
    return _explain_at_gateway(row) if row.account_id else _explain_at_terminal(row)


def _explain_at_terminal(row):
    env = row.env
    terminal = row.sudo().terminal_id.name
    is_open = row.state in OPEN
    if row._is_cancelling():
        return env._('Cancelling on "%(terminal)s"…', terminal=terminal)
    if is_open and row.cancel_requested_at and row.cancel_refused:
        return env._(
            'The terminal did not cancel: the customer may be paying this moment. Wait for '
            'the result.'
        )
    if is_open and row.kind == 'refund':
        return env._('Giving the money back on "%(terminal)s"…', terminal=terminal)
    if is_open:
        return env._('Waiting for the customer at "%(terminal)s"…', terminal=terminal)
    if row.state == CANCELLED:
        return env._('Cancelled. No money moved.')
    own = {
        **_own_reasons(env),
        'unreachable': env._(
            'The terminal cannot be reached; no money moved. Check that it is on and in '
            'the network, then try again.'
        ),
        'nothing_known': env._(
            'Nothing was given back: the terminal does not find the payment that is to be given '
            'back. Try again, or use the QFPay merchant portal.'
        ),
    }
    if row.reason in own:
        return own[row.reason]
    if row.kind == 'refund' and row.respcd in RETURN_CODES:
        # the terminal hands on what the gateway said
        return explain_gateway_code(env, row.respcd, row.kind, row.message or '')
    return explain_terminal_code(env, row.respcd, row.message)


def _explain_at_gateway(row):
    env = row.env
    is_open = row.state in OPEN
    is_shown = PAY_TYPES[row.channel].mode is Mode.MPM
    if row._is_cancelling():
        return env._('Cancelling at QFPay…')
    if is_open and row.kind == 'refund':
        return env._('Giving the money back…')
    if is_open and row.cancel_requested_at and row.cancel_refused:
        return env._(
            'This payment cannot be cancelled. Wait until the customer has paid or the code '
            'has run out.'
        )
    if is_open and is_shown:
        return env._('Waiting for the customer to scan the code…')
    if row.state == PENDING:
        return env._('The customer is entering the password…')
    if is_open:
        return env._('Waiting for QFPay…')
    if row.state == CANCELLED and (row.cancel_requested_at or not row.respcd):
        return env._('Cancelled. No money moved.')
    own = {
        **_own_reasons(env),
        'unreachable': env._(
            'QFPay cannot be reached; no money moved. Check the internet connection, then try '
            'again or take another payment method.'
        ),
        'tls': env._(
            "The connection to QFPay is not safe: the certificate is not QFPay's, or the clock of "
            'the Odoo server is wrong. No money moved. Take another payment method; an '
            'administrator has to look at the server.'
        ),
    }
    return own.get(row.reason) or explain_gateway_code(
        env, row.respcd or '', row.kind, row.message or ''
    )


def _own_reasons(env):
    """What this server knows by itself: nothing has left it."""
    never_sent = env._('The payment was never sent; no money moved. Try again.')
    return {
        'stale': never_sent,
        'too_late': never_sent,
        'invalid': env._(
            'This payment cannot be sent to QFPay; no money moved. Take another payment method and '
            'tell a manager.'
        ),
        'rate_limited': env._(
            'QFPay takes no more requests this minute; no money moved. Try again in a minute.'
        ),
    }


def alarm_sentence(row, what, heard='', expected=''):
    """Why a manager must look at a row.

    :param row: the `qfpay.transaction`, in the manager's language
    :param str what: the alarm, see `ledger.rules.Alarm` and `ledger.line.strange`
    :param str heard: what was heard, or the number of the other one
    :param str expected: what was asked for
    """
    env = row.env
    names = {'heard': _in_words(row, heard), 'expected': _in_words(row, expected)}
    is_refund = row.kind == 'refund'
    sentences = {
        'contradiction': env._(
            'QFPay speaks of %(heard)s, but %(expected)s was asked for. Compare with the '
            'QFPay merchant portal.',
            **names,
        ),
        'same_number': env._(
            "QFPay's number %(heard)s belongs to another transaction here. Compare with the QFPay "
            'merchant portal.',
            heard=heard,
        ),
        'paid_twice_under_one_number': env._(
            'QFPay has two payments under this one number of ours: %(heard)s is paid, too. Give '
            'one of the two back in the QFPay merchant portal.',
            heard=heard,
        ),
        'done_after_all': env._(
            'QFPay says that the money was given back, after it had said that it was not. '
            'Check that it is not given back twice.'
        )
        if is_refund
        else env._(
            'QFPay says that the money moved, after it had said that it did not. Check '
            'that the customer has not paid twice.'
        ),
        'manager_contradicted': env._(
            'QFPay contradicts what a manager had decided. Compare with the QFPay merchant portal.'
        ),
        'denied_after_done': env._(
            'QFPay says that no money moved, after it was known as done. Compare with the '
            'QFPay merchant portal.'
        ),
        'reversed': env._(
            'QFPay took this payment back after it was done, and no refund of ours did. Collect '
            'the money from the customer, or correct the order.'
        ),
        'row_lost': env._(
            'The database had lost this transaction while QFPay was asked about it. Check its '
            'order and payment.'
        ),
        'undecided': env._(
            'QFPay was asked for a day and did not tell what became of this. Look into the QFPay '
            'merchant portal, and decide.'
        ),
        'paid_twice': env._(
            'The customer has paid twice: %(reference)s is done, too. Give one of the two back.',
            reference=heard,
        ),
        'refunded_twice': env._(
            'The money was given back twice: %(reference)s is done, too. Ask the customer to '
            'return one of the two.',
            reference=heard,
        ),
        'line_gone': env._(
            'The money moved, but the payment line is gone. Give it back or book it.'
        ),
        'order_cancelled': env._('The money moved, but the order was cancelled. Give it back.'),
        'booked_otherwise': env._('The payment in Odoo is booked with another amount.'),
        'recorded_unpaid': env._(
            'The payment was recorded as done, but QFPay says that no money moved. Collect '
            'it from the customer, or correct the order.'
        ),
        'neutralized': env._('It was under way when this copy of the database was made.'),
    }
    return sentences.get(what) or what


def _in_words(row, text):
    """Minor units as money; a name or number of QFPay's as it is."""
    if text.lstrip('-').isdigit() and len(text) < _LONGEST_AMOUNT:
        return row.currency_id.format(row._in_major(int(text)))
    return text


_LONGEST_AMOUNT = 12


def explain_terminal_code(env, code, words=''):
    """A response code as a sentence that says what to do next (the protocol, A8).

    :param env: whose language is spoken
    :param str code: QFPay's code
    :param str words: what QFPay itself said, shown when the code is not enough
    """
    sentences = {
        '4003': env._(
            'The terminal refused: it is busy, or its POS-KEY does not fit. No money was '
            'taken. Finish what it shows, then try again; if it stays so, call a manager.'
        ),
        '4006': env._(
            'The terminal does not offer this kind of payment; no money was taken. Take '
            'another payment method.'
        ),
        '4007': env._(
            'Nobody is signed in on the terminal; no money was taken. Sign in to the Haojin '
            'app there, then try again.'
        ),
        '5001': env._(
            'The terminal cannot read our messages; no money was taken. A manager has to copy '
            'the POS-KEY again, or switch encryption on in the QFPay portal.'
        ),
    }
    if code in sentences:
        return sentences[code]
    said = words or code or ''
    if said:
        return env._(
            'The payment did not go through; no money was taken. QFPay says: %(words)s. Try '
            'again or take another payment method.',
            words=said,
        )
    return env._(
        'The payment did not go through; no money was taken. Try again or take another '
        'payment method.'
    )


def explain_gateway_code(env, code, kind, said=''):
    """Why no money moved, and what to do next.

    :param env: whose language is spoken
    :param str code: QFPay's return code
    :param str kind: 'payment' or 'refund'
    :param str said: QFPay's own words, shown where the code is not enough
    """
    code = meant_code(code, said)
    if kind == 'refund':
        told = _refund_words(env).get(refund_refusal(code, said))
        return told or _refund_codes(env).get(code) or _refund_action(env, code, said)
    return _payment_codes(env).get(code) or _payment_action(env, code, said)


def _payment_codes(env):
    bad_code = env._(
        "The customer's code is wrong, used or too old; no money was taken. Ask for a new code "
        'and scan it.'
    )
    no_money = env._(
        'There is not enough money in the wallet; nothing was taken. Ask for another wallet or '
        'payment method.'
    )
    closed = env._('The order was closed before it was paid; no money was taken. Try again.')
    limit = env._(
        'The wallet or the bank does not allow this payment; no money was taken. Take another '
        'payment method.'
    )
    return {
        '1202': bad_code,
        '2005': bad_code,
        '2006': bad_code,
        '1144': bad_code,
        '1212': env._(
            'No money was taken. Ask the customer for the UnionPay code for payments outside '
            'mainland China, and scan it.'
        ),
        '1181': env._('The code ran out before it was paid; no money was taken. Show a new one.'),
        '1142': closed,
        '1263': env._('The payment was cancelled; no money moved.'),
        '1264': closed,
        '1262': env._('QFPay gave the money of this attempt back. Try again.'),
        '1201': no_money,
        '2004': no_money,
        '2007': env._(
            'The customer closed the password screen; no money was taken. Try again with a new '
            'code.'
        ),
        '1204': env._(
            "The customer's bank has a problem; no money was taken. Take another payment method."
        ),
        **dict.fromkeys(('1113', '1114', '1115', '1116', '1117'), limit),
        **dict.fromkeys(('1119', '1120', '1121', '1122', '1123', '1130'), limit),
        **dict.fromkeys(
            ('1118', '1250', '1294'),
            env._(
                'QFPay or the bank refused this payment for its risk; no money was taken. Do not '
                'try again: take another payment method.'
            ),
        ),
        **dict.fromkeys(('1105', '1106', '1107', '1108', '1109', '2003'), _credentials(env)),
    }


def _payment_action(env, code, said):
    action = return_code(code).payment.action
    words = said or code
    if action is Action.STOP:
        return _account_trouble(env, words)
    if action is Action.BUG:
        return env._(
            'QFPay does not accept this payment (%(words)s); no money was taken. Take another '
            'payment method and tell a manager.',
            words=words,
        )
    if action is Action.OTHER:
        return env._(
            'The payment was refused (%(words)s); no money was taken. Take another payment method.',
            words=words,
        )
    if not words:
        return env._('The payment did not go through; no money was taken. Try again.')
    return env._(
        'The payment did not go through (%(words)s); no money was taken. Try again.', words=words
    )


def _refund_words(env):
    """For what only QFPay's words tell (the protocol, E3 and E7)."""
    return {
        RefundRefusal.OVER: env._(
            'Nothing was given back: the time in which QFPay gives this payment back is over. '
            'Refund in cash, or contact QFPay through its merchant portal.'
        ),
        RefundRefusal.NIGHT: env._(
            'QFPay gives nothing back between 23:30 and 00:30. Try again after 00:30.'
        ),
        RefundRefusal.UNCLEAR: env._(
            'Nothing was given back. Between 23:30 and 00:30 QFPay gives nothing back: try again '
            'after 00:30. At another time the payment used a promotion, or the time for refunds is '
            'over: use the QFPay merchant portal, or refund in cash.'
        ),
        RefundRefusal.ANOTHER: env._(
            'Nothing was given back: QFPay is still busy with another refund of this payment. Wait '
            'a few minutes, look at its refunds, then try again.'
        ),
    }


def _refund_codes(env):
    whole = env._(
        'This payment can only be given back as a whole. Refund all of it, or use the QFPay '
        'merchant portal.'
    )
    gone = env._(
        'QFPay has given this money back already, or there is less left. Look at the refunds of '
        'the payment before you try again.'
    )
    nothing = env._('This payment was never paid at QFPay: there is nothing to give back.')
    return {
        '1124': env._(
            'Nothing was given back: on its own day a card payment can only be given back as a '
            'whole. Refund all of it now, or the part of it tomorrow.'
        ),
        '1250': env._(
            'Nothing was given back: QFPay does not allow it. PayMe payments can be given back '
            'for 90 days only. Refund in cash, or contact QFPay through its merchant portal.'
        ),
        '1269': env._(
            'QFPay pays refunds out of what this payment method has taken and QFPay has not yet '
            'paid out, and that is too small for this one. Try again later today or after 11:00, '
            'when QFPay brings its figures up to date, or refund in cash.'
        ),
        '1297': env._(
            'Nothing was given back: the bank was busy, or, with Alipay, the time for refunds is '
            'over or the amount too large. Try again once; then use the QFPay merchant portal, or '
            'refund in cash.'
        ),
        '1270': whole,
        '1271': whole,
        '1272': gone,
        '1125': gone,
        '1262': gone,
        # QFPay has closed what was given back as a whole
        '1264': gone,
        '1142': nothing,
        '1181': nothing,
        '1261': nothing,
        '1263': nothing,
        '1136': _not_found(env),
        '1268': _not_found(env),
        '1150': _portal(env),
        '1155': _portal(env),
        **dict.fromkeys(('1105', '1106', '1107', '1108', '1109', '2003'), _credentials(env)),
    }


def _refund_action(env, code, said):
    action = return_code(code).refund.action
    words = said or code
    if action is Action.STOP:
        return _account_trouble(env, words)
    if not words:
        return env._('Nothing was given back. Try again later, or refund in cash.')
    return env._(
        'Nothing was given back: QFPay refused (%(words)s). Try again later, or use the QFPay '
        'merchant portal.',
        words=words,
    )


def _credentials(env):
    return env._(
        'QFPay does not accept the credentials of this shop; no money moved. Take another payment '
        'method; a manager has to check the QFPay account (Test Connection tells what is wrong).'
    )


def _account_trouble(env, words):
    return env._(
        'QFPay has a problem with the account of this shop (%(words)s); no money moved. Take '
        'another payment method; a manager has to call QFPay.',
        words=words,
    )


def _not_found(env):
    return env._(
        'QFPay does not find this payment, or it is too early to give it back. Try again in a few '
        'minutes.'
    )


def _portal(env):
    return env._(
        'QFPay refuses to give this payment back. Use the QFPay merchant portal, or refund in cash.'
    )
