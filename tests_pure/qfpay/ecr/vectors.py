"""Published and computed vectors of the terminal's protocol (D1)."""

KEY32 = 'f46b1f08bec1f39104792cc79ec9aacd'
KEY16 = 'my_qfpay_pos_key'
SYSSN = '20250826155400087645770447'

# name, canonical content, digest with KEY32, digest with KEY16
DIGESTS = [
    (
        'E1',
        "{func_type=4001,orderId='12345678'}",
        '99CE8BF9C7304AC964522D10F51660B4',
        '0E51696EFDCD8B3BDF1546631817D31A',
    ),
    (
        'E2',
        "{amt=100,channel='card_payment',func_type=1001,out_trade_no='456799999999'}",
        '2488996B9F24A85B41488ECB435B331D',
        '4A0B62BF281E83024D2C94C7BCA00B78',
    ),
    (
        'E4',
        "{allow_modify_flag=0,func_type=1002,orderId='20250826155400087645770447',"
        "refund_amount='0.05'}",
        'D207A0CAD76F150B70C41BAB32B65606',
        '128CC9C9704041E2F582C227BF2BCFAA',
    ),
    (
        'E5',
        "{func_type=1002,orderId='20250826155400087645770447',refund_amount=''}",
        'D90FAE29E19E2543FD774942BFC809F6',
        'E225CBEB8848B3FCA358768ED63F0CF6',
    ),
    (
        'E6',
        "{func_type=3001,orderId='12345678'}",
        '9C4E259FED41B8B076AB09DA39701F33',
        '3A771590C20FEAFD5034F9392EA2DEAB',
    ),
    (
        'E7',
        '{func_type=3002}',
        '94774CD60380323A62FF2EE19EBAB313',
        'C4E58948ED8F82A302C6674766634B69',
    ),
    (
        'E9',
        '{func_type=5001}',
        '77760CAFEE81DC33C720C90B75787B5F',
        '5511FE1F062D5DE5AADF6D076F34B8D2',
    ),
]

# (name, key): the encrypted envelope
SEALED = {
    ('E1', KEY32): (
        'XczeNuwMCct+IaXZ00lv7Pern+ttWiSyG+Y62QH+wXr471L2opZR5JPeQPXADN/Xc1s+VL82RqBp0KFPo5Mm6KUF'
        'au0S1WRPC2YN4s6WpiFjwrbGPq3JPZ2OYXTGZHAb'
    ),
    ('E1', KEY16): (
        'lLrK/0SkJk9Yj8i7zPWfji6CyOPPmaCrrTGZscY8P98dDK5KIrPLSywifDp2lnn1YQpbDHWa5APcKQXGGkLl3N16'
        'AyvIkWrHuK/dKVllbjpRRmSQsEHDkoJb2GBaZAG+'
    ),
    ('E2', KEY32): (
        '02sc4oen89DDDg3ThTAr1D7ZWydNqUa7QWxaXIKBn8tFoMBWNNAESKlPaYjZcRT0TBljvQ3TftiPz0sGR8YJYZ1d'
        'DBWBt+88TC41N4HBCPOGoYYcHphdiSe0yQMbsvUYj0S0DpK3RDUDjQbOu1YXI/uT8B+y7/8pQE5w58/aANDmYRqq'
        'dnZlgyRmdtGipL8E'
    ),
    ('E2', KEY16): (
        'R8EnB7i8qH55P7/TYiQA9u4XqJxIGv0zSEEc2mdNLCeY7rjLh5ikGxTX2nqCaIkRqm7L+3dMzkZE13l8ULoUlDCg'
        'OEzmeHDVXFcK/skXni/yp+nhz5/CCIRjle0B6+xxdQxK13HMbLHWWJ35/h4PQaI48dsMo0DN00+2ODcR0BSaLW30'
        'g/R2+OsixOPCackK'
    ),
    ('E4', KEY32): (
        'j9FCOE44rIt45ceK0/it99uk0U/MFdOs/gg2ilvU4B+jjgAJkV2S+LWrWa7GWhooydBOIlvKgB1pRGHdRRSU/Qvp'
        'WpZDHZDRdEC7h1RSGByBjBBchd24kG/+0KseNlvQnoKpzP/IPHFB8H90JL8t6x6+ow5umr0RdsK+Bys/bVgQXA4c'
        'kpuJstnF/8RJkko3kjqKMngHqwzbHnc1VAwmug=='
    ),
    ('E5', KEY32): (
        'XczeNuwMCct+IaXZ00lv7EWiA1xigPPJ2qk5rJBvgTQR2BpxvL8x18VuuHrI7FeY/XFAtOcDIO/K7wlOM1LMpwsu'
        'g8bEljAmadP5ibuUbUr7tqJZlP+rQVL9Hm37o4bpbYSBcxk/4Bn6U92g0af+W/uPNgZ+5C+j+crivzgW6+g='
    ),
    ('E7', KEY32): (
        'XczeNuwMCct+IaXZ00lv7MlXjcdC/iw7MjSbTn1042TpL4hc2KiisqGRpfpLV6gVU06WnyL5gABTdz7SpeFzwexV'
        'KxVD+V4M1Q87vkkilqU='
    ),
    ('E9', KEY32): (
        'XczeNuwMCct+IaXZ00lv7H3Q5alZd7lIXI7v3FixqikZe+SY96RBdR77gWNKpF6wtS9LI/nOPYn5xcIZMucdP975'
        '5TbhaqttSWuk2UsNOIg='
    ),
    ('E9', KEY16): (
        'lLrK/0SkJk9Yj8i7zPWfjh55pI6yoxnVhoKiybz6TtHDOAnwVZv9dDr+r/54ombsivgoiUVQ9c0jHxQXSddrd5KG'
        'wKLOoPT3IesvXKSHtXs='
    ),
}

# E11: an encrypted answer, KEY32
ANSWER_PLAIN = (
    '{"respcd":"6000","respmsg":"success","resperr":"","data":"{\\"respcd\\":\\"0000\\",'
    '\\"syssn\\":\\"20250826155400087645770447\\",\\"out_trade_no\\":\\"POS-1-0001\\",'
    '\\"txamt\\":\\"1010\\",\\"txcurrcd\\":\\"HKD\\",\\"busicd\\":\\"800208\\"}"}'
)
ANSWER_SEALED = (
    'tttoeyApuoAX9FYOv3GkPJa2Ro+M8P2BX65yZxnJvmC7V4I8rOMZJmqDBivyM8bMiYY7TEZvVXcxWypc+on26CTlSaOY'
    'MRmhMRlDOTCI7tTJFKlvCwn+yAuB6eMAI25+h9WfwD7txqyuRpwF3fzDpEUgNhOYw6AQ3nfBGIklT0mH0Nt+8fVHGtR8'
    'bzKKXwn5ruDKXmm2JnZNg4NLhSQeiQamGECAA74/1cwiDjDn5XV/gaPs5KacLhQSDFxvqxbiQaANHnnKoU25kQ0vq+MA'
    'AIGr3j28M9CkwY6V3xcDsV4='
)

# E12: published, but made without a key by an early version; it must not pass
LEGACY_CONTENT = r'{\"amt\": 100,\"channel\": \"card_payment\",\"func_type\": 1001}'
LEGACY_DIGEST = '76b9186077cdc2bc5d78ae921309811d'
