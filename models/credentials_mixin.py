from odoo import api, models
from odoo.exceptions import UserError, ValidationError


class QFPayCredentialsMixin(models.AbstractModel):
    """Settings among which is a secret of the shop.

    When the database refuses a statement, Odoo logs it with its values, and PostgreSQL quotes the
    whole row. So whatever it could refuse is checked before, and the secret travels alone.
    """

    _name = 'qfpay.credentials.mixin'
    _description = 'QFPay Credentials'

    # The secret's field, and those that are copied from elsewhere, often with blanks around.
    _qfpay_key = ''
    _qfpay_copied = ()
    # Who names such a record: pairs of a model and its field.
    _qfpay_named_by = ()

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._qfpay_cleaned(vals) for vals in vals_list]
        secrets = [vals.pop(self._qfpay_key, False) for vals in vals_list]
        records = super().create(vals_list)
        for record, secret in zip(records, secrets, strict=True):
            if secret:
                record.write({self._qfpay_key: secret})
        return records

    def write(self, vals):
        vals = self._qfpay_cleaned(vals)
        if self._qfpay_key in vals and len(vals) > 1:
            secret = {self._qfpay_key: vals.pop(self._qfpay_key)}
            super().write(vals)
            self.flush_recordset()
            return super().write(secret)
        return super().write(vals)

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
