import { _t } from "@web/core/l10n/translation";
import { isQFPayLine } from "@pos_payment_qfpay/app/payment_qfpay";

/** Statuses of a payment line between asking for the money and a final answer. */
const UNDER_WAY = ["waiting", "waitingCard", "waitingCancel", "waitingCapture", "timeout"];

/** What the server calls an attempt that has not ended. */
const OPEN_STATES = ["draft", "sent", "pending", "unknown"];

/**
 * @param {object} [line] a pos.payment record
 * @returns {boolean} whether QFPay may yet move this line's money
 */
export function isUnderWay(line) {
    return isQFPayLine(line) && UNDER_WAY.includes(line.getPaymentStatus());
}

/**
 * @param {object} [line] a pos.payment record
 * @returns {boolean} whether the line is closed as paid, refunded, or recorded as such
 */
export function isClosed(line) {
    return isQFPayLine(line) && ["done", "reversed"].includes(line.getPaymentStatus());
}

/**
 * @param {object} [status] the server's words about a line
 * @returns {boolean} whether its last attempt has not ended
 */
export function isOpenState(status) {
    return OPEN_STATES.includes(status?.state);
}

/**
 * @typedef {object} LineView what the payment screen shows under a line
 * @property {string} state one word for the situation, for styles and tests
 * @property {string} text the situation in a sentence
 * @property {boolean} busy whether something is awaited
 * @property {boolean} locked whether the line cannot be removed now
 * @property {("send" | "retry" | "cancel" | "ask" | "force")[]} buttons
 */

/**
 * @param {object} line a pos.payment record of a QFPay method
 * @param {object} [entry] what this till remembers of it, see QFPayPayments.entries
 * @returns {LineView | null} null when there is nothing to say about the line yet
 */
export function lineView(line, entry = {}) {
    const isRefund = line.getAmount() < 0;
    switch (line.getPaymentStatus()) {
        case "pending":
            return view("ready", _t("Ready to be sent to the terminal."), ["send"]);
        case "retry":
            return view("retry", entry.known?.message || _t("Nothing was paid."), ["retry"]);
        case "done":
        case "reversed":
            return { ...view("done", closedText(line, entry, isRefund), []), locked: true };
    }
    if (!isUnderWay(line)) {
        return null;
    }
    return { ...underWayView(entry, isRefund), busy: true, locked: isRefund || entry.callingOff };
}

function view(state, text, buttons) {
    return { state, text: text.toString(), buttons, busy: false, locked: false };
}

function underWayView(entry, isRefund) {
    const { known } = entry;
    const terminal = known?.terminal || _t("the terminal");
    if (entry.unreachable) {
        return view(
            "unreachable",
            isRefund
                ? _t("The server does not answer. Do not refund again: asking until it does…")
                : _t("The server does not answer. Do not charge again: asking until it does…"),
            ["ask", "force"]
        );
    }
    if (entry.starting || !known) {
        return view("starting", _t("Asking the server…"), []);
    }
    if (known.state === "unknown") {
        return view("unknown", known.message || _t("Asking QFPay what became of it…"), [
            "ask",
            "force",
        ]);
    }
    if (entry.callingOff || known.cancelling) {
        return view("cancelling", _t("Cancelling on %s…", terminal), []);
    }
    if (isRefund) {
        return view("waiting", known.message || _t("Refunding on %s…", terminal), []);
    }
    return view("waiting", known.message || _t("Waiting for the card on %s…", terminal), [
        "cancel",
    ]);
}

function closedText(line, entry, isRefund) {
    if ((entry.forced || line.qfpay_confirmation === "unconfirmed") && !line.transaction_id) {
        return _t("Recorded as done, not confirmed by QFPay.");
    }
    const means = [line.card_brand, line.card_no].filter(Boolean).join(" ");
    if (isRefund) {
        return means ? _t("Refunded to %s.", means) : _t("Refunded.");
    }
    return means ? _t("Paid with %s.", means) : _t("Paid.");
}
