/** Reading a file: upload with progress, then text and timeline. */

import { element } from "../parts/element.js";
import { said } from "../parts/messages.js";
import { percent, TextPanel } from "../parts/text.js";

/** @typedef {import("../parts/messages.js").Token} Token */
/** @typedef {{source: string, model: string, task: string, text: string, confidence: number, tokens: Token[],
 *   frames: number, fps: number, hand_rate: number, elapsed_s: number, warnings: string[]}} Result */
/** @typedef {import("./socket.js").Wish} Wish */

const TICKS_S = [0.5, 1, 2, 5, 10, 30, 60, 300, 600];
const MOST_TICKS = 10;
const NARROWEST_PX = 26; // of a token on the timeline

export class FileReading {
  /** @param {() => Wish} wish */
  constructor(wish) {
    this.wish = wish;
    this.panel = new TextPanel(element("file-text"), { empty: "No sign was found." });
    this.panel.onPick = (token) => this.#point(token);
    element("file-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#read(element("file").files[0]);
    });
    element("file-stop").addEventListener("click", () => this.request?.abort());
  }

  /** @param {File} file */
  #read(file) {
    const request = new XMLHttpRequest();
    this.request = request;
    const { model, hand } = this.wish();
    const query = new URLSearchParams({
      model,
      hand,
      mirrored: String(element("file-mirrored").checked),
      context: element("file-words").checked && !element("file-words-field").hidden ? "words" : "none",
    });
    request.open("POST", `api/recognize?${query}`);
    request.upload.onprogress = (event) => this.#progress(event.loaded / event.total);
    request.onload = () => this.#answer(request);
    request.onerror = () => this.#end("The server did not answer. Is “signary serve” still running?");
    request.onabort = () => this.#end("Stopped.");
    const form = new FormData();
    form.append("file", file);
    element("file-result").hidden = true;
    element("file-stop").hidden = element("file-progress").hidden = false;
    this.#progress(0);
    element("file-state").textContent = `Sending ${file.name}.`;
    request.send(form);
  }

  /** @param {number} share */
  #progress(share) {
    const bar = element("file-progress");
    if (share < 1) bar.value = share;
    else {
      bar.removeAttribute("value"); // no progress is known while the server reads
      element("file-state").textContent = "Reading.";
    }
  }

  /** @param {string} words */
  #end(words) {
    element("file-stop").hidden = element("file-progress").hidden = true;
    element("file-state").textContent = words;
  }

  /** @param {XMLHttpRequest} request */
  #answer(request) {
    let answer;
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      return this.#end(`The server answered ${request.status}, which this page does not understand.`);
    }
    const error = answer.error ?? (request.status >= 400 ? answer : null);
    if (error) return this.#end(errorWords(error, request.status));
    this.#show(answer);
  }

  /** @param {Result} result */
  #show(result) {
    const shape = result.fps ? `${result.frames} frames at ${result.fps.toFixed(0)} a second` : "one picture";
    this.#end(`Read ${shape} in ${result.elapsed_s.toFixed(1)} s; a hand was seen in ${percent(result.hand_rate)} of it.`);
    element("file-result").hidden = false;
    this.panel.show(result.tokens, result);
    const items = result.warnings.map((warning) => Object.assign(document.createElement("li"), { textContent: warning }));
    element("file-warnings").replaceChildren(...items);
    this.#timeline(result);
  }

  /** @param {Result} result */
  #timeline(result) {
    const length_s = Math.max(result.fps ? result.frames / result.fps : 0, ...result.tokens.map((token) => token.end_s));
    const timeline = element("timeline");
    timeline.hidden = !result.fps || !result.tokens.length;
    this.tokens = result.tokens;
    const track = document.createElement("div");
    const shortest_s = Math.min(...result.tokens.map((token) => token.end_s - token.start_s));
    track.style.minWidth = `${Math.min(20000, (NARROWEST_PX * length_s) / Math.max(shortest_s, 0.05))}px`;
    const every_s = TICKS_S.find((tick_s) => length_s / tick_s <= MOST_TICKS) ?? length_s;
    for (let time_s = 0; time_s <= length_s; time_s += every_s) track.append(mark("tick", `${time_s}`, time_s, 0, length_s));
    for (const token of result.tokens) {
      const bar = mark("span", token.text, token.start_s, token.end_s - token.start_s, length_s);
      bar.style.setProperty("--sure", percent(token.confidence).replace(" ", ""));
      bar.title = `${token.text}, ${percent(token.confidence)}, ${token.start_s.toFixed(2)} to ${token.end_s.toFixed(2)} s`;
      track.append(bar);
    }
    timeline.replaceChildren(track);
  }

  /** @param {Token} token */
  #point(token) {
    const bars = element("timeline").querySelectorAll(".span");
    const here = this.tokens?.indexOf(token) ?? -1;
    bars.forEach((/** @type {Element} */ bar, /** @type {number} */ k) => bar.classList.toggle("picked", k === here));
    bars[here]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** @param {string} kind @param {string} text @param {number} start_s @param {number} length_s @param {number} whole_s */
function mark(kind, text, start_s, length_s, whole_s) {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  span.style.left = `${(100 * start_s) / whole_s}%`;
  if (length_s) span.style.width = `${(100 * length_s) / whole_s}%`;
  return span;
}

/** @param {any} error @param {number} status */
function errorWords(error, status) {
  const detail = typeof error.detail === "string" ? error.detail : "";
  return said({ message: error.message ?? (detail || `The server refused the file (${status})`), hint: error.hint });
}
