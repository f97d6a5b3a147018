import { onMounted } from "@odoo/owl";
import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { useBus } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { PaymentScreen } from "@point_of_sale/app/screens/payment_screen/payment_screen";
import { isQFPayLine } from "@pos_payment_qfpay/app/payment_qfpay";
import { useScans } from "@pos_payment_qfpay/app/services/barcode_reader";
import { isClosed, isUnderWay } from "@pos_payment_qfpay/app/utils/line_view";

patch(PaymentScreen.prototype, {
    setup() {
        super.setup(...arguments);
        useBus(this.pos.qfpay.bus, "settled", ({ detail }) => this.onQFPaySettled(detail));
        useScans((text) => this.pos.qfpay.codes.offer(this.currentOrder, text));
        onMounted(() => {
            this.selectOpenQFPayLine();
            this.pos.qfpay.resume([this.currentOrder]);
        });
    },

    /** An order that came back from the server has no selected line, so nothing to retry with. */
    selectOpenQFPayLine() {
        const order = this.currentOrder;
        if (!order.getSelectedPaymentline()) {
            const open = this.paymentLines.find((line) => isQFPayLine(line) && !isClosed(line));
            order.selectPaymentline(open);
        }
    },

    /**
     * Tapped twice, or once more instead of Retry: the line that is there already is meant. Odoo
     * would show an error, over the code or the question for one.
     */
    async addNewPaymentLine(paymentMethod) {
        const line = this.paymentLines.find(
            (line) =>
                isQFPayLine(line) &&
                line.payment_method_id.id === paymentMethod.id &&
                line.getPaymentStatus() &&
                !isClosed(line)
        );
        if (!line) {
            return super.addNewPaymentLine(...arguments);
        }
        this.currentOrder.selectPaymentline(line);
        this.sendPaymentRequest(line);
        return true;
    },

    /** Whoever types 20 on a refund's line means to give 20 back: as +20 it would be charged. */
    updateSelectedPaymentline() {
        super.updateSelectedPaymentline(...arguments);
        const line = this.selectedPaymentLine;
        if (this.isRefundOrder && isQFPayLine(line) && line.getAmount() > 0) {
            line.setAmount(-line.getAmount());
        }
    },

    /**
     * The end of a QFPay payment is not awaited here: this screen may be gone by then, and another
     * one may show the order.
     */
    async sendPaymentRequest(line) {
        if (!isQFPayLine(line)) {
            return super.sendPaymentRequest(...arguments);
        }
        if (isUnderWay(line) || isClosed(line)) {
            return;
        }
        this.numberBuffer.capture();
        this.paymentLines.forEach((other) => (other.can_be_reversed = false));
        await line.pay();
    },

    async sendPaymentCancel(line) {
        if (!isQFPayLine(line)) {
            return super.sendPaymentCancel(...arguments);
        }
        await this.pos.qfpay.callOff(line.uuid);
    },

    async sendForceDone(line) {
        if (!isQFPayLine(line)) {
            return super.sendForceDone(...arguments);
        }
        await this.pos.qfpay.forceDone(line.uuid);
    },

    deletePaymentLine(uuid) {
        const line = this.paymentLines.find((line) => line.uuid === uuid);
        if (isClosed(line)) {
            this.dialog.add(AlertDialog, {
                title: _t("This payment is done"),
                body: _t("To give the money back, validate the order and make a refund."),
            });
        } else if (isUnderWay(line)) {
            this.callOffAndRemove(line);
        } else {
            if (isQFPayLine(line)) {
                this.pos.qfpay.onLineRemoved(line, this.currentOrder);
            }
            super.deletePaymentLine(...arguments);
        }
    },

    /** The line goes only when nothing was paid, and nothing will be. */
    async callOffAndRemove(line) {
        const order = this.currentOrder;
        if (await this.pos.qfpay.callOff(line.uuid)) {
            this.pos.qfpay.onLineRemoved(line, order);
            order.removePaymentline(line);
            this.numberBuffer.reset();
        }
    },

    /** The same as after any other terminal's payment, on the screen that shows the order now. */
    onQFPaySettled({ line, done, auto }) {
        const order = line.pos_order_id;
        if (!done && line.uuid === this.selectedPaymentLine?.uuid) {
            // what is typed next is a new amount, not more digits of the one that was not paid
            this.numberBuffer.set(line.getAmount().toString());
        }
        if (
            done &&
            auto &&
            order?.uuid === this.props.orderUuid &&
            order.isPaid() &&
            !order.isRefundInProcess() &&
            this.pos.config.auto_validate_terminal_payment
        ) {
            this.validateOrder(false);
        }
    },
});
