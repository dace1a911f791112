/** Hands and arms, drawn over the video. */

/** @typedef {import("./messages.js").Points} Points */

const CHAINS = [
  [0, 1, 2, 3, 4],
  [0, 5, 6, 7, 8],
  [9, 10, 11, 12],
  [13, 14, 15, 16],
  [0, 17, 18, 19, 20],
];
const PALM = [5, 9, 13, 17];
const ARMS = [[11, 12], [16, 14, 12, 24], [15, 13, 11, 23], [23, 24]];
// thumb (dark) to little finger (light); distinct in every kind of color blindness
const COLORS = ["#d55e00", "#e68000", "#f0a51e", "#56b4e9", "#a5d9f7"];
const RIM = "#101418";

/**
 * Clear the canvas, then draw hands and body.
 * @param {HTMLCanvasElement} canvas
 * @param {Points[]} hands
 * @param {Points | null} body the 33 points of MediaPipe's pose
 * @param {number[]} marked fingers to highlight, 0 (thumb) to 4 (little finger)
 */
export function draw(canvas, hands, body, marked = []) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.lineCap = context.lineJoin = "round";
  const thick = Math.max(2, canvas.width / 160);
  if (body?.length === 33) for (const chain of ARMS) line(context, canvas, body, chain, "#e1e1e1", thick / 2);
  for (const hand of hands) {
    line(context, canvas, hand, PALM, "#e1e1e1", thick);
    CHAINS.forEach((chain, finger) => {
      const wide = marked.includes(finger) ? thick * 2.5 : thick;
      line(context, canvas, hand, chain, marked.includes(finger) ? "#ff2d78" : COLORS[finger], wide);
    });
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {HTMLCanvasElement} canvas @param {Points} points
 * @param {number[]} chain @param {string} color @param {number} width
 */
function line(context, canvas, points, chain, color, width) {
  const path = new Path2D();
  for (const index of chain) {
    const [x, y] = points[index] ?? [NaN, NaN];
    if (x === null || !Number.isFinite(x + y)) return;
    path.lineTo(x * canvas.width, y * canvas.height);
  }
  for (const [style, thickness] of /** @type {[string, number][]} */ ([[RIM, width + 2], [color, width]])) {
    context.strokeStyle = style;
    context.lineWidth = thickness;
    context.stroke(path);
  }
}
