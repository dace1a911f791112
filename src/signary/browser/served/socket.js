/** A live session over a WebSocket: frames out, events in. */

/** @typedef {import("../parts/messages.js").Token} Token */
/** @typedef {import("../parts/messages.js").FrameMessage} FrameMessage */
/** @typedef {{type: "event", text: string, final: boolean, tokens: Token[]}} EventMessage */
/** @typedef {{model: string, hand: string}} Wish */
/** @typedef {{ready: (message: {task: string}) => void, event: (message: EventMessage) => void,
 *   frame: (message: FrameMessage) => void, error: (message: {message: string, hint?: string}) => void,
 *   closed: (code: number, reason: string) => void}} Ears */

export const VERSION = 1;
const MOST_WAITING = 2; // one being read, one in transit: the camera's full rate without a queue
const PATIENCE_MS = 1000; // after that, an answer counts as lost
const GOODBYE_MS = 3000;

export class LiveSocket {
  /** @param {Wish} wish @param {Ears} ears */
  constructor(wish, ears) {
    const url = new URL("api/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.ready = false;
    this.sent = 0;
    this.answered = 0;
    this.failed = 0;
    this.lastSentMs = 0;
    /** @type {number | undefined} */
    this.goodbye = undefined;
    this.ears = ears;
    this.socket.onopen = () => this.#say({ type: "start", input: "jpeg", mirrored: false, ...wish });
    this.socket.onmessage = (message) => this.#hear(JSON.parse(message.data));
    this.socket.onclose = ({ code, reason }) => {
      this.ready = false;
      clearTimeout(this.goodbye);
      ears.closed(code, reason);
    };
  }

  /** Whether a frame sent now would be read at once. */
  get free() {
    if (!this.ready || this.socket.bufferedAmount > 0) return false;
    return this.sent - this.answered < MOST_WAITING || performance.now() - this.lastSentMs > PATIENCE_MS;
  }

  /** @param {number} time_s of the page's clock, increasing @param {ArrayBuffer} jpeg */
  send(time_s, jpeg) {
    const message = new Uint8Array(8 + jpeg.byteLength);
    new DataView(message.buffer).setFloat64(0, time_s, true);
    message.set(new Uint8Array(jpeg), 8);
    this.socket.send(message);
    this.sent += 1;
    this.lastSentMs = performance.now();
  }

  /** Ask for the open text, then close. */
  end() {
    if (this.ready) {
      this.ready = false;
      this.#say({ type: "end" });
      this.goodbye = setTimeout(() => this.socket.close(1000), GOODBYE_MS);
    } else {
      this.socket.close(1000);
    }
  }

  /** @param {object} message */
  #say(message) {
    this.socket.send(JSON.stringify({ version: VERSION, ...message }));
  }

  /** @param {any} message */
  #hear(message) {
    if (message.type === "ready") this.ready = true;
    if (message.type === "error") this.failed += 1;
    if (message.type === "frame") this.answered = message.served + message.dropped + this.failed;
    if (message.type === "closed") this.socket.close(1000);
    else /** @type {any} */ (this.ears)[message.type]?.(message);
  }
}

/** Explain why a connection ended. @param {number} code @param {string} reason @returns {Promise<string>} */
export async function whyClosed(code, reason) {
  if (code === 4408) return "The connection was closed after a while without pictures.";
  if (code === 4400) return `The server did not take what this page asked for (${reason}). Reload the page.`;
  if (code === 1001 || code === 1012) return "The server is shutting down.";
  if (code !== 1006 && code !== 1008) return reason ? `The server stopped reading: ${reason}` : "The server stopped reading.";
  try {
    const health = await (await fetch("api/health")).json();
    if (health.sessions >= health.limit) {
      return `The server is full: it reads for ${health.limit} at once. Wait a moment, then connect again.`;
    }
    if (code === 1008) return `The server said no to this page: ${reason}.`;
    return "The connection was lost, but the server is there.";
  } catch {
    return "The server is gone. Is “signary serve” still running?";
  }
}
