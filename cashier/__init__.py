"""What a till may ask, and what it is told.

    start      the money of a payment line is asked for, if nothing stands against it
    refunds    what QFPay gives back, and for how long
    status     how a line stands
    messages   each sentence that a cashier or a manager reads, once

A till names a payment line and nothing else; all that is asked of QFPay the server knows itself.
"""
