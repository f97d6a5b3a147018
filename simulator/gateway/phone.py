"""The customer's payment codes (CPM): how they look, and what each does when it is scanned.

The first digits tell the wallet, as they do on real phones: 10 to 15 WeChat Pay, 25 to 30 Alipay,
62 UnionPay. PayMe publishes no form; here its codes begin with ``PM``. The last two digits tell
what will happen, so that a code can be typed without asking for one.
"""

import random
import re
import time
from dataclasses import dataclass

from ..book import digits

WALLETS = {
    'wechat': re.compile('1[0-5][0-9]{16}'),
    'alipay': re.compile('(2[5-9]|30)[0-9]{14,22}'),
    'unionpay': re.compile('62[0-9]{17}'),
    'payme': re.compile('PM[0-9]{18}'),
}


@dataclass(frozen=True)
class Script:
    """What happens to a scanned code: its last two digits, and a label for the page."""

    ending: str
    en: str
    zh: str


SCRIPTS = {
    'ok': Script('90', 'Pays at once', '立即付款'),
    'password': Script('91', 'Enters the password, then pays', '輸入密碼後付款'),
    'processing': Script('92', 'Processing (1145), then paid', '處理中（1145），之後付款成功'),
    'wait': Script('93', 'Waits for you to approve', '等候您批准'),
    'refuse': Script('94', 'Balance too small (1201)', '餘額不足（1201）'),
    'expired': Script('95', 'Code has run out (1202)', '付款碼已過期（1202）'),
    'used': Script('96', 'Code was used before (2005)', '付款碼已使用（2005）'),
    'lost': Script('97', 'Pays, but the answer is lost', '已付款，但回覆遺失'),
    'error': Script('98', 'Fails, try later (1205)', '交易失敗，請稍後再試（1205）'),
}
_BY_ENDING = {script.ending: name for name, script in SCRIPTS.items()}


def wallet_of(code):
    """The wallet whose code this is, or ``None``."""
    return next((name for name, form in WALLETS.items() if form.fullmatch(code)), None)


def script_of(code):
    """What a code's last digits say, or ``None``."""
    return _BY_ENDING.get(code[-2:])


class Phone:
    """Makes codes and remembers which were used."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._shown = {}
        self._used = set()

    def new_code(self, wallet, script):
        """A code that nobody has seen yet."""
        code = self._draw(wallet) + SCRIPTS[script].ending
        self._shown[code] = time.monotonic()
        return code

    def _draw(self, wallet):
        if wallet == 'wechat':
            return f'1{random.randrange(6)}' + digits(14)
        if wallet == 'alipay':
            return str(random.randrange(25, 31)) + digits(14)
        return ('62' + digits(15)) if wallet == 'unionpay' else ('PM' + digits(16))

    def use(self, code):
        """Spend a code; ``False`` when it was spent before."""
        if code in self._used:
            return False
        self._used.add(code)
        return True

    def too_old(self, code, life):
        """Whether a code of this phone was made longer ago than ``life`` seconds; 0 is for ever."""
        made = self._shown.get(code)
        return bool(life and made is not None and time.monotonic() - made > life)
