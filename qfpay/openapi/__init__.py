"""The language of QFPay's OpenAPI, for shops without a terminal.

    account       who we are to QFPay, and where QFPay is
    catalogue     pay types, currencies, return codes, customers' codes, as tables
    times         Hong Kong's clock
    message       the requests, from typed fields to the fields of a form
    signature     who sent a request, an answer, a notification
    answer        from the fields of an answer to an `Outcome`
    gateway       QFPay at the other end of a wire: ask, get an `Outcome`
    notification  what QFPay reports by itself

A message does not know how it is signed or sent; the gateway does not know what an answer means.
"""
