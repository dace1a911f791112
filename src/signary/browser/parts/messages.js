/** Types of the server's messages, and its errors as text. */

/** @typedef {{text: string, confidence: number}} Alternative */
/** @typedef {{text: string, start_s: number, end_s: number, confidence: number, alternatives: Alternative[]}} Token */
/** @typedef {[number, number][]} Points x / width and y / height of each point */
/** @typedef {{type: "frame", time_s: number, lag_ms: number, hands: Points[], body: Points|null, received: number,
 *   served: number, dropped: number, fps: number}} FrameMessage */

/** Return an error and its hint as sentences. @param {{message: string, hint?: string}} error */
export const said = ({ message, hint }) => `${message}.${hint ? ` Hint: ${hint}.` : ""}`.replaceAll("..", ".");
