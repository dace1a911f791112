/** Practice: the avatar shows a letter, the user signs it, and the page marks it. */

import { element } from "./element.js";
import { compare, nearest } from "./hints.js";

/** @typedef {import("./messages.js").Token} Token */
/** @typedef {import("./messages.js").FrameMessage} FrameMessage */
/** @typedef {import("./hints.js").Shape} Shape */
/** @typedef {{text: string, state: "" | "right" | "skipped", wrong: string}} Letter */

const WORDS = ["HELLO", "DEAF", "HAND", "SIGN", "FRIEND", "MUSIC", "BOOK", "WATER", "LOVE", "QUICK", "WORLD", "SUNDAY"];
const MOVING = { J: "draw a hook with the little finger", Z: "draw a Z with the index finger" };
const HINT_EVERY_MS = 700;
const SAME_S = 0.05; // a token that overlaps the last one by more is the same token

export class Practice {
  /** @param {() => void} onText called when the word changes, which may need another model */
  constructor(onText) {
    this.onText = onText;
    this.left = false;
    /** @type {Record<string, Shape>} */
    this.shapes = {};
    /** @type {Letter[]} */
    this.letters = [];
    this.here = 0;
    this.used = { start_s: -Infinity, end_s: -Infinity };
    this.hintMs = 0;
    /** @type {number[]} */
    this.marked = [];
    this.candidate = "";
    this.moving = false;
    fillSkins(element("skin"));
    element("practice-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.set(element("practice-text").value);
    });
    element("practice-another").addEventListener("click", () => this.#another());
    element("practice-skip").addEventListener("click", () => this.#pass("skipped"));
    element("practice-again").addEventListener("click", () => this.set(this.word));
    element("practice-move").addEventListener("click", () => this.#picture(!this.moving));
    element("skin").addEventListener("change", () => this.#picture(this.moving));
    this.set(element("practice-text").value, true);
  }

  /** The word to spell. */
  get word() {
    return this.letters.map((letter) => letter.text).join("");
  }

  /** The task of the model that reads the word. */
  get task() {
    return /^\d/.test(this.word) ? "digits" : "letters";
  }

  /** Load the handshapes for hints, once. */
  async open() {
    if (Object.keys(this.shapes).length) return;
    this.shapes = await (await fetch(new URL("./handshapes.json", import.meta.url))).json().catch(() => ({}));
    this.#picture(false);
  }

  /** @param {string} text @param {boolean} quiet load no picture and do not call onText */
  set(text, quiet = false) {
    const word = text.toUpperCase().replace(/\s+/g, "");
    const fits = /^([A-Z]+|[0-9]+)$/.test(word);
    element("practice-text").setAttribute("aria-invalid", String(!fits));
    element("practice-note").classList.toggle("wrong", !fits);
    element("practice-note").textContent = fits
      ? "Letters or digits of the American manual alphabet."
      : "Give letters A to Z, or digits 0 to 9, not both.";
    if (!fits) return;
    element("practice-text").value = word;
    this.letters = [...word].map((letter) => ({ text: letter, state: "", wrong: "" }));
    this.here = 0;
    this.#say(`Start the camera, then sign ${word[0]} as the picture shows.`);
    this.#draw();
    if (quiet) return;
    this.#picture(false);
    this.onText();
  }

  /** @param {boolean} left */
  setLeft(left) {
    this.left = left;
    if (Object.keys(this.shapes).length) this.#picture(this.moving);
  }

  /** Forget the times of the last connection. */
  restart() {
    this.used = { start_s: -Infinity, end_s: -Infinity };
  }

  /** Mark letters: right at a match, wrong at a final token. @param {Token[]} tokens @param {boolean} final */
  take(tokens, final) {
    for (const token of tokens) {
      const letter = this.letters[this.here];
      if (!letter) return;
      if (token.start_s < this.used.end_s - SAME_S) {
        this.used.end_s = Math.max(this.used.end_s, token.end_s);
      } else if (token.text === letter.text) {
        this.used = { ...token };
        this.#pass("right");
      } else if (final) {
        this.used = { ...token };
        letter.wrong = token.text;
        this.#say(`That was read as ${token.text}. Try ${letter.text} again.`);
        this.#draw();
      }
    }
  }

  /** Compare the nearest hand, every HINT_EVERY_MS. @param {FrameMessage} frame @param {number} aspect width / height */
  look(frame, aspect) {
    const letter = this.letters[this.here];
    const shape = letter && this.shapes[letter.text];
    const hand = nearest(frame.hands);
    if (!shape || !hand) {
      this.marked = [];
      return;
    }
    if (performance.now() - this.hintMs < HINT_EVERY_MS) return;
    this.hintMs = performance.now();
    const square = hand.map(([x, y]) => /** @type {[number, number]} */ ([x * aspect, y]));
    const [hint] = compare(square, shape, this.left);
    const moving = MOVING[/** @type {"J" | "Z"} */ (letter.text)];
    const text = hint?.text ?? (moving ? `Close. Now ${moving}.` : "Close. Hold it still.");
    // shown only if found twice in a row, so that the text does not flicker
    if (text === this.candidate) {
      this.marked = hint?.fingers ?? [];
      this.#say(`${letter.text}: ${text}`);
    }
    this.candidate = text;
  }

  #another() {
    const others = WORDS.filter((word) => word !== this.word);
    this.set(others[Math.floor(Math.random() * others.length)]);
  }

  /** @param {"right" | "skipped"} state */
  #pass(state) {
    const letter = this.letters[this.here];
    if (!letter) return;
    letter.state = state;
    this.here += 1;
    this.marked = [];
    this.candidate = "";
    this.hintMs = performance.now() + HINT_EVERY_MS;
    const next = this.letters[this.here];
    this.#say(next ? `${state === "right" ? `${letter.text} is right. ` : ""}Next: ${next.text}.` : this.#report());
    this.#draw();
    this.#picture(false);
  }

  #report() {
    const right = this.letters.filter((letter) => letter.state === "right");
    const first = right.filter((letter) => !letter.wrong).length;
    return `Done: ${right.length} of ${this.letters.length} letters, ${first} at the first try.`;
  }

  /** @param {string} text */
  #say(text) {
    if (element("hint").textContent !== text) element("hint").textContent = text;
  }

  #draw() {
    const items = this.letters.map((letter, k) => {
      const item = document.createElement("li");
      const next = k === this.here;
      const state = letter.state || (next ? "next" : "");
      item.className = state + (letter.wrong && letter.state !== "right" ? " wrong" : "");
      if (next) item.setAttribute("aria-current", "step");
      item.textContent = letter.text;
      const note = document.createElement("span");
      const wrong = letter.wrong && letter.state !== "right" ? `✗ ${letter.wrong}` : "";
      note.textContent = letter.state === "right" ? "✓" : letter.state ? "skipped" : wrong || (next ? "next" : "");
      item.append(note);
      return item;
    });
    element("letters").replaceChildren(...items);
  }

  /** @param {boolean} moving animate the whole word */
  #picture(moving) {
    const letter = this.letters[this.here] ?? this.letters.at(-1);
    // as in a mirror: the avatar faces the user and signs with its other hand
    const query = new URLSearchParams({ skin: element("skin").value, hand: this.left ? "right" : "left" });
    if (moving) query.set("text", this.word);
    const picture = element("target-picture");
    const path = `${moving ? "api/practice" : `api/practice/letter/${letter.text}`}?${query}`;
    if (picture.getAttribute("src") !== path) picture.src = path;
    picture.alt = moving ? `The avatar spells ${this.word}` : `Handshape of ${letter.text}`;
    this.moving = moving;
    element("practice-move").setAttribute("aria-pressed", String(moving));
    element("practice-move").textContent = moving ? `Show ${letter.text} still` : "Show it moving";
  }
}

/** @param {HTMLSelectElement} select */
function fillSkins(select) {
  for (let tone = 1; tone <= 10; tone++) select.add(new Option(String(tone), String(tone), tone === 6, tone === 6));
}
