import { useEffect } from "@odoo/owl";
import { patch } from "@web/core/utils/patch";
import { BarcodeReader } from "@point_of_sale/app/services/barcode_reader_service";

/** Who wants what is scanned before Odoo reads it as a product, the newest last. */
const takers = [];

/**
 * A customer's payment code means nothing to Odoo, and under a GS1 nomenclature it is an error. So a
 * component takes it before Odoo looks at it, for as long as it is mounted.
 *
 * @param {(text: string) => boolean | void} take returns false for what it does not want
 */
export function useScans(take) {
    useEffect(
        () => {
            takers.push(take);
            return () => takers.splice(takers.indexOf(take), 1);
        },
        () => []
    );
}

patch(BarcodeReader.prototype, {
    async _scan(text) {
        if (text && takers.toReversed().some((take) => take(text) !== false)) {
            return;
        }
        return super._scan(...arguments);
    },
});
