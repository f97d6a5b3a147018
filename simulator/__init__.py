"""A payment terminal and a gateway that behave like QFPay's, for people and tests without them.

It is written from QFPay's documents alone and imports nothing of the addon: a misreading on one
side must not be able to hide on the other.

Where to look:

* ``wire``           bytes and text: cipher, lenient reader, digest, the shapes of an answer
* ``commands``       which fields each command may carry
* ``settings``       everything that can be told to a terminal, faults included
* ``table``          tables of settings and faults in general, and who checks the values
* ``book``           what QFPay's host remembers: trades, refunds, inquiry rows
* ``terminal``       the machine in front of the customer, one job at a time
* ``http_terminal``  its door on the network, HTTP and HTTPS
* ``listener``       a port that can be opened and shut
* ``bad_answers``    what networks and broken servers answer
* ``notifier``       the signed notification that QFPay's host sends after a trade
* ``gateway``        QFPay's OpenAPI server, a package of its own
* ``control``        the HTTP API and the web page with the terminal's screen
* ``json_api``       bodies, lists and streams of that API
* ``certificate``    a self-signed certificate for the HTTPS door
"""
