import { BarcodeVideoScanner } from "@web/core/barcode/barcode_video_scanner";

/**
 * Odoo's camera scanner, which looks at a stripe in the middle of the picture, made for bar codes.
 * Wallets show a QR code as well: this one looks at the whole picture.
 */
export class WalletCamera extends BarcodeVideoScanner {
    static template = "pos_payment_qfpay.WalletCamera";
    static components = {};
}
