import { patch } from "@web/core/utils/patch";
import { PosPayment } from "@point_of_sale/app/models/pos_payment";
import { isQFPayLine } from "@pos_payment_qfpay/app/payment_qfpay";

patch(PosPayment.prototype, {
    initState() {
        super.initState();
        // survives a reload, not a change of till: was this till the one that asked for the money?
        this.uiState = { ...this.uiState, qfpaySentHere: false };
    },

    /**
     * A QFPay line that is paid, or that the cashier recorded as paid, is never opened again by an
     * answer that comes late.
     */
    handlePaymentResponse(isPaymentSuccessful) {
        const isOver = this.getPaymentStatus() === "done" || this.pos_order_id?.finalized;
        if (isQFPayLine(this) && isOver && !isPaymentSuccessful) {
            return this.isDone();
        }
        return super.handlePaymentResponse(isPaymentSuccessful);
    },
});
