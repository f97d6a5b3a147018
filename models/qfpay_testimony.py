"""What was said about an attempt to move money, word by word, as it was heard.

Rows are added and stay as they are; only a word that repeats the one before it is counted instead
of written again. They are the ledger's memory: the state of a `qfpay.transaction` is judged from
them, and support reads them as a conversation.
"""

from dataclasses import fields as fields_of
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..ledger.clock import Moment
from ..ledger.testimony import About, Fact, Testimony, Witness
from ..qfpay.outcome import Outcome, Verdict

COLUMNS = (
    'id',
    'at',
    'boot',
    'tick',
    'again_at',
    'again_tick',
    'times',
    'witness',
    'about',
    'fact',
    'reason',
    'detail',
    'patience',
    'claim',
    'seals',
    'taken',
    'asked_tick',
    'superseded',
    'returned_minor',
    'outcome',
)
# Kept in a column of its own, for people.
_NOT_KEPT = ('heard',)
_TIMES = ('traded_at', 'stated_at')


class QFPayTestimony(models.Model):
    _name = 'qfpay.testimony'
    _description = 'QFPay Testimony'
    _order = 'id'
    _log_access = False

    transaction_id = fields.Many2one(
        'qfpay.transaction', required=True, readonly=True, index=True, ondelete='cascade'
    )
    at = fields.Datetime(string='When', required=True, readonly=True)
    again_at = fields.Datetime(string='Heard Again', readonly=True)
    times = fields.Integer(required=True, readonly=True, default=1, aggregator=None)
    boot = fields.Char(readonly=True)
    tick = fields.Float(readonly=True, aggregator=None)
    again_tick = fields.Float(readonly=True, aggregator=None)
    carrier = fields.Char(readonly=True, help='The process that heard it.')
    witness = fields.Selection(
        selection=[
            ('answer', 'QFPay, answering'),
            ('inquiry', 'QFPay, asked'),
            ('notification', 'QFPay, by itself'),
            ('page', "QFPay, through a till's page"),
            ('manager', 'Manager'),
            ('cashier', 'Cashier'),
            ('server', 'This server'),
        ],
        string='Who',
        required=True,
        readonly=True,
    )
    about = fields.Selection(
        selection=[
            ('request', 'The request itself'),
            ('number', 'What became of it'),
            ('list', 'What became of it, among others'),
            ('original', 'What is left of the payment'),
            ('control', 'Whether another payment is found'),
            ('cancel', 'The wish to cancel'),
            ('nothing', '–'),
        ],
        required=True,
        readonly=True,
    )
    fact = fields.Selection(
        selection=[
            ('sent', 'The request leaves'),
            ('never_left', 'Nothing left this server'),
            ('answer_lost', 'The answer was lost'),
            ('taken_over', 'The process that had sent it is gone'),
            ('unanswered', 'No answer'),
            ('no_control', 'There is no other payment to ask about'),
            ('wrong_way', 'Cannot be cancelled this way'),
            ('cancel_wanted', 'Shall be cancelled'),
            ('done', 'The money moved'),
            ('failed', 'No money moved'),
            ('looked_at', 'Has looked at it'),
            ('strange', 'Does not fit together'),
            ('rewritten', 'The database had lost it'),
            ('given_up', 'Asked for a day in vain'),
            ('upgraded', 'Believed by an earlier version'),
        ],
        readonly=True,
    )
    reason = fields.Char(readonly=True, help="The server's own word for why.")
    detail = fields.Char(readonly=True)
    patience = fields.Float(readonly=True, aggregator=None)
    claim = fields.Integer(readonly=True, aggregator=None)
    seals = fields.Boolean(readonly=True)
    taken = fields.Boolean(readonly=True)
    asked_tick = fields.Float(readonly=True, aggregator=None)
    superseded = fields.Boolean(readonly=True)
    returned_minor = fields.Integer(readonly=True, aggregator=None)
    outcome = fields.Json(readonly=True)
    asked = fields.Text(string='Question', readonly=True, help='Without what is secret in it.')
    heard = fields.Text(string='Answer', readonly=True, help='Without what is secret in it.')
    user_id = fields.Many2one('res.users', readonly=True, ondelete='set null')
    says = fields.Char(compute='_compute_says')

    @api.depends('outcome', 'fact', 'reason', 'detail')
    def _compute_says(self):
        facts = dict(self._fields['fact']._description_selection(self.env))
        verdicts = {
            Verdict.DONE: self.env._('Done'),
            Verdict.FAILED: self.env._('Failed'),
            Verdict.CANCELLED: self.env._('Cancelled'),
            Verdict.PENDING: self.env._('Under way'),
            Verdict.UNKNOWN: self.env._('Says nothing about it'),
            Verdict.NOT_FOUND: self.env._('Not found'),
        }
        for word in self:
            if word.outcome:
                said = word.outcome
                codes = '/'.join(filter(None, (said.get('code'), said.get('inner_code'))))
                parts = [verdicts[Verdict(said['verdict'])], codes, said.get('message')]
            else:
                parts = [facts.get(word.fact), word.reason, word.detail]
            word.says = ' · '.join(filter(None, parts))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._('What was said about a payment cannot be changed.'))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._('What was said about a payment cannot be removed.'))

    @api.model
    def _insertion(self, transaction_id, testimony, **more):
        """The statement that writes one word down, for whoever writes what follows from it.

        :param ledger.testimony.Testimony testimony: what was said
        :param more: 'carrier', 'asked', 'heard', 'user_id'
        :return: odoo.tools.SQL
        """
        values = {
            'transaction_id': transaction_id,
            'at': testimony.at.at,
            'boot': testimony.at.boot,
            'tick': testimony.at.tick,
            'times': testimony.times,
            'witness': testimony.witness.value,
            'about': testimony.about.value,
            'fact': testimony.fact.value if testimony.fact else None,
            'reason': testimony.reason or None,
            'detail': testimony.detail or None,
            'patience': testimony.patience,
            'claim': testimony.claim,
            'seals': testimony.seals,
            'taken': testimony.taken,
            'asked_tick': testimony.asked_at.tick if testimony.asked_at else None,
            'superseded': testimony.superseded,
            'returned_minor': testimony.returned_minor,
            'outcome': fields.Json.convert_to_column(
                self._fields['outcome'], outcome_to_json(testimony.outcome), self
            ),
            **{name: value or None for name, value in more.items()},
        }
        return SQL(
            'INSERT INTO qfpay_testimony (%s) VALUES (%s)',
            SQL(', ').join(map(SQL.identifier, values)),
            SQL(', ').join(values.values()),
        )

    @api.model
    def _count(self, transaction_ids, at, tick):
        """The last words about these transactions were heard again, just now."""
        self.env.cr.execute(
            """
            UPDATE qfpay_testimony
               SET times = times + 1, again_at = %s, again_tick = %s
             WHERE id IN (SELECT MAX(id) FROM qfpay_testimony
                           WHERE transaction_id IN %s GROUP BY transaction_id)
            """,
            (at, tick, tuple(transaction_ids)),
        )


def from_row(values):
    """The testimony that a row holds.

    :param values: in the order of COLUMNS
    """
    row = dict(zip(COLUMNS, values, strict=True))
    at = Moment(row['at'], row['boot'] or '', row['tick'] or 0.0)
    boot, asked_tick = at.boot, row['asked_tick']
    return Testimony(
        at=at,
        asked_at=None if asked_tick is None else at.plus(asked_tick - at.tick),
        again=row['again_at'] and Moment(row['again_at'], boot, row['again_tick'] or 0.0),
        times=row['times'],
        witness=Witness(row['witness']),
        about=About(row['about']),
        fact=Fact(row['fact']) if row['fact'] else None,
        reason=row['reason'] or '',
        detail=row['detail'] or '',
        patience=row['patience'] or 0.0,
        claim=row['claim'] or 0,
        seals=bool(row['seals']),
        taken=bool(row['taken']),
        superseded=bool(row['superseded']),
        returned_minor=row['returned_minor'] or 0,
        outcome=outcome_from_json(row['outcome']),
    )


def outcome_to_json(outcome):
    """What QFPay said, as the database keeps it: only what it really said."""
    if outcome is None:
        return None
    kept = {'verdict': outcome.verdict.value}
    for field in fields_of(Outcome):
        value = getattr(outcome, field.name)
        if field.name == 'verdict' or field.name in _NOT_KEPT or value == field.default:
            continue
        kept[field.name] = value.isoformat() if isinstance(value, datetime) else value
    return kept


def outcome_from_json(kept):
    if not kept:
        return None
    values = dict(kept, verdict=Verdict(kept['verdict']))
    for name in _TIMES:
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name])
    if 'also_paid' in values:
        values['also_paid'] = tuple(values['also_paid'])
    return Outcome(**values)
