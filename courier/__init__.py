"""The courier carries steps to QFPay, off the HTTP workers.

    clock      the machine's steady clock, and who this process is
    database   a transaction of its own, run again when another was faster
    carrying   an errand: one step, as data; carried, it becomes words
    budget     how many requests an account may make, and whose turn it is
    runner     this process's part: which links it owns, what is due on them, the threads

A customer may think for two minutes. Nobody who is needed elsewhere waits for that: each errand is
carried by a thread without a cursor, which opens one to claim the step (committed, and safe, before
a byte leaves) and one to tell what it heard.

A *link* is one way to QFPay: a terminal, or an account. One process of all servers owns it, by a
lease of a few seconds that it renews itself; with each new owner the link's fence grows. What is to
be done stands on the rows of the ledger (`next_step_at`), where every process may write: a till
that wants to cancel, or to ask now, writes there, and the owner sees it within half a second. A
process that dies loses its leases, and another one takes the rows up: what was sent is asked about,
never sent again.

Nothing here decides anything about money: what to do next, and what an answer means, are the rules
in `ledger/`.
"""

from .carrying import Errand, Word
from .database import transact
from .runner import poke, stop, take_part, tell, wake
