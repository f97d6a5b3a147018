import { formatCurrency } from "@point_of_sale/app/models/utils/currency";
import { makeAwaitable } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { generateQRCodeDataUrl } from "@point_of_sale/utils";
import { codeMode } from "@pos_payment_qfpay/app/payment_qfpay";
import { QFPayCodeDialog } from "@pos_payment_qfpay/app/components/code_dialog/code_dialog";
import { QFPayScanDialog } from "@pos_payment_qfpay/app/components/scan_dialog/scan_dialog";
import { isShown } from "@pos_payment_qfpay/app/services/qfpay_messages";
import { isOpenState, isUnderWay } from "@pos_payment_qfpay/app/utils/line_view";
import { cleanCode, walletOf } from "@pos_payment_qfpay/app/utils/wallet_codes";

/** A code with less time left is not worth showing, in seconds. */
const TOO_SHORT = 1;

/** A QR code whose squares have no hairlines between them at any size. */
function drawCode(text) {
    const [kind, svg] = generateQRCodeDataUrl(text, { width: 512, height: 512 }).split(",");
    const crisp = atob(svg).replace("<svg", '<svg shape-rendering="crispEdges"');
    return `${kind},${btoa(crisp)}`;
}

/**
 * The codes between till and customer: the till's own on its screen and on the customer display,
 * and the customer's, which are taken from the scanner.
 *
 * A code is shown for as long as it can be paid, and no moment longer. `update` works that out anew
 * from what is known of the payment, each time that changes; nobody else shows or clears a code.
 */
export class QFPayCodes {
    constructor(payments) {
        this.payments = payments;
        this.pos = payments.pos;
        // by the uuid of a followed line: what the cashier wants to see, and what is open
        this.views = new Map();
        // by the uuid of a line: the scans that have begun
        this.scans = new Map();
    }

    // ---------------------------------------------------------------------- the till's own codes

    /**
     * Brings the screens in line with what is known.
     *
     * @param {string} uuid of a payment line
     * @param {object} known
     * @param {object} [known.line] its record, while there is one
     * @param {object} known.entry what the till remembers, see QFPayPayments
     * @param {object} [known.watch] how its payment is followed; none once it has ended
     */
    update(uuid, { line, entry, watch }) {
        const view = this._view(uuid);
        entry.code = this._codeToShow(uuid, view, line, entry, watch);
        const isWanted = watch && line && (watch.here || view.asked);
        this._showToCustomer(line, isWanted && !view.away ? entry.code : null);
        if (!watch || watch.forced) {
            this._close(view);
            this.views.delete(uuid);
        } else if (isWanted && entry.code && !view.hidden && !view.close) {
            this._open(view, line, entry);
        }
    }

    /** The cashier wants to see the code again, and the payment with it if it was to be called off. */
    show(uuid) {
        const watch = this.payments.watches.get(uuid);
        if (!watch) {
            return;
        }
        watch.unwanted = false;
        const line = this.pos.models["pos.payment"].getBy("uuid", uuid);
        if (line) {
            // a customer display that was opened meanwhile has not been told
            line.qrPaymentData = null;
        }
        Object.assign(this._view(uuid), { asked: true, hidden: false, away: false });
        this.payments.refreshCodes(uuid);
    }

    /** The payment is to be called off: nobody should scan the code now. */
    putAway(uuid) {
        const view = this._view(uuid);
        Object.assign(view, { hidden: true, away: true });
        this._close(view);
    }

    /** Whether the cashier has the code's dialog open. */
    isOpen(uuid) {
        return Boolean(this.views.get(uuid)?.close);
    }

    _view(uuid) {
        if (!this.views.has(uuid)) {
            this.views.set(uuid, {
                // closes the dialog, while it is open
                close: null,
                // the cashier has closed it
                hidden: false,
                // not even on the customer display
                away: false,
                // the cashier asked for it, on a till that did not begin the payment
                asked: false,
                timer: null,
            });
        }
        return this.views.get(uuid);
    }

    _codeToShow(uuid, view, line, entry, watch) {
        const { known, code, callingOff } = entry;
        const canBePaid =
            watch &&
            line &&
            !watch.forced &&
            !callingOff &&
            isOpenState(known) &&
            !known.cancelling &&
            known.qrcode &&
            known.expires_in > TOO_SHORT;
        if (canBePaid && code?.text === known.qrcode) {
            return code;
        }
        clearTimeout(view.timer);
        if (!canBePaid) {
            return null;
        }
        view.timer = setTimeout(() => this._runOut(uuid, entry), known.expires_in * 1000);
        return {
            text: known.qrcode,
            image: drawCode(known.qrcode),
            wallet: known.wallet || line.payment_method_id.name,
            endsAt: Date.now() + known.expires_in * 1000,
        };
    }

    /** QFPay decides whether it was paid in the last moment. */
    _runOut(uuid, entry) {
        entry.known.expires_in = 0;
        this.payments.refreshCodes(uuid);
        this.payments.askAgain(uuid);
    }

    _showToCustomer(line, code) {
        if (!line || line.qrPaymentData?.qrCode === code?.image) {
            return;
        }
        line.qrPaymentData = code && {
            name: code.wallet,
            amount: formatCurrency(line.getAmount(), this.pos.currency),
            qrCode: code.image,
            // read each time that the display is told: it may be opened in the middle
            get secondsLeft() {
                return Math.max(Math.round((code.endsAt - Date.now()) / 1000), 0);
            },
        };
    }

    _open(view, line, entry) {
        if (!isShown(this.pos, line.pos_order_id)) {
            return;
        }
        view.close = this.pos.dialog.add(
            QFPayCodeDialog,
            {
                line,
                wallet: entry.code.wallet,
                callOff: () => this.payments.callOff(line.uuid),
            },
            {
                onClose: () => {
                    if (view.close) {
                        Object.assign(view, { hidden: true, close: null });
                    }
                },
            }
        );
    }

    _close(view) {
        const { close } = view;
        view.close = null;
        close?.();
    }

    // ----------------------------------------------------------------------- customers' codes

    /**
     * Asks for the customer's code, once at a time for each line.
     *
     * @param {object} line a pos.payment record
     * @param {string} [message] why the code before was not good
     * @returns {Promise<string | undefined>} nothing when the cashier gave up
     */
    take(line, message) {
        if (!this.scans.has(line.uuid)) {
            const { dialog } = this.pos;
            this._remember(line, makeAwaitable(dialog, QFPayScanDialog, { line, message }));
        }
        return this.scans.get(line.uuid);
    }

    /**
     * Something was scanned on the payment screen with no dialog open. A cashier who scans for the
     * selected line means to charge it. And scanners like to read twice: nobody should look for a
     * product with the number of a code that is being charged already.
     *
     * @param {object} order
     * @param {string} text what was scanned
     * @returns {boolean} whether it was a customer's code
     */
    offer(order, text) {
        const code = cleanCode(text);
        const fits = (line) =>
            codeMode(line) === "scan" && walletOf(code, line.payment_method_id.qfpay_code_forms);
        const line = order.getSelectedPaymentline();
        if (fits(line) && ["pending", "retry"].includes(line.getPaymentStatus())) {
            this._remember(line, Promise.resolve(code));
            line.pay();
            return true;
        }
        return order.payment_ids.some((line) => isUnderWay(line) && fits(line));
    }

    _remember(line, scan) {
        const { uuid } = line;
        this.scans.set(
            uuid,
            scan.finally(() => this.scans.delete(uuid))
        );
    }
}
