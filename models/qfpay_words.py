"""What a cashier reads about a payment or refund through QFPay's OpenAPI.

One sentence for each return code that asks for something special, one for each action else (the
protocol, B15). A sentence says what happened to the money and what to do next.
"""

from ..qfpay.openapi.catalogue import Action, return_code


def explain_end(env, code, kind, said=''):
    """Why no money moved, and what to do next.

    :param env: whose language is spoken
    :param str code: QFPay's return code, or the courier's own
    :param str kind: 'payment' or 'refund'
    :param str said: QFPay's own words, shown where the code is not enough
    """
    own = _own_codes(env)
    if code in own:
        return own[code]
    if kind == 'refund':
        return _refund_codes(env).get(code) or _refund_action(env, code, said)
    return _payment_codes(env).get(code) or _payment_action(env, code, said)


def _own_codes(env):
    return {
        'unreachable': env._(
            'QFPay cannot be reached; no money moved. Check the internet connection, then try '
            'again or take another payment method.'
        ),
        'not_sent': env._('Nothing was sent to QFPay; no money moved. Try again.'),
        'rate_limited': env._(
            'QFPay takes no more requests this minute; no money moved. Try again in a minute.'
        ),
    }


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
        '1263': env._('The payment was called off; no money was taken.'),
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
        '1265': env._(
            'QFPay gives nothing back between 23:30 and 00:30, nor for promotions. Try again '
            'after 00:30, or use the QFPay merchant portal.'
        ),
        '1269': env._(
            "QFPay pays refunds out of today's takings, and they are too small for this one yet. "
            'Try again later today, or refund in cash.'
        ),
        '1270': whole,
        '1271': whole,
        '1272': gone,
        '1125': gone,
        '1262': gone,
        '1142': nothing,
        '1181': nothing,
        '1261': nothing,
        '1263': nothing,
        '1264': nothing,
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
