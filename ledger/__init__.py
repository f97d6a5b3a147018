"""The truth about money, as rules; pure Python, without Odoo, database or threads.

    clock       a point in time, on a clock that may be set and on one that is not
    testimony   one thing that somebody said about an attempt to move money
    states      what an attempt may be, and what may follow on what
    belief      what is believed about an attempt, and what a manager has to look at
    proof       what one word of QFPay's is about, and what it proves
    rules       judge(attempt, testimonies) -> belief: what is true, from what was said
    steps       next_step(attempt, belief, now) -> what to do next
    limits      what may still be charged on an order, refunded of a payment

Theory of operation. A shop that asks QFPay to move money knows three things for certain: what it
asked for (`Attempt`), what it has done (it sent the request; nothing left; a carrier died), and
what it was told. What it was told comes from witnesses of unequal rank, late, twice, in any order,
and sometimes from somebody who is not QFPay. So nothing that is heard *is* the state. Each thing is
kept as it was heard, a `Testimony`, for ever, and the state is judged anew from all of them each
time that one is added. A wrong rule can be mended and the same testimonies judged again.

The rules stand here and nowhere else. They are run, as they are, against a simulated QFPay that
loses, doubles, delays and lies.
"""
