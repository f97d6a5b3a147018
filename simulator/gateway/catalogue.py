"""Pay types, currencies and return codes as QFPay's documents list them (the protocol, B9-B15)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PayType:
    """A way to pay.

    ``scanned``: the shop scans the customer's code (CPM); otherwise the customer scans the shop's
    (MPM). ``wallet``: who is on the customer's phone. ``expires``: ``expired_time`` is obeyed.
    ``hkd``: takes Hong Kong dollars only.
    """

    label: str
    wallet: str
    scanned: bool = False
    expires: bool = False
    refundable: bool = True
    hkd: bool = False


ANY_WALLET = '800008'

#: for so many days a wallet gives back what was paid, and the code of a refund that comes later
REFUND_DAYS = {'wechat': 365, 'alipay': 365, 'payme': 90, 'fps': 29}
TOO_LATE = {'payme': '1250', 'alipay': '1297'}
TOO_LATE_ELSE = '1265'

PAY_TYPES = {
    '800101': PayType('Alipay', 'alipay', expires=True),
    '801501': PayType('Alipay (Hong Kong)', 'alipay', expires=True),
    '800201': PayType('WeChat Pay', 'wechat', expires=True),
    '805801': PayType('PayMe', 'payme', hkd=True),
    '800701': PayType('UnionPay QuickPass', 'unionpay'),
    '802001': PayType('FPS', 'fps', refundable=False, hkd=True),
    '803701': PayType('Octopus', 'octopus', refundable=False, hkd=True),
    '800008': PayType('any wallet', '', scanned=True),
    '800108': PayType('Alipay', 'alipay', scanned=True),
    '800208': PayType('WeChat Pay', 'wechat', scanned=True),
    '801008': PayType('WeChat Pay HK', 'wechat', scanned=True),
    '800708': PayType('UnionPay QuickPass', 'unionpay', scanned=True),
    '805808': PayType('PayMe', 'payme', scanned=True, hkd=True),
}

#: which orders each call takes, in the Chinese documents (the newer ones) and in the English ones
CANCEL_LISTS = {
    'zh': {
        'reversal': {'800108', '800208', '800708'},
        'close': {'800201', '800212', '800701', '801514'},
    },
    'en': {
        'reversal': {'800101', '801501', '800201', '800108'},
        'close': {'800008', '800208', '801008'},
    },
}
CANCEL_LISTS['both'] = {
    call: CANCEL_LISTS['zh'][call] | CANCEL_LISTS['en'][call] for call in ('reversal', 'close')
}

DECIMALS = {
    'AED': 2,
    'AUD': 2,
    'CAD': 2,
    'CNY': 2,
    'EUR': 2,
    'HKD': 2,
    'IDR': 2,
    'JPY': 0,
    'MMK': 2,
    'MYR': 2,
    'SGD': 2,
    'THB': 2,
    'USD': 2,
}

PAID = '0000'
WAITING = '1143'
PROCESSING = '1145'
OPEN_CODES = (WAITING, PROCESSING)

TEXTS = {
    '0000': ('success', '交易成功'),
    '1100': ('system under maintenance', '系統維護中'),
    '1101': ('reversal error', '沖正錯誤'),
    '1102': ('duplicate request', '重複請求'),
    '1103': ('request format error', '報文格式錯誤'),
    '1104': ('request parameter error', '報文參數錯誤'),
    '1105': ('device not activated', '終端未激活'),
    '1106': ('device does not match', '終端不匹配'),
    '1107': ('device not allowed', '終端被封禁'),
    '1108': ('signature check failed', 'MAC 校驗失敗'),
    '1124': (
        'for a void request it must be a full refund, please correct the amount',
        '當日撤銷必須全額退款，請更正金額',
    ),
    '1125': ('transaction already refunded', '交易已退款'),
    '1136': ('transaction does not exist or cannot be operated on', '交易不存在或不可操作'),
    '1142': ('order already closed', '訂單已關閉'),
    '1143': ('not paid yet, password being entered', '訂單未支付，密碼輸入中'),
    '1145': ('processing, please wait', '處理中，請稍候'),
    '1147': ('WeChat Pay transaction error', '微信支付交易錯誤'),
    '1150': ('T0 billing cannot be cancelled', '您的結算方式為 T0，不支持撤銷'),
    '1155': ('refund refused', '退款請求被拒絕'),
    '1181': ('order expired', '訂單已過期'),
    '1201': ('insufficient balance', '餘額不足'),
    '1202': ('wrong or expired payment code', '付款碼錯誤或已過期'),
    '1203': ('merchant account error', '商戶帳號錯誤'),
    '1204': ('bank error', '銀行錯誤'),
    '1205': ('transaction failed, please try later', '交易失敗，請稍後再試'),
    '1212': ('please use the UnionPay overseas payment code', '請使用銀聯境外付款碼'),
    '1241': ('store does not exist or is wrongly set up', '店鋪不存在或狀態不正確'),
    '1242': ('store wrongly configured', '店鋪未正確配置'),
    '1243': ('store is disabled', '店鋪已停用'),
    '1250': ('transaction forbidden', '禁止交易'),
    '1251': ('store configuration error', '店鋪配置錯誤'),
    '1252': ('system error, please try again', '系統錯誤，請重新下單'),
    '1254': ('system problem, it is being solved', '發生問題，正在解決'),
    '1260': ('order already paid', '訂單已支付'),
    '1261': ('order not paid', '訂單未支付'),
    '1262': ('order already refunded', '訂單已退款'),
    '1263': ('order already cancelled', '訂單已撤銷'),
    '1264': ('order already closed', '訂單已關閉'),
    '1265': (
        'refunds of transactions between 11:30pm and 0:30am and of special promotions cannot be '
        'processed',
        '該筆訂單被禁止退款，23:30-00:30 的交易以及部分特殊交易會被禁止',
    ),
    '1266': ('wrong amount', '訂單金額錯誤'),
    '1267': ('order data do not match', '訂單信息不匹配'),
    '1268': ('order does not exist', '訂單不存在'),
    '1269': (
        'the refundable balance of this payment method is not enough today',
        '該支付方式當日可退餘額不足，建議在 11AM 數據更新之後再嘗試',
    ),
    '1270': ('currency does not support partial refunds', '該幣種不支持部分退款'),
    '1271': ('transaction does not support partial refunds', '該交易不支持部分退款'),
    '1272': ('more than can be refunded', '退款金額大於可退金額'),
    '1294': ('blocked by the bank', '交易被銀行攔截'),
    '1295': ('network congested', '網絡擁擠'),
    '1296': ('network congested, please query', '網絡擁擠，請查詢'),
    '1297': ('bank system busy', '銀行系統繁忙'),
    '1298': ('network congested, do not pay twice', '網絡擁擠，如已付款請勿重複付款'),
    '2005': ('payment code wrong or used', '付款碼錯誤或已使用'),
    '2011': ('serial number repeats', '流水號重複'),
}

#: words that say more than those of their code, by what they say; met in production
SAID = {
    'too_late': (
        'this order cannot be refunded, the time limit for refunds was exceeded',
        '該筆訂單被禁止退款，已經超出可退款時限',
    ),
    'busy': (
        'you still have processing requests, please do not repeat the initiation',
        '該筆訂單仍有正在處理中的退款請求，請勿重複提交申請',
    ),
    'number_used': (
        'do not use duplicate out_trade_no for request',
        '請勿使用重複的商戶訂單號',
    ),
}


def text(code, language='en', said=''):
    """QFPay's words for a code; ``said`` names others of :data:`SAID`, or is the words."""
    english, chinese = SAID.get(said) or TEXTS.get(code, ('transaction failed', '交易失敗'))
    if said and said not in SAID:
        return said
    return chinese if language == 'zh' else english
