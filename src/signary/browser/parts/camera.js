/** The camera: open it, explain its errors, capture small JPEG frames. */

const WIDTH_PX = 480;
const QUALITY = 0.7;

/** @param {HTMLVideoElement} video @param {string} deviceId empty: front camera @returns {Promise<MediaStream>} */
export async function openCamera(video, deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no camera here", "SecurityError");
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { ...which, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
  });
  video.srcObject = stream;
  await video.play();
  return stream;
}

/** Whether the camera faces the user; its preview is then shown mirrored. @param {MediaStream} stream */
export function looksAtUser(stream) {
  return stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
}

/** @returns {Promise<MediaDeviceInfo[]>} */
export async function listCameras() {
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
}

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError:
    "The camera was refused. To allow it, press the camera sign in the browser’s address bar, then start again. You can also read a file.",
  NotFoundError: "No camera was found. Plug one in and start again, or read a file.",
  NotReadableError: "The camera does not answer. Another program may be using it: close that, then start again.",
  OverconstrainedError: "That camera is gone. Choose another one.",
  SecurityError: "Browsers give the camera only to pages on this very machine (localhost) or over https. You can still read a file.",
};

/** @param {unknown} error @returns {string} */
export function cameraTrouble(error) {
  const name = error instanceof DOMException ? error.name : "";
  return REASONS[name] ?? `The camera could not be started (${error}).`;
}

/**
 * Capture frames of the video. A frame is encoded only if it is wanted and the last one is done.
 * @param {HTMLVideoElement} video
 * @param {() => boolean} wanted
 * @param {(time_s: number, jpeg: ArrayBuffer) => void} take time_s is when the frame was captured, on the page's clock
 * @param {() => void} leave called for each frame left out
 * @returns {() => void} stops the capture
 */
export function takePictures(video, wanted, take, leave) {
  const canvas = document.createElement("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let busy = false;
  let over = false;
  const next = () => {
    if (over) return;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(step);
    else setTimeout(step, 33);
  };
  const step = async () => {
    next();
    if (over || !video.videoWidth) return;
    if (busy || !wanted()) return leave();
    busy = true;
    const time_s = performance.now() / 1000;
    canvas.width = Math.min(WIDTH_PX, video.videoWidth);
    canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    /** @type {Blob | null} */
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    const jpeg = await blob?.arrayBuffer();
    busy = false;
    if (jpeg && !over && wanted()) take(time_s, jpeg);
  };
  next();
  return () => {
    over = true;
  };
}
