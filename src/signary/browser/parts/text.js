/** Recognized text: shown token by token with details on hover and focus, copied and saved. */

/** @typedef {import("./messages.js").Token} Token */
/** @typedef {{source: string, model: string, task: string}} Origin */

const UNSURE = 0.6;
const STILL_MS = 1000;
const QUIET_MS = 1500;
const TINY_S = 0.001;

/** @param {number} share */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** @param {Token[]} tokens @param {string} task */
export const joined = (tokens, task) => tokens.map((token) => token.text).join(task === "signs" ? " " : "");

/** @param {Token[]} tokens */
const meanConfidence = (tokens) =>
  tokens.length ? tokens.reduce((sum, token) => sum + token.confidence, 0) / tokens.length : 0;

/** @param {Token} token */
function explain(token) {
  const others = token.alternatives.map((other) => `${other.text} ${percent(other.confidence)}`).join(", ");
  return `${token.text}, ${percent(token.confidence)} sure${others ? `; or ${others}` : ""}`;
}

/** @param {number} ms */
function clock(ms) {
  const two = (/** @type {number} */ value) => String(Math.floor(value)).padStart(2, "0");
  return `${two(ms / 3600000)}:${two((ms / 60000) % 60)}:${two((ms / 1000) % 60)},${String(ms % 1000).padStart(3, "0")}`;
}

/** Return SRT subtitles: one cue per token, none empty, none overlapping. @param {Token[]} tokens */
export function toSrt(tokens) {
  let free = 0;
  const starts = tokens.map((token) => (free = Math.max(Math.round(token.start_s * 1000), free) + 1) - 1);
  return tokens
    .map((token, k) => {
      const still = token.end_s <= token.start_s ? STILL_MS : 1;
      const end = Math.min(Math.max(Math.round(token.end_s * 1000), starts[k] + still), starts[k + 1] ?? Infinity);
      return `${k + 1}\n${clock(starts[k])} --> ${clock(end)}\n${token.text}\n`;
    })
    .join("\n");
}

/** @param {string} name @param {string} content @param {string} type */
function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export class TextPanel {
  /** @param {HTMLElement} place @param {{empty: string, announcer?: HTMLElement}} words */
  constructor(place, { empty, announcer }) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("text-panel"));
    place.append(template.content.cloneNode(true));
    this.box = /** @type {HTMLElement} */ (place.querySelector(".text"));
    this.empty = /** @type {HTMLElement} */ (place.querySelector(".empty"));
    this.detail = /** @type {HTMLElement} */ (place.querySelector(".detail"));
    this.empty.textContent = empty;
    this.announcer = announcer;
    this.announced = 0;
    this.drawn = 0; // number of final tokens on the page
    /** @type {Token[]} */
    this.final = [];
    /** @type {Token[]} */
    this.partial = [];
    /** @type {Origin} */
    this.origin = { source: "camera", model: "", task: "letters" };
    /** @type {(token: Token) => void} */
    this.onPick = () => {};
    for (const kind of ["pointerover", "focusin"]) this.box.addEventListener(kind, (event) => this.#pick(event.target));
    this.box.addEventListener("keydown", (event) => this.#move(event));
    place.addEventListener("click", (event) => this.#act(/** @type {HTMLElement} */ (event.target)));
    this.render();
  }

  /** Show an event of a live session. @param {Token[]} tokens @param {boolean} final */
  take(tokens, final) {
    if (final) {
      this.final.push(...tokens);
      const end_s = tokens.at(-1)?.end_s ?? 0;
      this.partial = this.partial.filter((token) => token.start_s > end_s - TINY_S);
      clearTimeout(this.quiet);
      this.quiet = setTimeout(() => this.#announce(), QUIET_MS);
    } else {
      this.partial = tokens;
    }
    this.render();
  }

  /** Show a complete result. @param {Token[]} tokens @param {Origin} origin */
  show(tokens, origin) {
    this.clear();
    this.origin = origin;
    this.final = [...tokens];
    this.render();
  }

  clear() {
    this.final = [];
    this.partial = [];
    this.announced = 0;
    this.drawn = 0;
    this.box.querySelectorAll("button").forEach((button) => button.remove());
    this.render();
  }

  render() {
    const all = [...this.final, ...this.partial];
    const buttons = [...this.box.querySelectorAll("button")];
    buttons.slice(all.length).forEach((button) => button.remove());
    for (let k = this.drawn; k < all.length; k++) {
      this.#fill(buttons[k] ?? this.#button(), all[k], k >= this.final.length);
    }
    this.drawn = this.final.length;
    this.box.classList.toggle("words", this.origin.task === "signs");
    this.box.classList.toggle("spelled", this.origin.task === "spelling");
    this.empty.hidden = all.length > 0;
    const tabbable = this.box.querySelector("button[tabindex='0']") ?? this.box.querySelector("button");
    tabbable?.setAttribute("tabindex", "0");
    if (!this.box.querySelector(".picked")) this.#summarize();
    this.box.scrollTop = this.box.scrollHeight;
  }

  #button() {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    this.box.append(button);
    return button;
  }

  /** @param {HTMLButtonElement} button @param {Token} token @param {boolean} partial */
  #fill(button, token, partial) {
    button.textContent = token.text;
    button.classList.toggle("partial", partial);
    button.classList.toggle("unsure", token.confidence < UNSURE);
    button.setAttribute("aria-label", `${explain(token)}${partial ? "; may still change" : ""}`);
  }

  #summarize() {
    const mean = percent(meanConfidence(this.final));
    this.detail.textContent = this.final.length
      ? `Confidence ${mean} in the mean. Point at a sign to see its own.`
      : "";
  }

  /** @param {EventTarget | null} target */
  #pick(target) {
    if (!(target instanceof HTMLButtonElement)) return;
    const buttons = [...this.box.querySelectorAll("button")];
    const token = [...this.final, ...this.partial][buttons.indexOf(target)];
    for (const button of buttons) {
      button.classList.toggle("picked", button === target);
      button.tabIndex = button === target ? 0 : -1;
    }
    this.detail.textContent = `${explain(token)}. ${token.start_s.toFixed(1)} to ${token.end_s.toFixed(1)} s.`;
    this.onPick(token);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const buttons = [...this.box.querySelectorAll("button")];
    const here = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: buttons.length - 1 };
    const button = buttons[places[event.key]];
    if (!button) return;
    event.preventDefault();
    button.focus();
  }

  /** @param {HTMLElement} target */
  async #act(target) {
    const text = joined(this.final, this.origin.task);
    const name = `signary-${this.origin.source.replace(/[^\w.-]+/g, "_")}`;
    const { source, model, task } = this.origin;
    const result = { source, model, task, text, confidence: meanConfidence(this.final), tokens: this.final };
    switch (target.dataset.do) {
      case "copy":
        this.detail.textContent = await navigator.clipboard.writeText(text).then(
          () => "Copied.",
          () => "The browser did not allow copying; save it as TXT.",
        );
        break;
      case "clear": return this.clear();
      case "txt": return save(`${name}.txt`, `${text}\n`, "text/plain");
      case "srt": return save(`${name}.srt`, toSrt(this.final), "application/x-subrip");
      case "json": return save(`${name}.json`, `${JSON.stringify(result, null, 2)}\n`, "application/json");
    }
  }

  /** Announce new final text to screen readers, after a pause in the signing. */
  #announce() {
    if (this.announcer) this.announcer.textContent = joined(this.final.slice(this.announced), this.origin.task);
    this.announced = this.final.length;
  }
}
