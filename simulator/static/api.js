// The simulator's HTTP API.

async function call(path, options) {
    const response = await fetch(path, options);
    const value = await response.json();
    if (!response.ok) {
        throw new Error(value.error);
    }
    return value;
}

/** Read something. */
export function get(path) {
    return call(path);
}

/** Change something. Rejects with the simulator's own sentence. */
export function post(path, value = {}) {
    return call(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(value),
    });
}

/**
 * Be told of every change.
 *
 * @param {string} path of a stream of states
 * @param {(state: object) => void} onState
 * @param {(alive: boolean) => void} onAlive called when the simulator goes or comes back
 */
export function follow(path, onState, onAlive = () => {}) {
    const events = new EventSource(path);
    events.onopen = () => onAlive(true);
    events.onmessage = (event) => onState(JSON.parse(event.data));
    // The browser tries again by itself, unless the server said not to.
    events.onerror = () => {
        onAlive(false);
        if (events.readyState === EventSource.CLOSED) {
            setTimeout(() => follow(path, onState, onAlive), 1000);
        }
    };
}
