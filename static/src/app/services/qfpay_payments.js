import { EventBus, markRaw } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { Reactive } from "@web/core/utils/reactive";
import { uuidv4 } from "@point_of_sale/utils";
import { codeMode, isQFPayLine, isTerminalLine } from "@pos_payment_qfpay/app/payment_qfpay";
import { QFPayCodes } from "@pos_payment_qfpay/app/services/qfpay_codes";
import * as doors from "@pos_payment_qfpay/app/services/qfpay_doors";
import * as messages from "@pos_payment_qfpay/app/services/qfpay_messages";
import { isClosed, isOpenState, isUnderWay } from "@pos_payment_qfpay/app/utils/line_view";
import { walletOf } from "@pos_payment_qfpay/app/utils/wallet_codes";

/** Milliseconds between two questions to the server, while somebody waits for the answer. */
const ASK_EVERY = 1000;
/** The longest pause, when the server does not answer or nobody waits any more. */
const ASK_RARELY = 15000;
/** How long an order may take to reach the server before the payment is not even started. */
const SYNC_LIMIT = 30000;
/** Where the browser keeps which payments it has asked for. */
const SENT_HERE = "pos_payment_qfpay.sent_here";
/** What the server's status and the payment line call by the same name. */
const FACTS = ["transaction_id", "payment_ref_no", "card_brand", "card_no", "card_type"];
/** How many codes are shown one after the other: after that nobody is standing there any more. */
const MOST_RENEWALS = 11;
/** How long to wait until QFPay was asked, and between two looks at that, in milliseconds. */
const ASKED_LIMIT = 10000;
const ASKED_PAUSE = 500;
/** Where the browser keeps what it removed after an attempt that had failed. */
const REMOVED_HERE = "pos_payment_qfpay.removed_here";
const MOST_REMOVED = 20;
/** How often the server must say that it knows nothing, when a start may still be on its way. */
const CERTAINLY_NONE = 2;

/**
 * Follows every QFPay payment of this till, by the uuid of its payment line.
 *
 * What happened to the money is the server's knowledge. This object asks for a payment to start,
 * asks on until the server names a final state, and lets the line show it, whichever screen is
 * open, after a reload too. Nothing here ends a payment as failed unless the server said so: no
 * answer, a broken answer and an error all mean that nothing is known, and that it must be asked.
 *
 * Three things are kept apart:
 * - `entries`, reactive, by uuid: what a line's text is made of; kept after the payment ended;
 * - `watches`, by uuid: the payments that are followed, with the promises that wait for their end;
 * - the payment line's own status, which Odoo saves and synchronises.
 */
export class QFPayPayments extends Reactive {
    constructor(pos) {
        super();
        this.pos = pos;
        this.entries = {};
        this.watches = markRaw(new Map());
        // "settled", {line, done, auto}: a payment ended; auto: nobody wanted it otherwise meanwhile
        this.bus = new EventBus();
        this.clock = markRaw({ timer: null, asking: false, again: false, failures: 0, now: 0 });
        this.hasBlocked = false;
        this.codes = markRaw(new QFPayCodes(this));
    }

    // ------------------------------------------------------------------ what the cashier can ask

    /**
     * Asks for a line's money.
     *
     * @param {string} uuid of the payment line
     * @returns {Promise<boolean>} true: done; false: it certainly did not move. Pending until then
     */
    send(uuid) {
        const line = this._line(uuid);
        if (codeMode(line) === "scan" && !this.watches.has(uuid)) {
            return this._sendScanned(line);
        }
        return this._begin(uuid);
    }

    /** Nothing is asked for before the customer's code is there. It is only passed on. */
    async _sendScanned(line) {
        const { uuid } = line;
        const { known } = this._entry(uuid);
        // a reload in the meantime should find nothing to follow
        line.setPaymentStatus("pending");
        const code = await this.codes.take(line, known?.can_retry_code ? known.message : "");
        if (!code || !this._line(uuid) || isClosed(line)) {
            return false;
        }
        line.setPaymentStatus("waiting");
        const end = this._begin(uuid, code);
        this._entry(uuid).wallet = walletOf(code, line.payment_method_id.qfpay_code_forms);
        return end;
    }

    _begin(uuid, authCode) {
        const followed = this.watches.get(uuid);
        if (followed) {
            return followed.end;
        }
        const watch = this._follow(uuid, { here: true, starting: true });
        watch.tap = this._tap();
        // in one breath with the status that `pay` wrote: Odoo sends every change of an order to the
        // customer display, and that would hold up the server while it wakes the terminal
        this._line(uuid).setPaymentStatus("waitingCard");
        this._start(watch, authCode);
        return watch.end;
    }

    /**
     * Asks for a payment to be called off, and waits until it is known what came of it.
     *
     * @param {string} uuid of the payment line
     * @returns {Promise<boolean>} true: nothing was paid; false: it was, or the payment goes on
     */
    async callOff(uuid) {
        const line = this._line(uuid);
        if (line.getAmount() < 0) {
            messages.tellRefundGoesOn(this.pos);
            return false;
        }
        const watch = this.watches.get(uuid) || this._follow(uuid, {});
        if (watch.callOff) {
            return watch.callOff.promise;
        }
        const callOff = (watch.callOff = Promise.withResolvers());
        watch.unwanted = true;
        this._entry(uuid).callingOff = true;
        line.setPaymentStatus("waitingCancel");
        this.codes.putAway(uuid);
        this.refreshCodes(uuid);
        await watch.started;
        if (this.watches.has(uuid)) {
            await this._callOff(watch);
        }
        return callOff.promise;
    }

    /**
     * Has QFPay asked again, now.
     *
     * @param {string} uuid of the payment line
     */
    async askAgain(uuid) {
        const entry = this._entry(uuid);
        if (entry.asking) {
            return;
        }
        entry.asking = true;
        try {
            const before = entry.known?.asked;
            await this._ask([uuid], { inquire: true });
            await this._untilAsked(uuid, before);
        } finally {
            entry.asking = false;
        }
    }

    /** Whichever server has the way to QFPay: its question was asked when the server counts it. */
    async _untilAsked(uuid, before) {
        const entry = this._entry(uuid);
        for (let left = ASKED_LIMIT; left > 0; left -= ASKED_PAUSE) {
            const isHeard = !isOpenState(entry.known) || entry.known.asked !== before;
            if (before === undefined || isHeard || entry.unreachable) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, ASKED_PAUSE));
            await this._ask([uuid]);
        }
    }

    /**
     * Records a payment as done although QFPay did not say so. QFPay is asked a last time before,
     * and the cashier must confirm. The server keeps it as unconfirmed.
     *
     * @param {string} uuid of the payment line
     */
    async forceDone(uuid) {
        const watch = this.watches.get(uuid) || this._follow(uuid, {});
        await this.askAgain(uuid);
        if (!isUnderWay(this._line(uuid)) || !(await messages.confirmForce(this.pos, watch.end))) {
            return;
        }
        const line = this._line(uuid);
        if (!this.watches.has(uuid) || !isUnderWay(line)) {
            return;
        }
        this._entry(uuid).forced = true;
        watch.forced = true;
        line.handlePaymentResponse(true);
        this._release(watch, true);
        this.bus.trigger("settled", { line, done: true, auto: true });
    }

    /**
     * Takes up again what is not known to have ended: after a reload, on a till that opens the
     * session later, when the network is back.
     *
     * @param {object[]} [orders] all orders of this till, when left out
     */
    async resume(orders = this.pos.models["pos.order"].getAll()) {
        const lines = orders
            .filter((order) => !order.finalized)
            .flatMap((order) => order.payment_ids)
            .filter((line) => isQFPayLine(line) && !this.watches.has(line.uuid));
        for (const line of lines.filter(isUnderWay)) {
            this._follow(line.uuid, { here: this.sentHere.has(line.uuid) });
        }
        const doubtful = lines.filter((line) => !isUnderWay(line) && !line.transaction_id);
        if (doubtful.length) {
            await this._lookUp(doubtful.map((line) => line.uuid));
        }
        await this._lookUpRemoved();
        if (this.watches.size) {
            await this._askNow();
        }
    }

    async _lookUpRemoved() {
        const uuids = this.removedHere.map(({ uuid }) => uuid);
        if (uuids.length) {
            try {
                this._tellRemoved(await doors.status(uuids));
            } catch {
                // asked again with the next one
            }
        }
    }

    /**
     * The cashier has removed a line whose attempt had failed. Should it turn out paid, the order
     * has gone on without it, and nobody would see it.
     *
     * @param {object} line the pos.payment record
     * @param {object} order its order
     */
    onLineRemoved({ uuid }, order) {
        if (this.entries[uuid]?.known?.reference) {
            const removed = { uuid, order: order.getName() };
            this.removedHere = [...this.removedHere, removed].slice(-MOST_REMOVED);
        }
    }

    _tellRemoved(statuses) {
        const paid = statuses.filter(({ state }) => state === "done");
        for (const { payment_uuid: uuid } of paid) {
            const removed = this.removedHere.find((line) => line.uuid === uuid);
            if (removed && !this._line(uuid)) {
                this.removedHere = this.removedHere.filter((line) => line.uuid !== uuid);
                messages.tellRemovedIsPaid(this.pos, removed);
            }
        }
    }

    /** @param {object} [line] a pos.payment record */
    onLineCreated(line) {
        this.onLineChanged(line);
        if (isQFPayLine(line) && line.pos_order_id?.isRefund && !isClosed(line)) {
            this._askWhatIsLeft(line);
        }
    }

    /** How much can be given back of what was paid? */
    async _askWhatIsLeft(line) {
        const paid = line.pos_order_id.refunded_order_id?.payment_ids || [];
        const uuids = paid.filter(isQFPayLine).map(({ uuid }) => uuid);
        if (!uuids.length) {
            return;
        }
        try {
            const known = await doors.status(uuids, { refundable: true });
            // one payment is given back at a time
            this._entry(line.uuid).refundable = Math.max(
                ...known.map(({ refundable }) => refundable ?? 0)
            );
        } catch {
            // it is only a hint: the server checks the amount when the refund begins
        }
    }

    /**
     * The server has news of a payment. Only the server writes them, and *done* is never taken back:
     * the line is done at once, and its facts are fetched after it.
     *
     * @param {{payment_uuid: string, reference: string, state: string}} news
     */
    onNews(news) {
        const uuid = news.payment_uuid;
        const watch = this.watches.get(uuid);
        const line = this._line(uuid);
        const order = line?.pos_order_id;
        if (!line && news.state === "done") {
            this._tellRemoved([news]);
        }
        if (!order || order.finalized || watch?.asked === false) {
            return;
        }
        if (news.state === "reversed" && !watch) {
            return this._lookUp([uuid]);
        }
        if (news.state !== "done") {
            return watch && this._askNow();
        }
        if (watch) {
            const { known } = this._entry(uuid);
            this._learn({ ...known, ...news, cancelling: false, message: "" }, ++this.clock.now);
        }
        // also when it is done already: the digits of a card come after the approval
        this._lookUp([uuid]);
    }

    /**
     * A payment line was changed, by the cashier or by what the server sent with an order. A copy
     * that left the server before the end was known may open a line again: what is known stays.
     *
     * @param {object} [line] a pos.payment record
     */
    onLineChanged(line) {
        if (!isQFPayLine(line) || this.watches.has(line.uuid)) {
            return;
        }
        const { known } = this.entries[line.uuid] || {};
        if (known?.state === "done" && !isClosed(line)) {
            this._fill(line, known);
            line.handlePaymentResponse(true);
        } else if (isUnderWay(line)) {
            // `pay` marks the line a moment before it asks for the money
            Promise.resolve().then(() => isUnderWay(line) && this.resume([line.pos_order_id]));
        }
    }

    // -------------------------------------------------------------------------------- beginning

    /** The cashier wants it now; whatever arrives much later is not what was wanted. */
    _tap() {
        return { tap: uuidv4(), askedAt: doors.serverTime() };
    }

    async _start(watch, authCode) {
        const { uuid } = watch;
        try {
            await this._synchronise(uuid);
        } catch (error) {
            const reason = error instanceof RPCError ? error.data?.message : "";
            this._refused(watch, reason || _t("The order could not be sent to the server."));
            return;
        }
        let answer = null;
        try {
            answer = await doors.start(uuid, watch.tap, authCode);
        } catch (error) {
            watch.refusal = error instanceof RPCError ? error.data?.message : "";
        }
        if (answer?.error) {
            const isBadCode = answer.error.code === "code";
            this._refused(watch, answer.error.message, { can_retry_code: isBadCode });
            return;
        }
        this._entry(uuid).starting = false;
        watch.asked = true;
        watch.since = this.clock.now;
        if (answer?.payment) {
            this._learn(answer.payment, ++this.clock.now);
        } else {
            watch.certainly = CERTAINLY_NONE;
            this._entry(uuid).unreachable = true;
        }
        watch.hasStarted();
        this._askLater();
    }

    /** The server must hold the line, with this amount, before money is asked for. */
    async _synchronise(uuid) {
        const line = this._line(uuid);
        const order = line.pos_order_id;
        const amount = line.getAmount();
        const sent = async () => {
            while (this.pos.syncingOrders.has(order.uuid)) {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            await this.pos.syncAllOrders({ orders: [order], throw: true });
        };
        await doors.withTimeLimit(sent(), SYNC_LIMIT);
        if (!line.isSynced || !this.pos.currency.isZero(line.getAmount() - amount)) {
            throw new Error("The server does not hold this payment line");
        }
    }

    /** Nothing was started. */
    _refused(watch, reason, more = {}) {
        this._entry(watch.uuid).known = { state: "none", message: reason.toString(), ...more };
        this._settle(watch, false);
    }

    _isRenewed({ uuid, unwanted, renewals }) {
        return !unwanted && renewals < MOST_RENEWALS && this.codes.isOpen(uuid);
    }

    /** The code ran out while it was shown: another one, under the next reference. */
    _renew(watch) {
        const started = Promise.withResolvers();
        Object.assign(watch, {
            renewals: watch.renewals + 1,
            tap: this._tap(),
            asked: false,
            certainly: 1,
            started: started.promise,
            hasStarted: started.resolve,
        });
        Object.assign(this._entry(watch.uuid), { starting: true, known: null, since: Date.now() });
        this.refreshCodes(watch.uuid);
        this._start(watch);
    }

    // ---------------------------------------------------------------------------------- asking

    _askLater() {
        const { clock } = this;
        clearTimeout(clock.timer);
        const awaited = [...this.watches.values()].some((watch) => !watch.forced);
        if (this.watches.size) {
            const pause = awaited ? ASK_EVERY * 2 ** clock.failures : ASK_RARELY;
            clock.timer = setTimeout(() => this._askNow(), Math.min(pause, ASK_RARELY));
        }
    }

    async _askNow() {
        const { clock } = this;
        if (clock.asking) {
            clock.again = true;
            return;
        }
        clock.asking = true;
        try {
            do {
                clock.again = false;
                this._forgetGone();
                const uuids = [...this.watches.values()].filter((w) => w.asked).map((w) => w.uuid);
                if (uuids.length) {
                    await this._ask(uuids);
                }
            } while (clock.again);
        } finally {
            clock.asking = false;
            this._askLater();
        }
    }

    async _ask(uuids, options) {
        const asked = ++this.clock.now;
        let answers;
        try {
            answers = await doors.status(uuids, options);
            this.clock.failures = 0;
        } catch {
            this.clock.failures = Math.min(this.clock.failures + 1, 4);
            for (const uuid of uuids) {
                this._entry(uuid).unreachable = true;
            }
            return;
        }
        for (const answer of answers) {
            this._learn(answer, asked);
        }
    }

    /** Lines that nobody follows: does the server know more of them than this till? */
    async _lookUp(uuids) {
        let answers;
        try {
            answers = await doors.status(uuids);
        } catch {
            return; // asked again when the network is back, or the payment screen opens
        }
        for (const answer of answers) {
            const line = this._line(answer.payment_uuid);
            if (!line || this.watches.has(line.uuid)) {
                continue;
            }
            if (answer.state === "reversed" && isClosed(line) && !line.pos_order_id?.finalized) {
                this._entry(line.uuid).known = answer;
                line.setPaymentStatus("retry");
                messages.tellReversed(this.pos, line, answer);
            } else if (isOpenState(answer) || answer.state === "done") {
                const forced = isClosed(line);
                this._follow(line.uuid, { here: this.sentHere.has(line.uuid), forced });
                this._learn(answer, ++this.clock.now);
            }
        }
    }

    /** Orders can be closed or removed by another till, and a forced line needs no watch then. */
    _forgetGone() {
        for (const watch of this.watches.values()) {
            const line = this._line(watch.uuid);
            if (!line || line.pos_order_id?.finalized) {
                this.watches.delete(watch.uuid);
                this._release(watch, Boolean(line?.isDone()));
            }
        }
    }

    // -------------------------------------------------------------------------------- learning

    /**
     * @param {object} status the server's words about a line
     * @param {number} asked when they were asked for; an earlier question cannot know of a later one
     */
    _learn(status, asked) {
        const watch = this.watches.get(status.payment_uuid);
        const line = this._line(status.payment_uuid);
        if (!watch?.asked || asked <= watch.since || !line) {
            return;
        }
        const entry = this._entry(watch.uuid);
        // a server that knew the payment and knows nothing of it now has not said how it ended
        entry.unreachable = status.state === "none" && isOpenState(entry.known);
        if (status.state === "none") {
            if (!entry.unreachable && --watch.certainly <= 0) {
                this._giveUp(watch);
            }
            return;
        }
        entry.known = status;
        if (isOpenState(status)) {
            this._goesOn(watch, line, status, asked);
            this.refreshCodes(watch.uuid);
        } else if (status.can_renew && this._isRenewed(watch)) {
            this._renew(watch);
        } else {
            this._settle(watch, status.state === "done");
        }
    }

    /** The server has heard nothing of a start: before it counts as never made, it must not come. */
    async _giveUp(watch) {
        if (watch.tap) {
            let answer;
            try {
                answer = await doors.cancel(watch.uuid, watch.tap.tap);
            } catch {
                return; // asked again with the next question
            }
            if (this.watches.get(watch.uuid) !== watch) {
                return;
            }
            if (isOpenState(answer.payment) || answer.payment?.state === "done") {
                this._learn(answer.payment, ++this.clock.now);
                return;
            }
        }
        this._refused(watch, watch.refusal || _t("Nothing was sent. You can try again."));
    }

    _goesOn(watch, line, status, asked) {
        if (watch.forced) {
            return;
        }
        if (watch.callOff && asked > watch.calledOff && !status.cancelling) {
            this._callOffRefused(watch, status.message);
        }
        const callingOff = status.cancelling || this._entry(watch.uuid).callingOff;
        line.setPaymentStatus(callingOff ? "waitingCancel" : "waitingCard");
    }

    /** The end: the server named it. */
    _settle(watch, done) {
        const line = this._line(watch.uuid);
        const entry = this._entry(watch.uuid);
        const { callOff, forced, unwanted } = watch;
        this.watches.delete(watch.uuid);
        Object.assign(entry, { starting: false, unreachable: false, callingOff: false });
        if (done) {
            this._fill(line, entry.known);
            entry.forced = false;
        }
        if (!forced) {
            line.handlePaymentResponse(done);
        }
        this._release(watch, done);
        callOff?.resolve(!done);
        if (!done && this._asksForCodeAgain(watch, line, entry)) {
            // once everybody who waited for this attempt has heard of its end
            watch.end.then(() => line.pay());
            return;
        }
        const close = messages.tellEnd(this.pos, line, entry.known, { done, forced, unwanted });
        entry.takeBack = done ? null : close;
        if (!forced) {
            this.bus.trigger("settled", { line, done, auto: !unwanted });
        }
    }

    /** The customer's code was not good: the customer is still there, and shows another one. */
    _asksForCodeAgain({ here, forced, unwanted }, line, { known }) {
        const isWanted = here && !forced && !unwanted;
        return isWanted && known.can_retry_code && messages.isShown(this.pos, line.pos_order_id);
    }

    /** The server wrote the same on its own record; here it is for the screen and the receipt. */
    _fill(line, known) {
        for (const fact of FACTS) {
            if (known[fact] && line[fact] !== known[fact]) {
                line[fact] = known[fact];
            }
        }
        if (known.amount && !this.pos.currency.isZero(known.amount - line.getAmount())) {
            line.setAmount(known.amount);
        }
    }

    // ---------------------------------------------------------------------------- calling off

    async _callOff(watch) {
        let answer = null;
        try {
            answer = await doors.cancel(watch.uuid);
        } catch {
            // the next answer of /status tells whether the request has arrived
        }
        watch.calledOff = this.clock.now;
        if (answer?.error) {
            this._callOffRefused(watch, answer.error.message);
        } else if (answer?.payment) {
            this._learn(answer.payment, ++this.clock.now);
        }
        this._askLater();
    }

    _callOffRefused(watch, reason) {
        this._entry(watch.uuid).callingOff = false;
        this._line(watch.uuid).setPaymentStatus("waitingCard");
        this.refreshCodes(watch.uuid);
        messages.tellCallOffRefused(this.pos, reason);
        watch.callOff.resolve(false);
        watch.callOff = null;
        watch.calledOff = Infinity;
    }

    // -------------------------------------------------------------------------------- keeping

    /** Something has changed that decides whether a line's code is shown. */
    refreshCodes(uuid) {
        this.codes.update(uuid, {
            line: this._line(uuid),
            entry: this._entry(uuid),
            watch: this.watches.get(uuid),
        });
    }

    _line(uuid) {
        return this.pos.models["pos.payment"].getBy("uuid", uuid);
    }

    _entry(uuid) {
        this.entries[uuid] ||= {
            starting: false,
            known: null,
            // when the attempt began, or when it was taken up
            since: 0,
            unreachable: false,
            callingOff: false,
            asking: false,
            forced: false,
            // the till's code while it can be paid, see QFPayCodes
            code: null,
            // the wallet whose code was scanned
            wallet: "",
            // closes the bad news that the cashier was told of the attempt before
            takeBack: null,
            // how much of a refund QFPay can do, in currency units; null while nobody has said so
            refundable: null,
        };
        return this.entries[uuid];
    }

    _follow(uuid, { here = false, starting = false, forced = false }) {
        const ended = Promise.withResolvers();
        const started = Promise.withResolvers();
        const watch = {
            uuid,
            here,
            forced,
            asked: !starting,
            // answers to questions up to here are about an earlier attempt
            since: this.clock.now,
            // questions up to here cannot tell whether a calling off was accepted
            calledOff: Infinity,
            callOff: null,
            // the cashier tried to call it off, so a success is a surprise
            unwanted: false,
            certainly: starting ? 1 : CERTAINLY_NONE,
            renewals: 0,
            refusal: "",
            // the cashier's tap that began it, where it was made here
            tap: null,
            end: ended.promise,
            resolve: ended.resolve,
            started: started.promise,
            hasStarted: started.resolve,
        };
        if (!starting) {
            watch.hasStarted();
        }
        this.watches.set(uuid, watch);
        const fresh = {
            starting,
            known: null,
            unreachable: false,
            wallet: "",
            since: Date.now(),
            takeBack: null,
        };
        const entry = this._entry(uuid);
        // another till has begun anew, or it was paid after all: bad news is no longer the last word
        entry.takeBack?.();
        Object.assign(entry, fresh);
        if (here) {
            this.sentHere = this.sentHere.add(uuid);
        }
        this._updateInProgress();
        return watch;
    }

    _release(watch, done) {
        watch.hasStarted();
        watch.resolve(done);
        this.refreshCodes(watch.uuid);
        if (watch.here) {
            this.sentHere = [...this.sentHere].filter((uuid) => uuid !== watch.uuid);
        }
        this._updateInProgress();
    }

    /** Core keeps a second terminal payment from starting while this till waits for one. */
    _updateInProgress() {
        const isWaiting = [...this.watches.values()].some(
            ({ uuid, here, forced }) => here && !forced && isTerminalLine(this._line(uuid))
        );
        if (isWaiting || this.hasBlocked) {
            this.pos.paymentTerminalInProgress = isWaiting;
        }
        this.hasBlocked = isWaiting;
    }

    /**
     * Which payments this browser has asked for, kept through a reload. Written at once: Odoo's own
     * memory is written a moment later, and may miss the reload.
     */
    get sentHere() {
        return new Set(JSON.parse(browser.localStorage.getItem(SENT_HERE) || "[]"));
    }

    get removedHere() {
        return JSON.parse(browser.localStorage.getItem(REMOVED_HERE) || "[]");
    }

    set removedHere(lines) {
        browser.localStorage.setItem(REMOVED_HERE, JSON.stringify(lines));
    }

    set sentHere(uuids) {
        browser.localStorage.setItem(SENT_HERE, JSON.stringify([...uuids]));
    }
}
