"""The shop of `common` with an OpenAPI account, and methods that show and scan codes."""

from .common import ShopCase

# Invented, as long as QFPay's.
CLIENT_KEY = '0123456789ABCDEF0123456789ABCDEF'


class OpenApiShop:
    """Mixed into a case that stands on common.Shop."""

    @classmethod
    def _terminals(cls):
        # The account comes with the terminals, before there is a till.
        cls.account = cls.env['qfpay.account'].create(
            {
                'name': 'Harbour Goods',
                'app_code': 'APPCODE1',
                'client_key': CLIENT_KEY,
                'environment': 'custom',
                # Nobody listens there; tests with a simulator write its address here.
                'custom_url': 'http://127.0.0.1:1',
            }
        )
        return super()._terminals()

    @classmethod
    def _method(cls, channel, **values):
        if not hasattr(cls, 'shown'):
            cls.shown = cls._code_method('WeChat code', '800201')
            cls.scanned = cls._code_method('Scan wallet', '800008')
            cls.fps_code = cls._code_method('FPS code', '802001')
        return super()._method(channel, **values)

    @classmethod
    def _till(cls, name, terminal, **values):
        till = super()._till(name, terminal, **values)
        till.payment_method_ids |= cls.shown | cls.scanned | cls.fps_code
        return till

    @classmethod
    def _code_method(cls, name, pay_type):
        return cls.env['pos.payment.method'].create(
            {
                'name': name,
                'journal_id': cls.bank.id,
                'receivable_account_id': cls._receivable().id,
                'payment_method_type': 'terminal',
                'use_payment_terminal': 'qfpay_openapi',
                'qfpay_account_id': cls.account.id,
                'qfpay_pay_type': pay_type,
            }
        )


class OpenApiCase(OpenApiShop, ShopCase):
    """Without HTTP."""
