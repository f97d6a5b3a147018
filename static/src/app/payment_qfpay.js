/**
 * Where QFPay meets the names that Odoo renames from version to version: the base class, the
 * registration, and the fields that say which provider a payment method uses. No other JavaScript
 * file of this addon knows them.
 */
import { PaymentInterface } from "@point_of_sale/app/utils/payment/payment_interface";
import { register_payment_method } from "@point_of_sale/app/services/pos_store";

/** The values of a payment method's provider that belong to this addon. */
export const QFPAY_PROVIDERS = ["qfpay_ecr", "qfpay_openapi"];

/**
 * @param {object} [line] a pos.payment record
 * @returns {boolean} whether its money moves through QFPay
 */
export function isQFPayLine(line) {
    return QFPAY_PROVIDERS.includes(line?.payment_method_id?.use_payment_terminal);
}

/**
 * @param {object} [line] a pos.payment record
 * @returns {"show" | "scan" | ""} who shows a code to pay this line: the till, or the customer;
 *     nobody for a terminal's line and for a refund
 */
export function codeMode(line) {
    const isPayment = isQFPayLine(line) && line.getAmount() >= 0;
    return (isPayment && line.payment_method_id.qfpay_mode) || "";
}

/**
 * @param {object} [line] a pos.payment record
 * @returns {boolean} whether its money moves through a terminal
 */
export function isTerminalLine(line) {
    return line?.payment_method_id.use_payment_terminal === "qfpay_ecr";
}

/**
 * What the payment screen calls. There is one instance per payment method, shared by all its lines,
 * so nothing is remembered here: `pos.qfpay` follows each payment by its line.
 */
export class PaymentQFPay extends PaymentInterface {
    /**
     * @param {string} uuid of the payment line
     * @returns {Promise<boolean>} never rejected; false only when the money certainly did not move
     */
    sendPaymentRequest(uuid) {
        return this.pos.qfpay.send(uuid);
    }

    /**
     * @param {object} order
     * @param {string} uuid of the payment line
     * @returns {Promise<boolean>} never rejected; true when nothing was paid and nothing will be
     */
    sendPaymentCancel(order, uuid) {
        return this.pos.qfpay.callOff(uuid);
    }
}

for (const provider of QFPAY_PROVIDERS) {
    register_payment_method(provider, PaymentQFPay);
}
