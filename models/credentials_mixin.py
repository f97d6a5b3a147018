from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL


class QFPayCredentialsMixin(models.AbstractModel):
    """Settings among which is a secret of the shop.

    When the database refuses a statement, Odoo logs it with its values, and PostgreSQL quotes the
    whole row. So whatever it could refuse is checked before, and the secret travels alone.
    """

    _name = 'qfpay.credentials.mixin'
    _description = 'QFPay Credentials'

    link_id = fields.Many2one('qfpay.link', readonly=True, copy=False, ondelete='restrict')

    # The secret's field, and those that are copied from elsewhere, often with blanks around.
    _qfpay_key = ''
    _qfpay_copied = ()
    # What the addon itself learns or makes is for nobody to set, by no way.
    _qfpay_own = ('link_id',)
    # Who names such a record: pairs of a model and its field.
    _qfpay_named_by = ()

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._qfpay_cleaned(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_not_by_hand(vals)
        self._check_not_by_hand(
            name.removeprefix('default_') for name in self.env.context if name[:8] == 'default_'
        )
        secrets = [vals.pop(self._qfpay_key, False) for vals in vals_list]
        links = self.env['qfpay.link'].sudo().create([{} for _vals in vals_list])
        records = super().create(
            [dict(vals, link_id=link.id) for vals, link in zip(vals_list, links, strict=True)]
        )
        for record, secret in zip(records, secrets, strict=True):
            if secret:
                record._qfpay_write_secret(secret)
        return records

    def write(self, vals):
        vals = self._qfpay_cleaned(vals)
        self._check_not_by_hand(vals)
        if self._qfpay_key not in vals:
            return super().write(vals)
        secret = vals.pop(self._qfpay_key)
        # Without a value: access, company and what else stands in the way are checked as for any.
        result = super().write(vals)
        self.check_access('write')
        self._check_field_access(self._fields[self._qfpay_key], 'write')
        self._qfpay_write_secret(secret)
        return result

    def _qfpay_write_secret(self, secret):
        """Past everything that logs a statement with its values, should the database refuse it."""
        field = self._fields[self._qfpay_key]
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                'UPDATE %s SET %s = %s WHERE id IN %s',
                SQL.identifier(self._table),
                SQL.identifier(field.name),
                secret or None,
                tuple(self.ids),
            ),
            log_exceptions=False,
        )
        self.invalidate_recordset([field.name], flush=False)
        self.modified([field.name])
        self._validate_fields([field.name])

    def _check_not_by_hand(self, names):
        if not self.env.su and not set(self._qfpay_own).isdisjoint(names):
            raise AccessError(self.env._('This is learned from QFPay, and nobody writes it.'))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_named(self):
        # The database would refuse it, too, but not in a shop manager's words.
        for model, field in self._qfpay_named_by:
            everything = self.env[model].sudo().with_context(active_test=False)
            found = everything.search([(field, 'in', self.ids)], limit=1)
            if found:
                raise UserError(
                    self.env._(
                        '"%(name)s" cannot be deleted: a till, a payment method or a transaction '
                        'needs it. Archive it instead.',
                        name=found[field].display_name,
                    )
                )

    @api.model
    def _qfpay_cleaned(self, vals):
        cleaned = dict(vals)
        for name in self._qfpay_copied:
            if name in cleaned:
                cleaned[name] = (cleaned[name] or '').strip() or False
        for name, value in cleaned.items():
            field = self._fields.get(name)
            if field and field.required and (value is False or value in (None, '')):
                label = field._description_string(self.env)
                raise ValidationError(self.env._('"%(field)s" is missing.', field=label))
        return cleaned
