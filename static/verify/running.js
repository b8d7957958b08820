// Where the verifier runs: `relcontrolVerify` for whoever calls it, a worker for the page, so that it never stands still.

const SCRIPT = typeof document === "undefined" ? null : document.currentScript;
const IN_WORKER = typeof document === "undefined";

// Verifies an export. `trust`: a parsed trust.json, its bytes, or null; `head`: text of a known head, or "".
async function verify(bytes, trust, head, progress = async () => {}) {
  if (!globalThis.crypto?.subtle) {
    throw new TrustError("the browser gives this page no cryptography: open it from your disk, or over https");
  }
  const known = trust instanceof Uint8Array ? parseTrust(trust) : trust;
  return verifyExport(bytes, known ?? null, head, progress);
}

async function bytesOf(file) {
  if (file.size > MAX_FILE_BYTES) throw new TrustError(`${file.name} is larger than ${MAX_FILE_BYTES} bytes`);
  return new Uint8Array(await file.arrayBuffer());
}

// The report, and the digests of what was read.
async function verifyFiles({ file, trust, head }, progress) {
  const given = trust ? await bytesOf(trust) : null, content = await bytesOf(file);
  const digests = { file: await digestOf(content), trust: given && (await digestOf(given)) };
  return { report: await verify(content, given, head.trim() && head, progress), digests };
}

// Lets the browser do what waits, at most every 40 ms.
function breathing(act) {
  let last = performance.now();
  return async (...state) => {
    if (performance.now() - last < 40) return;
    act(...state);
    await new Promise((resume) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resume;
      port2.postMessage(null);
    });
    last = performance.now();
  };
}

function newWorker() {
  if (SCRIPT.src) return new Worker(SCRIPT.src);
  const url = URL.createObjectURL(new Blob([SCRIPT.textContent], { type: "text/javascript" }));
  try {
    return new Worker(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// A worker that has said that it can verify, or null: some browsers give a page from disk none, or none that can.
async function readyWorker() {
  try {
    const worker = newWorker();
    const able = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data.able);
      worker.onerror = () => resolve(false);
      setTimeout(resolve, 3000, false);
    });
    if (able) return worker;
    worker.terminate();
  } catch {
    // It is then done in the page.
  }
  return null;
}

// In a worker; without one in the page itself, piece by piece.
async function verifyApart(asked, advance) {
  const worker = await readyWorker();
  if (!worker) return verifyFiles(asked, breathing(advance));
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.found) resolve(data.found);
        else if (data.refused !== undefined) reject(data.usage ? new TrustError(data.refused) : new Error(data.refused));
        else advance(...data.progress);
      };
      worker.onerror = (event) => reject(new Error(event.message || "the worker ended"));
      worker.postMessage(asked);
    });
  } finally {
    worker.terminate();
  }
}

async function answer({ data }) {
  try {
    const found = await verifyFiles(data, breathing((...progress) => postMessage({ progress })));
    postMessage({ found });
  } catch (error) {
    postMessage({ refused: error.message, usage: error instanceof TrustError });
  }
}

if (IN_WORKER) {
  globalThis.onmessage = answer;
  postMessage({ able: Boolean(globalThis.crypto?.subtle) });
} else {
  globalThis.relcontrolVerify = verify;
  const begin = () => new Page(document.getElementById("verifier"));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
}
