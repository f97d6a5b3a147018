import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { useAutofocus } from "@web/core/utils/hooks";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { TimeLeft } from "@pos_payment_qfpay/app/components/time_left/time_left";
import { lineView } from "@pos_payment_qfpay/app/utils/line_view";

/**
 * The till's code for the customer, and what became of it so far. It is only a view: whoever opened
 * it closes it when the payment has ended. Closing it from here calls nothing off.
 */
export class QFPayCodeDialog extends Component {
    static template = "pos_payment_qfpay.CodeDialog";
    static components = { Dialog, TimeLeft };
    static props = {
        // a pos.payment record
        line: Object,
        wallet: String,
        callOff: Function,
        close: Function,
    };

    setup() {
        this.pos = usePos();
        this.entries = useState(this.pos.qfpay.entries);
        // on the button that does no harm: a scanner sends Enter too
        useAutofocus({ refName: "hide", mobile: true });
    }

    get entry() {
        return this.entries[this.props.line.uuid];
    }

    get code() {
        return this.entry.code;
    }

    get secondsLeft() {
        return Math.max((this.code.endsAt - Date.now()) / 1000, 0);
    }

    get view() {
        return lineView(this.props.line, this.entry);
    }

    get amount() {
        return this.env.utils.formatCurrency(this.props.line.getAmount());
    }

    get description() {
        return _t("QR code to pay with %s", this.props.wallet);
    }
}
