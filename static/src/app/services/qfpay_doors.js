/**
 * The three doors of the server through which a till speaks about a payment. A till names a payment
 * line and nothing else: amount, currency and terminal are the server's own knowledge.
 *
 * Each call is rejected when no answer came, whatever the reason; the caller then knows nothing
 * about what the server did.
 */
import { rpc } from "@web/core/network/rpc";

/** How long to wait for the server's word, in milliseconds. It never waits for a customer. */
const ANSWER_LIMIT = 15000;
/** How many lines the server answers about at once. */
const LINES_AT_ONCE = 100;

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} limit in milliseconds
 * @param {() => void} [giveUp] called when the time is over
 * @returns {Promise<T>} rejected when the time is over
 */
export function withTimeLimit(promise, limit, giveUp = () => {}) {
    let timer;
    const timeUp = new Promise((resolve, reject) => {
        timer = setTimeout(() => {
            reject(new Error("No answer in time"));
            giveUp();
        }, limit);
    });
    return Promise.race([promise, timeUp]).finally(() => clearTimeout(timer));
}

/** By how many seconds the server's clock is ahead of this page's, which nobody sets. */
let ahead = null;

/** @returns {number | null} the server's time now, in seconds; null while nobody has told it */
export function serverTime() {
    return ahead === null ? null : performance.now() / 1000 + ahead;
}

async function ask(door, params) {
    const request = rpc(`/pos_payment_qfpay/${door}`, params, { silent: true });
    const answer = await withTimeLimit(request, ANSWER_LIMIT, () => request.abort(false));
    ahead = answer.now ? answer.now - performance.now() / 1000 : ahead;
    return answer;
}

/**
 * Asks for the line's money. Asking twice is safe: the server knows the open attempt.
 *
 * @param {string} uuid of the payment line
 * @param {object} tap the cashier's
 * @param {string} tap.tap its name: under the same name nothing begins twice
 * @param {number | null} tap.askedAt when it was, by the server's clock: too late, nothing begins
 * @param {string} [authCode] the customer's code, where one is scanned
 * @returns {Promise<{payment: object} | {error: {code: string, message: string}}>}
 */
export function start(uuid, { tap, askedAt }, authCode) {
    const code = authCode ? { auth_code: authCode } : {};
    return ask("start", { payment_uuid: uuid, tap, asked_at: askedAt, ...code });
}

/**
 * @param {string[]} uuids of payment lines
 * @param {object} [options]
 * @param {boolean} [options.inquire] let the server ask QFPay again at once
 * @param {boolean} [options.refundable] have it tell what may still be given back
 * @returns {Promise<object[]>} what the server knows of each line
 */
export async function status(uuids, { inquire = false, refundable = false } = {}) {
    const known = [];
    for (let first = 0; first < uuids.length; first += LINES_AT_ONCE) {
        const payment_uuids = uuids.slice(first, first + LINES_AT_ONCE);
        const clock = ahead === null ? { clock: true } : {};
        const options = { inquire, refundable, ...clock };
        const { payments } = await ask("status", { payment_uuids, ...options });
        known.push(...payments);
    }
    return known;
}

/**
 * @param {string} uuid of the payment line
 * @param {string} [tap] of a start of which nothing was heard: should it come yet, nothing begins
 * @returns {Promise<{payment: object} | {error: {code: string, message: string}}>}
 */
export function cancel(uuid, tap) {
    return ask("cancel", { payment_uuid: uuid, ...(tap ? { tap } : {}) });
}
