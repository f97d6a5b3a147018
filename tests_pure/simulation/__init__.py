"""The rules about money, run against a simulated QFPay, carriers, tills, database and clocks.

    world       the queue of events, chance, the clocks
    weather     how often what goes wrong, in one schedule
    host        QFPay's book: who paid what, for certain
    saying      what a terminal says, and how a reader of ours takes it
    devices     what a terminal and the gateway have in common: how an answer travels
    terminal    a terminal and its customers
    strangers   who speaks in a terminal's place
    gateway     QFPay's gateway, its customers, its notifications
    storage     the ledger's rows, their commits, and what a crash takes back
    courier     processes that own links and carry steps
    fleet       all processes, what befalls them, and what reaches any of them
    shop        orders, tills, cashiers, managers
    judgement   whether the book and the beliefs agree, or a manager was called
    run         a schedule from its seed, and the account of one
    bugs        small wrong changes, each of which must be found
    many        many schedules, on all cores
    command     `make simulate`

Theory of operation. `ledger/` is imported as it is: `judge`, `next_step`, `limits` and `strange`
decide here what they decide in a shop. Everything around them is modelled in one process, on one
queue of events in the order of true time, so that a schedule takes milliseconds and is the same
each time it is run from its seed. Nobody in the model looks at true time or into QFPay's book
except the judge, who sees everything.

What QFPay is trusted to do. No rule can hold against a QFPay that does as it likes, so the
simulated one keeps a few promises; whatever they do not exclude happens sooner or later.

    - A request arrives at once, or later within its patience, or never.
    - A payment shows in answers at the latest `SHOWN_WITHIN` seconds after the end of its request,
      or, where it was called carried out or in hand, at its deadline. At other times QFPay may deny
      it for less than `DENIED_FOR` seconds, if it did not show late; what the ledger has seen once,
      for as long as it likes (the default window of a query ends with the month).
    - An answer to a question about many numbers may leave out any of them, always.
    - What QFPay says in words (declined, expired, closed) may turn out wrong within minutes.
      Whoever asks again is then told.
    - What is sealed or signed was said by QFPay, but perhaps at another time, to another question.
      Whoever records such words in a shop's network does not keep them from arriving; somebody
      who can would own the wire, and against that only QFPay's gateway helps (the design says so).
"""
