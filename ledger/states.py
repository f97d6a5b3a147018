"""What an attempt may be, and what may follow on what.

    draft ──────► sent ──────► pending ◄───► unknown
      │            │              │             │
      │            └──────┬───────┴──────┬──────┘
      │                   ▼              ▼
      └──► failed, cancelled ─────────► done ──────► reversed

draft      nothing has left, and whoever sends it first says so
sent       the request has left, or leaves in this moment
pending    QFPay has it; the customer or a bank must act
unknown    its answer is lost, or says too little; QFPay is asked until it is known
done       the money moved
failed     it did not, and will not
cancelled  it was cancelled and did not
reversed   it moved, and QFPay took it back; no refund of ours did

A lost answer makes `unknown`, never `failed`. Whoever hears of a draft that QFPay knows it (a
database that lost its last commits) believes QFPay. `failed` and `cancelled` become `done` on
QFPay's own word alone. `done` is left for `reversed` and for nothing else.
"""

DRAFT, SENT, PENDING, UNKNOWN = 'draft', 'sent', 'pending', 'unknown'
DONE, FAILED, CANCELLED, REVERSED = 'done', 'failed', 'cancelled', 'reversed'

#: QFPay may yet move the money, or somebody may yet ask it to
OPEN = (DRAFT, SENT, PENDING, UNKNOWN)
#: the request is out and its end is not known
AT_QFPAY = (SENT, PENDING, UNKNOWN)
#: the money did not move, as far as is known
NOT_DONE = (FAILED, CANCELLED)

TRANSITIONS: dict[str, frozenset[str]] = {
    DRAFT: frozenset({SENT, PENDING, UNKNOWN, DONE, FAILED, CANCELLED}),
    SENT: frozenset({PENDING, UNKNOWN, DONE, FAILED, CANCELLED}),
    PENDING: frozenset({UNKNOWN, DONE, FAILED, CANCELLED}),
    UNKNOWN: frozenset({PENDING, DONE, FAILED, CANCELLED}),
    FAILED: frozenset({DONE}),
    CANCELLED: frozenset({DONE}),
    DONE: frozenset({REVERSED}),
    REVERSED: frozenset(),
}
