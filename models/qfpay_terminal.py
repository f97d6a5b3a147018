"""A QFPay terminal: where it is, its POS-KEY, and what it is asked."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..cashier.messages import explain_terminal_code
from ..courier.carrying import AtTerminal
from ..ledger.testimony import About
from ..qfpay.ecr.cipher import PosKey
from ..qfpay.ecr.link_http import HttpLink
from ..qfpay.ecr.message import (
    CHANNELS,
    DEFAULT_TIMEOUT,
    CancelRequest,
    Inquiry,
    Payment,
    Refund,
)
from ..qfpay.errors import AnswerLost, InvalidRequest, NotSent
from .notice import notice

# How long after the customer's time is over a terminal may still be busy with the payment.
GRACE = 60

# These have no card reader: they take what the customer pays with a QR code (the protocol, A1).
QR_ONLY_MODELS = ('pax_a920',)


class QFPayTerminal(models.Model):
    _name = 'qfpay.terminal'
    _inherit = 'qfpay.credentials.mixin'
    _description = 'QFPay Terminal'
    _order = 'name, id'
    _check_company_auto = True
    _qfpay_key = 'pos_key'
    _qfpay_copied = ('host', 'pos_key')
    _qfpay_own = ('link_id', 'sealed')
    _qfpay_named_by = (('pos.config', 'qfpay_terminal_id'), ('qfpay.transaction', 'terminal_id'))

    name = fields.Char(required=True, help='What the cashiers call it, for instance "Counter 1".')
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name='res.company', required=True, default=lambda self: self.env.company
    )
    model = fields.Selection(
        selection=[('landi_a8', 'LANDI A8 / A8S'), ('pax_a920', 'PAX A920')],
        string='Terminal Model',
        default='landi_a8',
        required=True,
        help='A PAX A920 takes QR wallets only, no cards and no Octopus.',
    )
    host = fields.Char(
        string='Address',
        copy=False,
        help='IP address or name of the terminal in the shop network. Reserve the address in the '
        'router, so that the terminal keeps it.',
    )
    port = fields.Integer(default=9001, required=True, help='9001 unless QFPay told you otherwise.')
    pos_key = fields.Char(
        string='POS-KEY',
        copy=False,
        groups='point_of_sale.group_pos_manager',
        help='In the Haojin app on the terminal: My, Settings, POS-Key. 16, 24 or 32 characters.',
    )
    timeout = fields.Integer(
        string='Waiting Time (s)',
        default=120,
        required=True,
        help='How long the terminal waits for the customer.',
    )
    config_ids = fields.One2many(
        comodel_name='pos.config',
        inverse_name='qfpay_terminal_id',
        string='Tills',
        check_company=True,
        domain="[('company_id', '=', company_id)]",
        help='The tills that take payments on this terminal, one after the other.',
    )
    sealed = fields.Boolean(
        string='Encrypts Answers',
        readonly=True,
        copy=False,
        help='This terminal was seen to encrypt. From then on an answer in the clear, which '
        'anybody in the network could give, does not count as a payment.',
    )
    setup_hint = fields.Text(string='Still Missing', compute='_compute_setup_hint')

    _one_address = models.UniqueIndex(
        '(host, port) WHERE active',
        'Another QFPay terminal has this address and port already.',
    )

    def write(self, vals):
        if 'host' in vals or 'port' in vals or vals.get('active') is False:
            self._check_nothing_open()
        result = super().write(vals)
        if 'host' in vals or 'pos_key' in vals:
            # Another device, or another setting of it: what it does is learned again.
            self.sudo().filtered('sealed').sealed = False
        return result

    def _check_nothing_open(self):
        """Another device at a new address would not know an open payment, and deny it."""
        open_row = self.env['qfpay.transaction'].sudo()._open_by('terminal_id', self)
        if open_row:
            raise UserError(
                self.env._(
                    'A payment is under way on "%(terminal)s", and only the terminal at this '
                    'address knows what becomes of it. Wait for its end, or decide it under QFPay '
                    'Transactions, then change the address.',
                    terminal=open_row.terminal_id.name,
                )
            )

    @api.constrains('timeout')
    def _check_timeout(self):
        if any(not 30 <= terminal.timeout <= 600 for terminal in self):
            raise ValidationError(
                self.env._(
                    'The waiting time of a QFPay terminal must be between 30 and 600 seconds.'
                )
            )

    @api.constrains('host', 'port', 'pos_key')
    def _check_can_be_spoken_to(self):
        for terminal in self.sudo():
            try:
                if terminal.host:
                    HttpLink(terminal.host, terminal.port)
                if terminal.pos_key:
                    PosKey(terminal.pos_key)
            except InvalidRequest as error:
                raise ValidationError(terminal._explain_invalid(error)) from None

    def _explain_invalid(self, error):
        """The sentence for a setting that the library refused.

        :param InvalidRequest error: its `field` names what is wrong
        :return: a translated sentence that says what to enter instead
        """
        self.ensure_one()
        sentences = {
            'host': self.env._(
                '"%(host)s" is not the address of a terminal. Enter its IP address or name only, '
                'for instance 192.168.1.50.',
                host=self.host,
            ),
            'port': self.env._(
                'Port %(port)s is not possible. Terminals listen on 9001; ports go from 1 to '
                '65535.',
                port=self.port,
            ),
            'pos_key': self.env._(
                'The POS-KEY must have 16, 24 or 32 characters. Copy it again from the terminal: '
                'Haojin app, My, Settings, POS-Key.'
            ),
        }
        return sentences.get(error.field, error.message)

    @api.depends('name', 'model', 'host', 'pos_key', 'config_ids.payment_method_ids')
    def _compute_setup_hint(self):
        for terminal in self:
            hints = terminal.config_ids._explain_qfpay_gaps(terminal)
            if terminal.host and not terminal.config_ids:
                hints.append(
                    self.env._('No till uses this terminal yet: choose the till it stands at.')
                )
            terminal.setup_hint = '\n'.join(dict.fromkeys(hints))

    def _takes(self, channel):
        """Whether this model of terminal can take payments of a channel."""
        self.ensure_one()
        return self.model not in QR_ONLY_MODELS or bool(CHANNELS[channel].scan_types)

    def _explain_gaps(self, config, methods):
        """What keeps this terminal from serving payment methods of a till.

        :return: list of translated sentences for a manager, empty when it serves them all
        """
        self.ensure_one()
        if not self._is_set_up():
            return [self._explain_not_set_up()]
        refused = methods.filtered(lambda method: not self._takes(method.qfpay_ecr_channel))
        if not refused:
            return []
        return [
            self.env._(
                '"%(terminal)s" is a %(model)s, which takes QR wallets only. It will refuse at '
                '"%(till)s": %(methods)s.',
                terminal=self.name,
                model=dict(self._fields['model']._description_selection(self.env))[self.model],
                till=config.name,
                methods=', '.join(refused.mapped('name')),
            )
        ]

    def _is_set_up(self):
        settings = self.sudo()
        return bool(settings.host and settings.pos_key)

    def _explain_not_set_up(self):
        return self.env._(
            'QFPay terminal "%(terminal)s" is not set up: a manager has to enter its address and '
            'POS-KEY under Point of Sale, Configuration, QFPay Terminals.',
            terminal=self.name,
        )

    def _http(self):
        """The way to the terminal.

        :return: qfpay.ecr.link_http.HttpLink
        :raise UserError: address or POS-KEY are not set
        """
        self.ensure_one()
        if not self._is_set_up():
            raise UserError(self._explain_not_set_up())
        return HttpLink(self.sudo().host, self.port)

    def _key(self):
        """What is shared with the terminal: qfpay.ecr.cipher.PosKey."""
        return PosKey(self.sudo().pos_key)

    def _command(self, attempt, about):
        """What the terminal is asked about an attempt.

        :param ledger.testimony.Attempt attempt:
        :param ledger.testimony.About about: the payment or refund itself, or a question
        :return: a qfpay.ecr.message.Command; None when there is nothing to ask about
        :raise InvalidRequest: something of it cannot be sent
        """
        self.ensure_one()
        if about is About.CANCEL:
            return CancelRequest()
        if about is About.NUMBER:
            return Inquiry(reference=attempt.reference)
        if about is About.ORIGINAL:
            return Inquiry(syssn=attempt.original_syssn)
        if about is About.CONTROL:
            known = self._certainly_known(attempt)
            return Inquiry(syssn=known.syssn) if known else None
        if attempt.is_refund:
            return Refund(syssn=attempt.original_syssn, amount_minor=attempt.amount_minor)
        return Payment(
            amount_minor=attempt.amount_minor,
            channel=attempt.channel,
            reference=attempt.reference,
            timeout=self.timeout,
        )

    def _certainly_known(self, attempt):
        """The newest other payment that was made on this terminal: it must find that one."""
        return self.env['qfpay.transaction'].search_fetch(
            [
                ('terminal_id', '=', self.id),
                ('kind', '=', 'payment'),
                ('state', '=', 'done'),
                ('syssn', '!=', False),
                ('reference', '!=', attempt.reference),
            ],
            ['syssn'],
            limit=1,
        )

    def _patience(self, attempt):
        """Seconds after which the terminal cannot be busy any more with what is sent now."""
        seconds = self.timeout
        if attempt.is_refund:
            # the terminal cannot be told how long to wait with a refund
            seconds = max(seconds, DEFAULT_TIMEOUT)
        return seconds + GRACE

    def action_test(self):
        """Ask the terminal about a payment that does not exist, and say what the answer tells.

        Moves no money, wakes nobody; works while a session is open.
        """
        self.ensure_one()
        self.check_access('write')
        inquiry = Inquiry(reference=f'TEST-{self.id}')
        try:
            asked = AtTerminal(link=self._http(), key=self._key(), command=inquiry)
            outcome = asked.carry(lambda: None, lambda: None)
        except NotSent:
            return notice(
                'danger',
                self.env._(
                    'Nobody answers at %(host)s, port %(port)s. Is the terminal on, is its Haojin '
                    'app open, and can the Odoo server reach the network it is in?',
                    host=self.host,
                    port=self.port,
                ),
            )
        except AnswerLost:
            return notice(
                'danger',
                self.env._(
                    'Something answers at %(host)s, but not as a terminal with this POS-KEY would. '
                    'Check the address, copy the POS-KEY again from the terminal, and see that '
                    'HTTPS is off for it in the QFPay portal.',
                    host=self.host,
                ),
            )
        if outcome.code not in ('6000', '6002'):
            return notice('danger', explain_terminal_code(self.env, outcome.code))
        was_sealed, self.sudo().sealed = self.sealed, outcome.signed
        if was_sealed and not outcome.signed:
            return notice(
                'warning',
                self.env._(
                    '"%(terminal)s" answers, but no longer encrypts: somebody has switched it off '
                    'in the QFPay portal, or another device stands at this address. Its answers '
                    'count again from now on.',
                    terminal=self.name,
                ),
            )
        return notice(
            'success', self.env._('"%(terminal)s" answers. All is well.', terminal=self.name)
        )
