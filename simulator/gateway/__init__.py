"""QFPay's OpenAPI server, as far as a shop with a till needs it.

Where to look:

* ``catalogue``  pay types, currencies, return codes and their texts
* ``settings``   everything that can be told to it, faults included
* ``signing``    signatures of requests, answers and notifications
* ``reading``    a request's fields, and the order in which they are checked
* ``orders``     what QFPay remembers: orders, refunds, the rows of a query
* ``merchant``   the five calls: payment, query, refund, close, reversal; and the customer
* ``phone``      the customer's payment codes, and what each will do when it is scanned
* ``notices``    signed notifications, repeated until they are taken
* ``limits``     how many requests are taken in a second and in a minute
* ``door``       the port: requests in, signed answers out, faults in between
* ``station``    all of it together
* ``control``    its part of the control API
"""
