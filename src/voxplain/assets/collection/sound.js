/* The microphone as mono 16-bit WAV at 16 kHz. */
const RATE = 16_000;

/** Records until `stop` is called, which gives a Blob. `hear` is told the peak of every piece. */
export async function record(hear) {
  // As it is: what makes calls pleasant changes what is to be measured.
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...plain } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/recorder.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  const pieces = [];
  node.port.onmessage = ({ data }) => {
    pieces.push(data);
    hear(data.reduce((most, one) => Math.max(most, Math.abs(one)), 0), (pieces.length * data.length) / context.sampleRate);
  };
  context.createMediaStreamSource(stream).connect(node);
  return async function stop() {
    node.port.onmessage = null;
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    return wav(await resampled(pieces, context.sampleRate));
  };
}

async function resampled(pieces, rate) {
  const length = pieces.reduce((sum, one) => sum + one.length, 0);
  if (!length) return new Float32Array();
  const offline = new OfflineAudioContext(1, Math.floor((length * RATE) / rate), RATE);
  const buffer = offline.createBuffer(1, length, rate);
  let at = 0;
  for (const piece of pieces) {
    buffer.copyToChannel(piece, 0, at);
    at += piece.length;
  }
  const source = offline.createBufferSource();
  source.buffer = buffer;
  source.connect(offline.destination);
  source.start();
  return (await offline.startRendering()).getChannelData(0);
}

function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((one, n) => view.setUint8(at + n, one.charCodeAt()));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // integers
  view.setUint16(22, 1, true); // channel
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((one, n) => view.setInt16(44 + 2 * n, Math.max(-1, Math.min(1, one)) * 32_767, true));
  return new Blob([view], { type: "audio/wav" });
}
