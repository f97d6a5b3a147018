import { patch } from "@web/core/utils/patch";
import { PosPayment } from "@point_of_sale/app/models/pos_payment";
import { isQFPayLine } from "@pos_payment_qfpay/app/payment_qfpay";

patch(PosPayment.prototype, {
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
