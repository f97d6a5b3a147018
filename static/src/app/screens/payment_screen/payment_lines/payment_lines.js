import { patch } from "@web/core/utils/patch";
import { PaymentScreenPaymentLines } from "@point_of_sale/app/screens/payment_screen/payment_lines/payment_lines";
import { isQFPayLine } from "@pos_payment_qfpay/app/payment_qfpay";
import { lineView } from "@pos_payment_qfpay/app/utils/line_view";

patch(PaymentScreenPaymentLines.prototype, {
    /**
     * @param {object} line a pos.payment record
     * @returns {import("@pos_payment_qfpay/app/utils/line_view").LineView | null}
     */
    qfpayView(line) {
        return isQFPayLine(line) ? lineView(line, this.pos.qfpay.entries[line.uuid]) : null;
    },
});
