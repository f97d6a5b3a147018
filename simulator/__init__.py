"""A payment terminal that behaves like QFPay's, for people and tests that have none.

It is written from QFPay's documents alone and imports nothing of the addon: a misreading on one
side must not be able to hide on the other.

Where to look:

* ``wire``           bytes and text: cipher, lenient reader, digest, the shapes of an answer
* ``commands``       which fields each command may carry
* ``settings``       everything that can be told to a terminal, faults included
* ``book``           what QFPay's host remembers: trades, refunds, inquiry rows
* ``terminal``       the machine in front of the customer, one job at a time
* ``http_terminal``  its door on the network, HTTP and HTTPS
* ``notifier``       the signed notification that QFPay's host sends after a trade
* ``control``        the HTTP API and the web page with the terminal's screen
* ``certificate``    a self-signed certificate for the HTTPS door
"""
