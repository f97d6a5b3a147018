import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import OrderPaymentValidation from "@point_of_sale/app/utils/order_payment_validation";
import { isUnderWay } from "@pos_payment_qfpay/app/utils/line_view";

patch(OrderPaymentValidation.prototype, {
    /** Validating removes the lines that are not done: not those whose money may yet move. */
    async isOrderValid() {
        if (this.order.payment_ids.some(isUnderWay)) {
            this.pos.dialog.add(AlertDialog, {
                title: _t("A payment is under way"),
                body: _t("Wait until it has ended, or cancel the payment."),
            });
            return false;
        }
        return super.isOrderValid(...arguments);
    },
});
