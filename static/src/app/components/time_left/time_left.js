import { Component, onWillDestroy, useState } from "@odoo/owl";

/** From here on the time left is drawn as a warning, in seconds. */
const SOON = 30;

/** Counts down, on the till and on the customer display; each by its own clock. */
export class TimeLeft extends Component {
    static template = "pos_payment_qfpay.TimeLeft";
    static props = {
        // how much is left when it begins to count
        seconds: Number,
        onEnd: { type: Function, optional: true },
    };

    setup() {
        this.end = Date.now() + this.props.seconds * 1000;
        this.state = useState({ left: this.left });
        const timer = setInterval(() => this.tick(timer), 1000);
        onWillDestroy(() => clearInterval(timer));
    }

    get left() {
        return Math.max(Math.ceil((this.end - Date.now()) / 1000), 0);
    }

    get text() {
        const { left } = this.state;
        return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }

    get isSoon() {
        return this.state.left <= SOON;
    }

    tick(timer) {
        this.state.left = this.left;
        if (!this.state.left) {
            clearInterval(timer);
            this.props.onEnd?.();
        }
    }
}
