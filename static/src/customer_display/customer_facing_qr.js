import { useState } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { CustomerFacingQR } from "@point_of_sale/customer_display/customer_facing_qr";
import { TimeLeft } from "@pos_payment_qfpay/app/components/time_left/time_left";

/**
 * A code of ours says how long it can be paid, in seconds: the display counts on by itself, and
 * takes the code away in time even when the till is gone. Odoo's dialog keeps the code that it was
 * opened with; ours follows the till, so that a new code takes the place of the old one.
 */
patch(CustomerFacingQR, {
    components: { ...CustomerFacingQR.components, TimeLeft },
    props: {
        ...CustomerFacingQR.props,
        secondsLeft: { type: Number, optional: true },
    },
});

patch(CustomerFacingQR.prototype, {
    setup() {
        super.setup();
        this.order = useService("customer_display_data");
        this.qfpay = useState({ ended: "" });
    },

    /** The code that the till shows now; null when it is none of ours. */
    get qfpayCode() {
        const code = this.order.qrPaymentData || this.props;
        return code.secondsLeft === undefined ? null : code;
    },

    get hasRunOut() {
        return this.qfpay.ended === this.qfpayCode.qrCode || !this.qfpayCode.secondsLeft;
    },
});
