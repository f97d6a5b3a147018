"""QFPay's two languages, in pure Python: no Odoo, no database, no threads.

`ecr` is the language of the terminal at the till, `openapi` that of QFPay's own servers, for shops
without a terminal. Whatever is asked, and whichever wire carries it, the result is one `Outcome`
(see `outcome`) or one of the errors of `errors`, and each of them says what is known about the
money. Nothing in this package logs: keys, requests and answers stay with the caller.

Both languages are described in docs/protocol.md. Comments everywhere cite it by its numbers.
"""
