/* global posmodel */
import { delay } from "@web/core/utils/concurrency";

/** Calls a method that the Python test lends to `pos.config`, with which it reaches the simulator. */
export function call(name, ...args) {
    return posmodel.data.call("pos.config", name, args);
}

/**
 * The customer's part, as soon as it is possible.
 *
 * @param {string} lent the method that does it and returns whether it could
 * @param {string} part what to do
 */
export function customerDoes(lent, part) {
    return {
        content: `the customer's part: ${part}`,
        trigger: "body",
        async run() {
            for (let patience = 80; !(await call(lent, part)); patience--) {
                if (!patience) {
                    throw new Error(`The customer cannot "${part}"`);
                }
                await delay(100);
            }
        },
    };
}

/** Until the line is in that situation, and says these words. */
export function lineIs(state, text) {
    const words = text ? `:contains("${text}")` : "";
    return {
        content: `the QFPay line is ${state}`,
        trigger: `.qfpay-status[data-state="${state}"] .electronic_status${words}`,
    };
}
