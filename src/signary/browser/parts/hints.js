/** Hints on a handshape: hands are measured as `scripts/measure_handshapes.py` measures the avatar's. */

/** @typedef {[number, number]} Point */
/** @typedef {Record<string, [number, number]>} Shape mean and tolerance of each measure */
/** @typedef {{fingers: number[], text: string, size: number}} Hint */

const ROOTS = [2, 5, 9, 13, 17];
const TIPS = [4, 8, 12, 16, 20];
const NAMES = ["thumb", "index", "middle", "ring", "pinky"];
const SPOKEN = ["thumb", "index finger", "middle finger", "ring finger", "little finger"];
const OPEN = 0.5; // palm lengths; a finger that reaches farther is straight
const FULL_TURN = 360;

/** @param {Point} a @param {Point} b */
const between = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** Measure a hand. @param {Point[]} hand 21 points, x and y in one unit @returns {Record<string, number>} */
export function measure(hand) {
  const row = [hand[17][0] - hand[5][0], hand[17][1] - hand[5][1]];
  const width = Math.hypot(row[0], row[1]);
  const palm = Math.max(between(hand[9], hand[0]), 1.3 * width);
  /** @param {Point} a @param {Point} b */
  const along = (a, b) => ((a[0] - b[0]) * row[0] + (a[1] - b[1]) * row[1]) / Math.max(width, 1e-6) / palm;
  const up = [0, 1].map((axis) => ROOTS.slice(1).reduce((sum, k) => sum + hand[k][axis] - hand[0][axis], 0));
  /** @type {Record<string, number>} */
  const found = {
    across: along(hand[4], hand[5]),
    spread: along(hand[12], hand[8]),
    turn: (Math.atan2(up[0], -up[1]) * FULL_TURN) / (2 * Math.PI),
  };
  NAMES.forEach((name, k) => {
    found[name] = (between(hand[TIPS[k]], hand[0]) - between(hand[ROOTS[k]], hand[0])) / palm;
  });
  return found;
}

/**
 * Compare a hand with a handshape; the largest difference comes first.
 * @param {Point[]} hand 21 points, x and y in one unit, unmirrored
 * @param {Shape} shape
 * @param {boolean} left the hand is a left one
 * @returns {Hint[]}
 */
export function compare(hand, shape, left) {
  const found = measure(hand);
  if (left) found.turn = -found.turn;
  /** @param {string} name */
  const off = (name) => (found[name] - shape[name][0]) / shape[name][1];
  /** @type {Hint[]} */
  const hints = NAMES.slice(1).map((name, k) => ({
    fingers: [k + 1],
    size: Math.abs(off(name)),
    text: `${off(name) > 0 ? "Bend" : "Straighten"} the ${SPOKEN[k + 1]}${Math.abs(off(name)) < 2 ? " a little more" : ""}.`,
  }));
  const across = off("across");
  const thumb = off("thumb");
  if (Math.abs(across) >= Math.abs(thumb)) {
    const way = across > 0 ? "out to the side" : "across the palm";
    hints.push({ fingers: [0], size: Math.abs(across), text: `Move the thumb ${way}.` });
  } else {
    hints.push({ fingers: [0], size: Math.abs(thumb), text: `${thumb > 0 ? "Fold" : "Stretch"} the thumb.` });
  }
  if ([shape.index[0], shape.middle[0], found.index, found.middle].every((reach) => reach > OPEN)) {
    const spread = off("spread");
    const way = spread > 0 ? (shape.spread[0] < 0 ? "Cross" : "Bring together") : "Spread";
    hints.push({ fingers: [1, 2], size: Math.abs(spread), text: `${way} the index and middle fingers.` });
  }
  let turn = found.turn - shape.turn[0];
  turn -= FULL_TURN * Math.round(turn / FULL_TURN);
  const turned = Math.abs(turn) / shape.turn[1];
  // a rotated hand is measured wrongly: correct the rotation before the fingers
  hints.push({ fingers: [], size: turned > 1 ? 100 + turned : 0, text: "Turn the hand the way the picture shows." });
  return hints.filter((hint) => hint.size > 1).sort((a, b) => b.size - a.size);
}

/** Return the largest hand. @param {Point[][]} hands @returns {Point[] | undefined} */
export function nearest(hands) {
  const size = (/** @type {Point[]} */ hand) => between(hand[0], hand[9]) + between(hand[5], hand[17]);
  return [...hands].sort((a, b) => size(b) - size(a))[0];
}
