import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { PosStore } from "@point_of_sale/app/services/pos_store";
import { ask } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { QFPayPayments } from "@pos_payment_qfpay/app/services/qfpay_payments";
import { isClosed, isUnderWay } from "@pos_payment_qfpay/app/utils/line_view";

patch(PosStore.prototype, {
    async setup() {
        // before the data: the payment interfaces are made while it loads
        this.qfpay = new QFPayPayments(this);
        await super.setup(...arguments);
        this.data.connectWebSocket("QFPAY_PAYMENT", (news) => this.qfpay.onNews(news));
        window.addEventListener("pos-network-online", () => this.qfpay.resume());
        const payments = this.models["pos.payment"];
        payments.addEventListener("update", ({ id }) => this.qfpay.onLineChanged(payments.get(id)));
        payments.addEventListener("create", ({ ids }) =>
            ids.forEach((id) => this.qfpay.onLineCreated(payments.get(id)))
        );
    },

    async afterProcessServerData() {
        const result = await super.afterProcessServerData(...arguments);
        this.qfpay.resume();
        return result;
    },

    /** An order takes its payments with it: not while QFPay holds, or may yet move, the money. */
    async _onBeforeDeleteOrder(order) {
        if (order.payment_ids.some(isUnderWay)) {
            this.dialog.add(AlertDialog, {
                title: _t("A payment is under way"),
                body: _t(
                    "QFPay is still at work for this order. Cancel the payment, or wait until " +
                        "it has ended, then delete the order."
                ),
            });
            return false;
        }
        const closed = order.payment_ids.filter(isClosed);
        if (closed.some((line) => line.transaction_id)) {
            this.dialog.add(AlertDialog, {
                title: _t("This order is paid"),
                body: _t(
                    "QFPay has moved the money of this order. Validate the order; to give the " +
                        "money back, refund it then."
                ),
            });
            return false;
        }
        if (closed.length && !(await this._confirmUnconfirmedLoss())) {
            return false;
        }
        return super._onBeforeDeleteOrder(...arguments);
    },

    _confirmUnconfirmedLoss() {
        return ask(this.dialog, {
            title: _t("Is this order paid?"),
            body: _t(
                "A payment of this order was recorded without QFPay's word. Delete the order " +
                    "only if you are sure that the customer has not paid."
            ),
            confirmLabel: _t("Delete the order"),
            cancelLabel: _t("Keep the order"),
        });
    },
});
