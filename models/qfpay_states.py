"""The states of a row of the ledger, and what may follow on what."""

from ..qfpay.outcome import Verdict

OPEN_STATES = ('draft', 'sent', 'pending', 'unknown')

TRANSITIONS = {
    'draft': {'sent', 'failed', 'cancelled'},
    'sent': {'pending', 'unknown', 'done', 'failed', 'cancelled'},
    'pending': {'unknown', 'done', 'failed', 'cancelled'},
    'unknown': {'pending', 'done', 'failed', 'cancelled'},
    'failed': {'done'},
    'cancelled': {'done'},
    'done': set(),
}

STATE_OF_VERDICT = {
    Verdict.DONE: 'done',
    Verdict.FAILED: 'failed',
    Verdict.CANCELLED: 'cancelled',
    Verdict.PENDING: 'pending',
    Verdict.UNKNOWN: 'unknown',
}
