"""One answer in one shape, whichever wire it came by.

An `Outcome` holds what QFPay says, translated into facts that need no knowledge of the protocol:
a verdict about the money, and who, what and how much as far as the answer tells. It holds what was
*received*. Whether the amount is the one that was asked for is for its reader to judge, with one
exception: an answer that contradicts its own question never carries the verdict `DONE`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

TradeType = Literal['payment', 'refund']


class Verdict(str, Enum):
    """What is known about the money.

    DONE       the money moved (of a print command: it was carried out)
    FAILED     it did not move, and will not
    CANCELLED  it was cancelled and did not move
    PENDING    QFPay has the request; the customer or a bank must act
    UNKNOWN    the answer does not tell; only an inquiry can
    NOT_FOUND  an inquiry found nothing under that number (inquiries only)
    """

    DONE = 'done'
    FAILED = 'failed'
    CANCELLED = 'cancelled'
    PENDING = 'pending'
    UNKNOWN = 'unknown'
    NOT_FOUND = 'not_found'


FINAL_VERDICTS = frozenset({Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one answer says. Texts are free of control characters; absent facts are None or ''.

    Amounts are integers in minor units (cents). `paid_at` is QFPay's own text, Hong Kong time.
    Outcomes that say the same are equal, whenever and in whatever bytes they were said. `cancel`
    and `refundable_minor` tell, in the answer to an inquiry, what became of a payment after it was
    made (the protocol, A12.5 and B7): 0 nothing, 1 reversed or refunded, 2 closed before payment,
    3 refunded, 5 refunded in part.
    """

    verdict: Verdict
    #: response code of the terminal and of QFPay's host inside the data; of the OpenAPI: of the
    #: call, and of the transaction's row in the answer to an inquiry
    code: str = ''
    inner_code: str = ''
    #: QFPay's own words
    message: str = ''
    #: our number (out_trade_no), QFPay's, the refunded payment's, the channel's
    reference: str | None = None
    syssn: str | None = None
    orig_syssn: str | None = None
    chnlsn: str | None = None
    #: QFPay's code of what was used in the end (busicd), and the wallet that it names
    pay_type: str | None = None
    wallet: str = ''
    amount_minor: int | None = None
    #: alphabetic ISO 4217
    currency: str | None = None
    card_scheme: str = ''
    card_last4: str = ''
    card_type: str = ''
    paid_at: str | None = None
    cancel: int | None = None
    refundable_minor: int | None = None
    trade_type: TradeType | None = None
    #: OpenAPI only: what the code asks a cashier to do (`openapi.catalogue.Action`), the merchant's
    #: id, the text of a code that the customer scans, PayMe's address for its app, until when the
    #: code is to be shown (Hong Kong time, as text)
    action: str = ''
    merchant: str | None = None
    qrcode: str = ''
    pay_url: str = ''
    expires_at: str | None = None
    #: whether QFPay's gateway signed, or its terminal encrypted, what is said here
    signed: bool = False
    #: whether it came as strict JSON in strict UTF-8; what was read generously moves no money
    strict: bool = False
    #: by QFPay's clock: when the trade was made, and when this was said
    traded_at: datetime | None = None
    stated_at: datetime | None = field(default=None, compare=False)
    #: on the channel's paper: batch, reference and trace number
    batch: str = ''
    channel_reference: str = ''
    trace: str = ''
    #: QFPay's numbers of other payments that were made under the same number of ours
    also_paid: tuple[str, ...] = ()
    #: the answer's text as it was opened, for support; what is secret in it is still there
    heard: str = field(default='', compare=False, repr=False)

    @property
    def final(self) -> bool:
        """Whether the verdict ends the attempt: nothing has to be asked any more."""
        return self.verdict in FINAL_VERDICTS
