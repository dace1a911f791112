/** The page: connects camera, live session, text, practice and files. */

import { cameraTrouble, listCameras, looksAtUser, openCamera, takePictures } from "../parts/camera.js";
import { element } from "../parts/element.js";
import { said } from "../parts/messages.js";
import { Practice } from "../parts/practice.js";
import { draw } from "../parts/skeleton.js";
import { TextPanel } from "../parts/text.js";
import { LiveSocket, whyClosed } from "./socket.js";
import { FileReading } from "./upload.js";

/** @typedef {import("../parts/messages.js").FrameMessage} FrameMessage */
/** @typedef {{name: string, task: string, labels: string[] | number}} Model */

const STALE_MS = 500;
const RATE_S = 1;
const TABS = ["live", "practice", "file"];

const page = {
  tab: "live",
  /** @type {Model[]} */
  models: [],
  /** @type {MediaStream | null} */
  stream: null,
  /** @type {LiveSocket | null} */
  socket: null,
  /** @type {(() => void) | null} */
  endPictures: null,
  /** Model and hand that the socket was opened with, as JSON. */
  asked: "",
  skipped: 0,
  dropped: 0,
  /** Frames answered within the last second: when, and with what lag. @type {{at_s: number, lag_s: number}[]} */
  answers: [],
};

const text = new TextPanel(element("live-text"), {
  empty: "What you sign appears here.",
  announcer: element("announcer"),
});
const practice = new Practice(() => follow());
const file = new FileReading(() => ({ model: element("model").value, hand: hand() }));

const hand = () => (element("left-handed").checked ? "left" : "auto");
const wish = () => ({ model: page.tab === "practice" ? modelOf(practice.task) : element("model").value, hand: hand() });

/** @param {string} task */
const modelOf = (task) => page.models.find((model) => model.task === task)?.name ?? "";
/** @param {string} name */
const taskOf = (name) => page.models.find((model) => model.name === name)?.task ?? name;

/** @param {string} words @param {boolean} again offer to connect again */
function trouble(words, again = false) {
  element("trouble").hidden = !words;
  element("trouble-text").textContent = words;
  element("reconnect").hidden = !again;
}

/** @param {string} words */
function say(words) {
  element("state").textContent = words;
}

async function start() {
  trouble("");
  element("start").disabled = true;
  say("Starting.");
  try {
    page.stream = await openCamera(element("video"), element("camera").value);
  } catch (error) {
    trouble(cameraTrouble(error));
    return stop();
  } finally {
    element("start").disabled = false;
  }
  if (page.tab === "file") return stop(); // opened during the permission prompt: no camera there
  page.stream.getVideoTracks()[0].addEventListener("ended", () => {
    stop();
    trouble("The camera was unplugged or taken away.");
  });
  const video = element("video");
  element("picture").classList.toggle("mirror", looksAtUser(page.stream));
  element("picture").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
  element("skeleton").width = video.videoWidth;
  element("skeleton").height = video.videoHeight;
  element("curtain").hidden = true;
  element("start").textContent = "Stop camera";
  fillCameras();
  connect();
}

function connect() {
  trouble("");
  const asked = wish();
  page.asked = JSON.stringify(asked);
  if (!asked.model) {
    say("");
    return trouble(page.models.length ? `This server has no model that reads ${practice.task}.` : "No model is there yet.");
  }
  say("Connecting.");
  text.origin = { source: "camera", model: asked.model, task: taskOf(asked.model) };
  page.skipped = page.dropped = 0;
  practice.restart();
  /** @type {LiveSocket} */
  const socket = new LiveSocket(asked, {
    ready: () => {
      say(`Reading ${taskOf(asked.model)}.`);
      page.endPictures?.();
      page.endPictures = takePictures(
        element("video"),
        () => socket.free,
        (time_s, jpeg) => socket.send(time_s, jpeg),
        () => (page.skipped += 1),
      );
    },
    event: ({ tokens, final }) => {
      text.take(tokens, final);
      if (page.tab === "practice" && page.socket === socket) practice.take(tokens, final);
    },
    frame: (frame) => page.socket === socket && show(frame),
    error: (error) => trouble(said(error)),
    closed: (code, reason) => page.socket === socket && lost(code, reason),
  });
  page.socket = socket;
}

/** Close the connection; its last event brings the open text. */
function disconnect() {
  page.endPictures?.();
  page.endPictures = null;
  const socket = page.socket;
  page.socket = null;
  socket?.end();
}

/** @param {number} code @param {string} reason */
async function lost(code, reason) {
  disconnect();
  clearFigures();
  say("Not connected.");
  trouble(await whyClosed(code, reason), true);
}

function stop() {
  disconnect();
  page.stream?.getTracks().forEach((track) => track.stop());
  page.stream = null;
  element("video").srcObject = null;
  element("curtain").hidden = false;
  element("start").textContent = "Start camera";
  say("");
  clearFigures();
}

/** Connect again if the model or hand has changed. */
function follow() {
  if (!page.stream || page.tab === "file" || JSON.stringify(wish()) === page.asked) return;
  disconnect();
  connect();
}

/** @param {FrameMessage} frame */
function show(frame) {
  const { videoWidth, videoHeight } = element("video");
  const now_s = performance.now() / 1000;
  page.answers.push({ at_s: now_s, lag_s: now_s - frame.time_s });
  page.dropped = frame.dropped;
  if (page.tab === "practice") practice.look(frame, videoWidth / videoHeight);
  draw(element("skeleton"), frame.hands, frame.body, page.tab === "practice" ? practice.marked : []);
  element("hands").textContent = frame.hands.length;
}

/** Once a second: update the figures and clear a stale skeleton. */
function refresh() {
  const now_s = performance.now() / 1000;
  page.answers = page.answers.filter((answer) => answer.at_s > now_s - RATE_S);
  if (!page.socket?.ready) return;
  const lags = page.answers.map((answer) => answer.lag_s).sort((a, b) => a - b);
  element("fps").textContent = page.answers.length;
  element("lag").textContent = lags.length ? `${Math.round(1000 * lags[lags.length >> 1])} ms` : "–";
  element("dropped").textContent = page.dropped + page.skipped;
  if (now_s - (page.answers.at(-1)?.at_s ?? 0) > STALE_MS / 1000) draw(element("skeleton"), [], null);
}

function clearFigures() {
  for (const id of ["lag", "fps", "dropped", "hands"]) element(id).textContent = "–";
  draw(element("skeleton"), [], null);
}

async function fillCameras() {
  const cameras = await listCameras();
  const chosen = page.stream?.getVideoTracks()[0]?.getSettings().deviceId;
  element("camera").replaceChildren(
    ...cameras.map(({ deviceId, label }, k) => new Option(label || `Camera ${k + 1}`, deviceId, false, deviceId === chosen)),
  );
  element("camera-field").hidden = cameras.length < 2 || page.tab === "file";
}

async function fillModels() {
  try {
    page.models = await (await fetch("api/models")).json();
  } catch {
    return trouble("The server does not answer. Is “signary serve” still running? Then reload this page.");
  }
  const options = page.models.map(({ name, task }) => new Option(name === task ? name : `${name} (${task})`, name));
  element("model").replaceChildren(...options);
  if (page.models.some(({ name }) => name === "letters")) element("model").value = "letters";
  chooseModel();
}

function chooseModel() {
  element("file-words-field").hidden = taskOf(element("model").value) !== "letters";
  follow();
}

/** @param {string} tab @param {boolean} focus */
function open(tab, focus = false) {
  page.tab = tab;
  for (const name of TABS) {
    const button = element(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    if (name === tab && focus) button.focus();
    element(`panel-${name}`).hidden = name !== tab;
  }
  element("stage").hidden = tab === "file";
  element("stage").classList.toggle("above", tab === "practice");
  element("model-field").hidden = tab === "practice";
  if (tab === "file" && page.stream) stop();
  element("camera-field").hidden = tab === "file" || element("camera").length < 2;
  if (tab === "practice") practice.open();
  else practice.marked = [];
  follow();
}

/** @param {KeyboardEvent} event */
function moveTab(event) {
  const here = TABS.indexOf(page.tab);
  const last = TABS.length - 1;
  /** @type {Record<string, number>} */
  const places = { ArrowLeft: here ? here - 1 : last, ArrowRight: here < last ? here + 1 : 0, Home: 0, End: last };
  if (!(event.key in places)) return;
  event.preventDefault();
  open(TABS[places[event.key]], true);
}

function sayWhere() {
  const home = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  element("where").textContent = home
    ? "This page and the program that reads you both run on this machine. Pictures, files and text never leave it."
    : `This page comes from ${location.hostname}. Your pictures and files go to that machine, and to no other.`;
}

element("start").addEventListener("click", () => (page.stream ? stop() : start()));
element("reconnect").addEventListener("click", () => (page.stream ? connect() : start()));
element("model").addEventListener("change", chooseModel);
element("camera").addEventListener("change", () => {
  if (!page.stream) return;
  stop();
  start();
});
element("left-handed").addEventListener("change", () => {
  practice.setLeft(element("left-handed").checked);
  follow();
});
for (const tab of TABS) element(`tab-${tab}`).addEventListener("click", () => open(tab));
element("tabs").addEventListener("keydown", moveTab);
setInterval(refresh, 1000);
sayWhere();
fillModels();
