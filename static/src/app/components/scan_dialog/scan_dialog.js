import { Component, onWillDestroy, useExternalListener, useState } from "@odoo/owl";
import { barcodeService } from "@barcodes/barcode_service";
import { isBarcodeScannerSupported } from "@web/core/barcode/barcode_video_scanner";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { formatList } from "@web/core/l10n/utils";
import { useAutofocus } from "@web/core/utils/hooks";
import { WalletCamera } from "@pos_payment_qfpay/app/components/scan_dialog/wallet_camera";
import { useScans } from "@pos_payment_qfpay/app/services/barcode_reader";
import { cleanCode, walletOf, walletsOf } from "@pos_payment_qfpay/app/utils/wallet_codes";

/**
 * Takes the customer's payment code from the scanner, the camera or the keyboard. What is no such
 * code is refused here at once; the server checks it again. The code is handed on and kept nowhere.
 */
export class QFPayScanDialog extends Component {
    static template = "pos_payment_qfpay.ScanDialog";
    static components = { Dialog, WalletCamera };
    static props = {
        // a pos.payment record
        line: Object,
        // why another code is needed
        message: { type: String, optional: true },
        getPayload: Function,
        close: Function,
    };

    setup() {
        this.input = useAutofocus({ refName: "input" });
        this.state = useState({
            text: "",
            problem: this.props.message || "",
            camera: false,
            hasCamera: isBarcodeScannerSupported(),
        });
        // how many characters came one after the other as fast as only a scanner types
        this.burst = 0;
        this.lastInput = 0;
        this.timer = null;
        useScans((text) => this.submit(text));
        useExternalListener(window, "keydown", (event) => this.onKeydown(event), { capture: true });
        onWillDestroy(() => clearTimeout(this.timer));
    }

    get forms() {
        return this.props.line.payment_method_id.qfpay_code_forms;
    }

    get wallet() {
        return walletOf(cleanCode(this.state.text), this.forms);
    }

    get wallets() {
        return walletsOf(this.forms);
    }

    get amount() {
        return this.env.utils.formatCurrency(this.props.line.getAmount());
    }

    /** A scanner that ends with neither Enter nor Tab has ended when nothing more comes. */
    onInput(event) {
        const now = Date.now();
        const isFast = now - this.lastInput <= barcodeService.maxTimeBetweenKeysInMs;
        this.burst = isFast ? this.burst + 1 : 1;
        this.lastInput = now;
        this.state.text = event.target.value;
        this.state.problem = "";
        clearTimeout(this.timer);
        if (this.isScan) {
            this.timer = setTimeout(
                () => this.submit(this.state.text),
                barcodeService.maxTimeBetweenKeysInMs
            );
        }
    }

    /** Whether a scanner has typed the whole of a wallet's code. */
    get isScan() {
        return this.burst === this.state.text.length && Boolean(this.wallet);
    }

    onInputKeydown(event) {
        if (event.key === "Enter" || (event.key === "Tab" && this.isScan)) {
            event.preventDefault();
            event.stopPropagation();
            this.submit(this.state.text);
        }
    }

    /** Whichever button has the focus: what is typed, by hand or by a scanner, is the code. */
    onKeydown(event) {
        const isCharacter = event.key?.length === 1 && !event.ctrlKey && !event.metaKey;
        const isElsewhere = event.target !== this.input.el && this.env.dialogData.isActive;
        if (isCharacter && event.key !== " " && isElsewhere) {
            this.input.el.focus();
        }
    }

    /** @param {string} text what was scanned or typed */
    submit(text) {
        if (!this.take(text)) {
            // what comes next takes its place
            this.input.el.select();
            this.burst = 0;
        }
    }

    /**
     * Hands a customer's code on; says what is wrong with anything else.
     *
     * @param {string} text
     * @returns {boolean} whether it was a customer's code
     */
    take(text) {
        clearTimeout(this.timer);
        const code = cleanCode(text);
        if (walletOf(code, this.forms)) {
            this.props.getPayload(code);
            this.props.close();
            return true;
        }
        this.state.problem = code
            ? _t(
                  "This is no payment code of %s. Ask the customer to open the payment code in the " +
                      "wallet, and scan it.",
                  formatList(this.wallets, { style: "or" })
              )
            : _t("Scan the customer's payment code, or type it.");
        return false;
    }

    /** Switching the camera off while it starts is an error to Odoo. */
    onCameraError(error) {
        if (this.state.camera) {
            this.state.camera = false;
            this.state.problem = error.message;
        }
    }

    toggleCamera() {
        this.state.camera = !this.state.camera;
        this.state.problem = "";
    }
}
