"""The language of QFPay's terminals.

    cipher     the POS-KEY: AES and the digest
    message    the six commands, from typed fields to the bytes of a request
    codes      what the terminal's and the host's numbers mean, as tables
    lenient    reading the relaxed JSON that Android understands
    answer     from received bytes to an `Outcome`
    exchange   a command becomes sealed bytes; bytes become an `Outcome`, held against it
    address    which hosts and ports can be a terminal's
    link_http  a link that is HTTP

A message does not know how it travels, a link does not know what it carries.
"""
