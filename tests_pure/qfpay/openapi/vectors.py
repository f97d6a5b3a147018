"""Published and computed vectors of the OpenAPI's signatures (D3)."""

KEY = '0123456789ABCDEF0123456789ABCDEF'

# name, key, fields, MD5, SHA-256
REQUESTS = [
    (
        'SIG1',
        'abcd1234',
        {'txcurrcd': 'HKD', 'txamt': 100, 'mchid': 'ZaMVg12345'},
        '3CB3AA9C21D818AB4CAFAA8FA3FEACF4',
        '99D9F7174823928B74C74B1C7A7E1538DF733774DD21C9606A202CB8BB3D74E8',
    ),
    (
        'SIG2',
        'Key',
        {'bcd': 'value2', 'abc': 'value1', 'bad': 'value3'},
        'FE90E1859AF37371A06415CF19F6614F',
        '55BED8288586B02E3836BF0C4BAEC24C002B1C87E1C355F356A3547AB97A64B4',
    ),
    (
        'SIG4',
        KEY,
        {
            'txamt': 1010,
            'txcurrcd': 'HKD',
            'pay_type': '800201',
            'out_trade_no': 'POS-1-0001',
            'txdtm': '2026-01-15 14:03:22',
            'mchid': 'TESTMCHID1',
            'expired_time': 5,
            'goods_name': '',
            'udid': 'REG-01',
        },
        'DDAF59BBBEF893321AADD3FBE8CAFFF9',
        '246872543000B935A7DB8414D24170C74628A8F36562D1391843D91FC498B543',
    ),
    (
        'SIG6',
        KEY,
        {
            'mchid': 'TESTMCHID1',
            'out_trade_no': 'POS-1-0001-R1',
            'syssn': '20260115154100020012345678',
            'txamt': 505,
            'txdtm': '2026-01-15 15:00:00',
        },
        '50E3AA3B38CD3CAB898899698D2D6FB1',
        'D269A709EC66EA6DD4251D6CFE2243BD3861AA475B34E7844BB27C088904862F',
    ),
    (
        'SIG7',
        KEY,
        {'out_trade_no': 'POS-1-0001', 'mchid': 'TESTMCHID1'},
        '8E92A32F77D3DF9CF1A8A3C7B7FFD795',
        '84D81ADA9CAF043A84CC5E4943A4EA1D96A25988D982E9D31661672000CDD7B8',
    ),
]

SIG4_SIGNED = (
    'expired_time=5&mchid=TESTMCHID1&out_trade_no=POS-1-0001&pay_type=800201&txamt=1010'
    '&txcurrcd=HKD&txdtm=2026-01-15 14:03:22&udid=REG-01'
)
SIG4_BODY = (
    b'expired_time=5&mchid=TESTMCHID1&out_trade_no=POS-1-0001&pay_type=800201&txamt=1010'
    b'&txcurrcd=HKD&txdtm=2026-01-15+14%3A03%3A22&udid=REG-01'
)
#: with the empty goods_name left in
SIG4_WITH_EMPTY = '5CD63B7B0DB441C8F366818413DF814E'

RSP1_KEY = '615ED178BA524459976CE40FAB78000F'
RSP1_BODY = (
    rb'{"pay_type": "800108", "sysdtm": "2018-01-12 19:31:16", "cardcd": "2088802362210279", '
    rb'"txdtm": "2018-01-12 19:31:22", "resperr": "\u4ea4\u6613\u6210\u529f", "txcurrcd": "CNY", '
    rb'"txamt": "1", "respmsg": "", "out_trade_no": "130145934788787530052", '
    rb'"syssn": "20180112000100020001662134", "respcd": "0000"}'
)
RSP1_SIGNATURE = '1E2CE7C2A7F8F581C354A857182B7A31'

NTF1_BODY = (
    rb'{"status": "1", "pay_type": "800201", "sysdtm": "2026-01-15 14:03:23", '
    rb'"paydtm": "2026-01-15 14:03:40", "goods_name": "\u5496\u5561", "txcurrcd": "HKD", '
    rb'"txdtm": "2026-01-15 14:03:22", "mchid": "TESTMCHID1", "txamt": "1010", '
    rb'"out_trade_no": "POS-1-0001", "syssn": "20260115154100020012345678", "cancel": "0", '
    rb'"respcd": "0000", "notify_type": "payment", "chnlsn": "4200000000000000001"}'
)
NTF1_SIGNATURE = '382F81B402D75E59CAD4B1232CF29D20'
#: of the same object written anew without spaces and escapes
NTF2_SIGNATURE = 'A547B1C15742505BCBAF46B214EE9E59'
