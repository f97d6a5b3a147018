/** What the cashier is told about a payment beyond the words under its line. */
import { AlertDialog, ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";

/** Whether the cashier looks at the payments of this order. */
export function isShown(pos, order) {
    const { current, params } = pos.router.state;
    return current === "PaymentScreen" && params.orderUuid === order.uuid;
}

function alert(pos, order, title, body) {
    return pos.dialog.add(AlertDialog, {
        title: isShown(pos, order)
            ? title
            : _t("Order %(name)s: %(title)s", { name: order.getName(), title }),
        body: body.toString(),
    });
}

/**
 * @param {object} pos
 * @param {object} line the pos.payment record whose payment ended
 * @param {object} known the server's last words about it
 * @param {object} how
 * @param {boolean} how.done whether the money moved
 * @param {boolean} how.forced whether the cashier had recorded it as done before
 * @param {boolean} how.unwanted whether the cashier had tried to call it off
 * @returns {(() => void) | undefined} takes back what was told, if it is still on the screen
 */
export function tellEnd(pos, line, known, { done, forced, unwanted }) {
    const order = line.pos_order_id;
    const isRefund = line.getAmount() < 0;
    if (done && unwanted) {
        const body = _t(
            "The customer paid in the moment of cancelling. The payment stays on the order; to " +
                "give the money back, make a refund."
        );
        return alert(pos, order, _t("The payment was approved"), body);
    } else if (!done && forced) {
        const body = _t("The payment that you recorded as done was not made.");
        return alert(pos, order, _t("QFPay says: not paid"), `${body} ${known.message}`);
    } else if (!done && !unwanted && known.message) {
        const title = isRefund ? _t("Not refunded") : _t("Not paid");
        return alert(pos, order, title, known.message);
    } else if (done && !forced && !isShown(pos, order)) {
        const text = isRefund
            ? _t("Order %s: the money was given back.", order.getName())
            : _t("Order %s: the payment was approved.", order.getName());
        pos.notification.add(text, { type: "success" });
    }
}

/** QFPay took back what was done: the line is open again. */
export function tellReversed(pos, line, known) {
    alert(pos, line.pos_order_id, _t("QFPay took this payment back"), known.message);
}

/** @param {{order: string}} removed the order whose line was removed before it turned out paid */
export function tellRemovedIsPaid(pos, { order }) {
    pos.dialog.add(AlertDialog, {
        title: _t("Order %s: a removed payment was paid after all", order),
        body: _t(
            "QFPay had said that nothing was paid, and the payment was removed. Now it says that " +
                "the money moved. Ask a manager to give it back, or to book it."
        ),
    });
}

export function tellRefundGoesOn(pos) {
    pos.dialog.add(AlertDialog, {
        title: _t("A refund cannot be cancelled"),
        body: _t("The money is being given back. Wait until that has ended."),
    });
}

/** @param {string} [reason] the server's sentence */
export function tellCallOffRefused(pos, reason) {
    const text = reason || _t("The payment was not cancelled: it goes on.");
    pos.notification.add(text, { type: "warning" });
}

/**
 * @param {object} pos
 * @param {Promise} end of the payment; the question is pointless then
 * @returns {Promise<boolean>} whether to record the payment as done
 */
export function confirmForce(pos, end) {
    return new Promise((resolve) => {
        const close = pos.dialog.add(
            ConfirmationDialog,
            {
                title: _t("Record as done without QFPay's word?"),
                body: _t(
                    "QFPay could not say whether the money moved. Look at the terminal, at its " +
                        "receipt or at the customer's wallet first. The payment will be recorded " +
                        "as unconfirmed, and a manager will see it."
                ),
                // Enter and Escape keep asking: a scanner sends Enter too
                confirmLabel: _t("Keep asking"),
                confirm: () => resolve(false),
                cancelLabel: _t("Record as unconfirmed"),
                cancel: () => resolve(true),
                dismiss: () => resolve(false),
            },
            { onClose: () => resolve(false) }
        );
        end.then(() => close());
    });
}
