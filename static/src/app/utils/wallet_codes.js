/**
 * Customers' payment codes. How they look is the server's knowledge and comes with the payment
 * method; the server also checks again what is sent to it.
 */

/** Blanks and line breaks are no part of a code: some wallets print it in groups. */
export function cleanCode(text) {
    return text.replace(/\s/g, "");
}

/**
 * @param {string} code without blanks
 * @param {[string, string][]} forms wallets and the forms of their codes, of a payment method
 * @returns {string} the wallet whose code this is; "" for what is none of theirs
 */
export function walletOf(code, forms) {
    const known = (forms || []).find(([, form]) => new RegExp(`^(?:${form})$`).test(code));
    return known ? known[0] : "";
}

/**
 * @param {[string, string][]} forms
 * @returns {string[]} each wallet once
 */
export function walletsOf(forms) {
    return [...new Set((forms || []).map(([wallet]) => wallet))];
}
