"""Everything that can be told to a terminal, in one table.

The control API checks values with it, and the web page draws its form from it.
"""

from .bad_answers import BAD_ANSWER_FAULTS
from .commands import NAMES
from .table import Fault, Setting, SettingRefused, Values
from .wire import Cipher

DEFAULT_POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'


TRADES = (1001, 1002)

FAULTS = {
    'busy': Fault(
        'arrival',
        'Answers 4003: the terminal is busy. Nothing is started.',
        '回覆 4003：終端機忙碌，沒有開始任何交易。',
        (1001, 1002, 3001, 3002),
    ),
    'logged_out': Fault(
        'arrival',
        'Answers 4007: nobody is signed in to the app. Nothing is started.',
        '回覆 4007：應用程式未登入，沒有開始任何交易。',
    ),
    'drop': Fault(
        'arrival',
        'Reads the request, then closes the connection. Nothing is started.',
        '讀取請求後關閉連線，沒有開始任何交易。',
    ),
    'hang': Fault(
        'arrival',
        'Reads the request and never answers. Nothing is started.',
        '讀取請求後永不回覆，沒有開始任何交易。',
    ),
    'silent_before_charge': Fault(
        'arrival',
        'Takes the job, closes the connection, and goes on waiting for the customer.',
        '接受工作後關閉連線，並繼續等候顧客付款。',
        TRADES,
    ),
    'confirming': Fault(
        'job',
        'Answers 6002 when the customer acts, but the payment is confirmed later.',
        '顧客操作後回覆 6002，但付款稍後才獲確認。',
        (1001,),
    ),
    'late_payment': Fault(
        'job',
        'Gives up (cancelled or timed out), yet the payment goes through later.',
        '終端機已放棄（取消或逾時），但付款稍後仍然成功。',
        (1001,),
    ),
    'silent_after_charge': Fault(
        'answer',
        'The money moves, then the connection is closed without an answer.',
        '款項已轉移，然後不作回覆便關閉連線。',
        TRADES,
        charged_only=True,
    ),
    'hang_after_charge': Fault(
        'answer',
        'The money moves, and the connection stays open without an answer.',
        '款項已轉移，連線保持開啟但不作回覆。',
        TRADES,
        charged_only=True,
    ),
    'request_error_after_charge': Fault(
        'answer',
        'The money moves, but the answer is 6002, request error.',
        '款項已轉移，但回覆 6002（請求錯誤）。',
        TRADES,
        charged_only=True,
    ),
    'other_error_after_charge': Fault(
        'answer',
        'The money moves, but the answer is 4005, other error.',
        '款項已轉移，但回覆 4005（其他錯誤）。',
        TRADES,
        charged_only=True,
    ),
    'unknown_code': Fault(
        'answer', 'Answers 9999, a code that is in no list.', '回覆 9999，任何列表都沒有的代碼。'
    ),
    'no_data': Fault(
        'answer',
        'Answers as it should, but leaves the data out.',
        '正常回覆，但欠缺資料內容。',
        (*TRADES, 4001),
    ),
    'inner_pending': Fault(
        'answer',
        'The answer says 6000, but its data says 1145, still processing.',
        '回覆 6000，但資料內容為 1145（處理中）。',
        (*TRADES, 4001),
    ),
    'wrong_amount': Fault(
        'answer', 'The answer states twice the amount.', '回覆的金額為實際的兩倍。', (*TRADES, 4001)
    ),
    'wrong_currency': Fault(
        'answer', 'The answer states US dollars.', '回覆的貨幣為美元。', (*TRADES, 4001)
    ),
    'wrong_reference': Fault(
        'answer',
        "The answer carries another sale's reference.",
        '回覆載有另一宗銷售的編號。',
        (*TRADES, 4001),
    ),
    'wrong_key': Fault(
        'answer', 'The answer is encrypted with another POS-KEY.', '回覆以另一條 POS-KEY 加密。'
    ),
    **BAD_ANSWER_FAULTS,
    'slow_answer': Fault(
        'answer',
        'Does what was asked, then answers late (see Fault delay).',
        '執行要求後，延遲回覆（見故障延遲）。',
    ),
}


SETTINGS = {
    'mode': Setting(
        'choice',
        'manual',
        'Customer',
        '顧客',
        'Who acts: you, with the buttons, or the terminal by itself after the delay.',
        '由您按鍵操作，或由終端機在延遲後自動操作。',
        ('manual', 'approve', 'decline', 'cancel', 'timeout'),
    ),
    'delay': Setting(
        'seconds',
        0.0,
        'Delay',
        '延遲',
        'Seconds before the terminal acts by itself.',
        '終端機自動操作前的秒數。',
        most=86400,
    ),
    'processing': Setting(
        'seconds',
        0.0,
        'Processing time',
        '處理時間',
        'Seconds between the card and the result. Nothing can be called off in that time.',
        '由讀卡至結果之間的秒數，期間不能取消。',
        most=86400,
    ),
    'refund': Setting(
        'choice',
        'approve',
        'Refunds',
        '退款',
        'Whether refunds pass by themselves, are refused, or wait for a button.',
        '退款自動通過、被拒絕，或等候按鍵。',
        ('approve', 'decline', 'manual'),
    ),
    'card_scheme': Setting(
        'choice',
        'VISA',
        'Card',
        '卡',
        'What the customer holds for Visa / Mastercard.',
        '顧客所持的 Visa / Mastercard。',
        ('VISA', 'MASTERCARD', 'ECMC'),
    ),
    'card_last4': Setting('last4', '1096', 'Last four digits', '卡號末四位'),
    'card_type': Setting(
        'choice', 'CREDIT', 'Card type', '卡類別', '', '', ('CREDIT', 'DEBIT', '')
    ),
    'decline_code': Setting(
        'code',
        '1205',
        'Decline code',
        '拒絕代碼',
        "The host's code for a decline.",
        '主機拒絕時的代碼。',
    ),
    'fault': Setting('choice', None, 'Fault', '故障', '', '', (None, *FAULTS), group='fault'),
    'fault_count': Setting(
        'count',
        None,
        'How often',
        '次數',
        'How many requests it strikes; empty: until you end it.',
        '影響多少個請求；留空則持續至您停止。',
        group='fault',
        most=1_000_000,
    ),
    'fault_for': Setting(
        'commands',
        None,
        'Which commands',
        '哪些指令',
        "Function codes that it strikes; empty: the fault's own.",
        '受影響的功能代碼；留空則按故障本身。',
        tuple(NAMES),
        group='fault',
    ),
    'fault_delay': Setting(
        'seconds',
        5.0,
        'Fault delay',
        '故障延遲',
        'Seconds for the faults that say “later” or “late”.',
        '「稍後」或「延遲」類故障的秒數。',
        group='fault',
        most=86400,
    ),
    'reachable': Setting(
        'flag',
        True,
        'Reachable',
        '可連線',
        'Off: the port is closed and open connections are cut; the job goes on.',
        '關閉時：連接埠關閉並切斷連線，但工作繼續。',
        group='wire',
    ),
    'encrypt': Setting(
        'choice',
        None,
        'Answers encrypted',
        '加密回覆',
        'Empty: as terminals do it, encrypted over HTTP and in the clear over HTTPS.',
        '留空：按終端機慣例，HTTP 加密，HTTPS 不加密。',
        (None, True, False),
        group='wire',
    ),
    'answer_shape': Setting(
        'choice',
        'base64',
        'Shape of an answer',
        '回覆格式',
        '“object” is always in the clear; the others are ways to write an encrypted answer.',
        '「object」必為明文；其餘為加密回覆的寫法。',
        ('object', 'json_string', 'base64', 'base64_lines'),
        group='wire',
    ),
    'data_as_text': Setting(
        'flag',
        True,
        'Data as text',
        '資料為文字',
        'data is a text with JSON in it, or an object.',
        'data 為載有 JSON 的文字，否則為物件。',
        group='wire',
    ),
    'card_in_answer': Setting(
        'flag',
        False,
        'Card number in the answer',
        '回覆含卡號',
        'The documents give number and type of a card in inquiries only.',
        '文件只在查詢結果中列出卡號及卡類別。',
        group='wire',
    ),
    'reference_in_inquiry': Setting(
        'flag',
        True,
        'Reference in inquiries',
        '查詢含銷售編號',
        "The documents' list for an inquiry leaves out_trade_no out.",
        '文件的查詢欄位列表並無 out_trade_no。',
        group='wire',
    ),
    'amount_style': Setting(
        'choice',
        'cents_text',
        'Amounts',
        '金額寫法',
        'How txamt is written: "1010", 1010 or "10.10".',
        'txamt 的寫法："1010"、1010 或 "10.10"。',
        ('cents_text', 'cents', 'major'),
        group='wire',
    ),
    'currency_style': Setting(
        'choice', 'HKD', 'Currency', '貨幣寫法', '', '', ('HKD', '344'), group='wire'
    ),
    'clear_refusals': Setting(
        'flag',
        True,
        'Refusals in the clear',
        '明文拒絕',
        'A request that cannot be read (5001, 4004) is answered unencrypted.',
        '無法讀取的請求（5001、4004）以明文回覆。',
        group='wire',
    ),
    'accept_clear': Setting(
        'flag',
        False,
        'Accept clear requests',
        '接受明文請求',
        "The encryption switch of QFPay's merchant portal is off.",
        'QFPay 商戶平台的加密開關已關閉。',
        group='wire',
    ),
    'strict_digest': Setting(
        'flag', False, 'Upper-case digests only', '只接受大寫摘要', group='wire'
    ),
    'pos_key': Setting(
        'key',
        DEFAULT_POS_KEY,
        'POS-KEY',
        'POS-KEY',
        '16, 24 or 32 characters.',
        '16、24 或 32 個字元。',
        group='terminal',
    ),
    'key_reading': Setting(
        'choice',
        'text',
        'Key read as',
        '密鑰讀法',
        'As text, or decoded from hexadecimal.',
        '按文字，或由十六進位解碼。',
        ('text', 'hex'),
        group='terminal',
    ),
    'row_from': Setting(
        'choice',
        'channel',
        'Inquiries know a payment',
        '查詢可見時間',
        'From its start, from the charge on, or (channel) from the start for a shown QR code only.',
        '由開始起、由收款起，或（channel）只有顯示二維碼時由開始起。',
        ('channel', 'start', 'charge'),
        group='terminal',
    ),
    'default_timeout': Setting(
        'seconds',
        120.0,
        'Waits for the customer',
        '等候顧客',
        'Seconds, when the request names no time-out.',
        '請求沒有指定逾時的秒數時使用。',
        group='terminal',
        most=86400,
    ),
    'timeout_code': Setting(
        'choice',
        '6002',
        'Code of a time-out',
        '逾時代碼',
        '',
        '',
        ('6002', '6001'),
        group='terminal',
    ),
    'cancel_code': Setting(
        'choice',
        '6002',
        'Call-off that stops nothing',
        '無效的取消',
        'Answer to a call-off (5001) that comes too late or with nothing to stop.',
        '取消（5001）太遲或沒有可取消的工作時的回覆。',
        ('6002', '6000'),
        group='terminal',
    ),
    'refund_blackout': Setting(
        'flag',
        False,
        'Night hours',
        '夜間時段',
        'No refunds from 23:30 to 00:30, Hong Kong time.',
        '香港時間 23:30 至 00:30 不設退款。',
        group='terminal',
    ),
    'refund_periods': Setting(
        'flag',
        True,
        'Refund periods',
        '退款期限',
        'WeChat Pay and Alipay give back for 365 days, PayMe for 90; later refunds are refused '
        '(PayMe 1250, Alipay 1297, others 1265).',
        '微信支付及支付寶可於 365 天內退款，PayMe 90 天；逾期拒絕'
        '（PayMe 1250、支付寶 1297、其他 1265）。',
        group='terminal',
    ),
    'clock_offset': Setting(
        'offset',
        0.0,
        'Clock',
        '時鐘',
        'Seconds that its clock is ahead; 86400 is tomorrow.',
        '終端機時鐘快了多少秒；86400 即明天。',
        group='terminal',
        most=10 * 366 * 86400,
    ),
}


class Settings(Values):
    """The values of one terminal. ``card`` with ``scheme``, ``last4`` and ``type`` may stand for
    the three card settings.
    """

    settings = SETTINGS
    faults = FAULTS
    names = NAMES

    def unfolded(self, changes):
        card = changes.pop('card', {})
        if not isinstance(card, dict) or set(card) - {'scheme', 'last4', 'type'}:
            raise SettingRefused('card is an object with scheme, last4 and type')
        return changes | {f'card_{name}': value for name, value in card.items()}

    def check_together(self, values):
        try:
            Cipher(values['pos_key'], values['key_reading'])
        except ValueError as error:
            raise SettingRefused(f'pos_key: {error}') from None

    def cipher(self):
        return Cipher(self.pos_key, self.key_reading)
