import { _t } from "@web/core/l10n/translation";
import { formatCurrency } from "@point_of_sale/app/models/utils/currency";
import { codeMode, isQFPayLine, isTerminalLine } from "@pos_payment_qfpay/app/payment_qfpay";

/** Statuses of a payment line between asking for the money and a final answer. */
const UNDER_WAY = ["waiting", "waitingCard", "waitingCancel", "waitingCapture", "timeout"];

/** QFPay may know an order some seconds before its answer brings the code. In milliseconds. */
const CODE_IS_LOST = 15000;

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
 * @property {("send" | "show" | "scan" | "retry" | "code" | "cancel" | "ask" | "force")[]} buttons
 */

/**
 * @param {object} line a pos.payment record of a QFPay method
 * @param {object} [entry] what this till remembers of it, see QFPayPayments.entries
 * @returns {LineView | null} null when there is nothing to say about the line yet
 */
export function lineView(line, entry = {}) {
    const isRefund = line.getAmount() < 0;
    const mode = codeMode(line);
    switch (line.getPaymentStatus()) {
        case "pending":
            return readyView(mode);
        case "retry":
            return retryView(mode, entry);
        case "done":
        case "reversed":
            return { ...view("done", closedText(line, entry, isRefund), []), locked: true };
    }
    if (!isUnderWay(line)) {
        return isRefund ? refundView(line, entry) : null;
    }
    const now = isRefund ? refundingView(line, entry) : payingView(entry, mode);
    return { ...now, busy: true, locked: isRefund || Boolean(entry.callingOff) };
}

function view(state, text, buttons) {
    return { state, text: text.toString(), buttons, busy: false, locked: false };
}

function readyView(mode) {
    if (mode === "show") {
        return view("ready", _t("Ready to show the code."), ["show"]);
    }
    if (mode === "scan") {
        return view("ready", _t("Scan the customer's code."), ["scan"]);
    }
    return view("ready", _t("Ready to be sent to the terminal."), ["send"]);
}

function retryView(mode, { known }) {
    if (mode === "scan") {
        return view("retry", known?.message || _t("Scan the customer's code."), ["scan"]);
    }
    return view("retry", known?.message || _t("Nothing was paid."), ["retry"]);
}

/** Before a refund is begun: how much of it QFPay can do. */
function refundView(line, { refundable }) {
    if (refundable === null || refundable === undefined) {
        return null;
    }
    const { currency } = line.pos_order_id;
    const text = refundable
        ? _t("QFPay can give back %s at most.", formatCurrency(refundable, currency))
        : _t("QFPay can give back nothing more of this payment.");
    return view("ready", text, []);
}

function refundingView(line, entry) {
    const { known } = entry;
    if (entry.unreachable) {
        const text = _t("The server does not answer. Do not refund again: asking until it does…");
        return view("unreachable", text, ["ask", "force"]);
    }
    if (entry.starting || !known) {
        return view("starting", _t("Asking the server…"), []);
    }
    if (known.state === "unknown") {
        return view("unknown", unknownText(known), ["ask", "force"]);
    }
    const text = isTerminalLine(line)
        ? _t("Refunding on %s…", terminalName(known))
        : _t("Giving the money back…");
    return view("waiting", known.message || text, []);
}

function payingView(entry, mode) {
    const { known } = entry;
    const code = entry.code ? ["code"] : [];
    if (entry.unreachable) {
        const text = _t("The server does not answer. Do not charge again: asking until it does…");
        return view("unreachable", text, [...code, "ask", "force"]);
    }
    if (entry.starting || !known) {
        const text = mode === "show" ? _t("Asking QFPay for a code…") : _t("Asking the server…");
        return view("starting", text, []);
    }
    const isEnding = entry.callingOff || known.cancelling;
    if (known.state === "unknown") {
        // QFPay can be told by the payment's number; a terminal knows only what it does now
        const cancel = mode && !isEnding ? ["cancel"] : [];
        return view("unknown", unknownText(known), [...code, "ask", "force", ...cancel]);
    }
    if (isEnding) {
        const text = mode
            ? _t("Cancelling at QFPay…")
            : _t("Cancelling on %s…", terminalName(known));
        return view("cancelling", text, []);
    }
    return view("waiting", waitingText(entry, mode), [...code, "cancel"]);
}

function unknownText(known) {
    return known.message || _t("Asking QFPay what became of it…");
}

function terminalName(known) {
    return known.terminal || _t("the terminal");
}

function waitingText({ known, code, wallet, since }, mode) {
    if (mode === "show") {
        return shownText(known, code, since);
    }
    if (mode === "scan") {
        const text = known.message || _t("Waiting for QFPay…");
        return wallet ? _t("%(wallet)s: %(text)s", { wallet, text }) : text;
    }
    return known.message || _t("Waiting for the card on %s…", terminalName(known));
}

function shownText(known, code, since) {
    if (code) {
        return known.message || _t("Waiting for the customer to scan the code…");
    }
    if (known.qrcode) {
        return _t("The code has run out. Asking QFPay whether it was paid in the last moment…");
    }
    return known.state === "pending" && Date.now() - since > CODE_IS_LOST
        ? _t("QFPay has the order, but its code did not arrive. Cancel, then try again.")
        : _t("Asking QFPay for a code…");
}

function closedText(line, entry, isRefund) {
    if ((entry.forced || line.qfpay_confirmation === "unconfirmed") && !line.transaction_id) {
        return _t("Recorded as done, not confirmed by QFPay.");
    }
    const card = [line.card_brand, line.card_no].filter(Boolean).join(" ");
    const means = card || (!isTerminalLine(line) && line.card_type);
    if (isRefund) {
        return means ? _t("Refunded to %s.", means) : _t("Refunded.");
    }
    return means ? _t("Paid with %s.", means) : _t("Paid.");
}
