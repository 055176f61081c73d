// Looks for the number n for which SHA-256("<challenge>:<n>") begins with so many zero bits. One hash at a time
// through crypto.subtle would spend its time on waiting, so SHA-256 (FIPS 180-4) is written out here.

const primes = [];
for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
const fraction = (x) => Math.floor((x - Math.floor(x)) * 0x100000000) | 0;
const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
const W = new Int32Array(64);

// One block into the state.
const block = (state, bytes, at) => {
  for (let i = 0; i < 16; i += 1) {
    const j = at + 4 * i;
    W[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const x = W[i - 15];
    const y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
};

// The text padded to whole blocks; the caller's buffer is large enough.
const pad = (bytes, length) => {
  const end = (((length + 8) >> 6) + 1) << 6;
  bytes.fill(0, length, end);
  bytes[length] = 0x80;
  const bits = length * 8;
  for (let i = 0; i < 4; i += 1) bytes[end - 1 - i] = bits >>> (8 * i);
  return end;
};

const zeros = (state) => {
  let found = 0;
  for (const word of state) {
    const more = Math.clz32(word);
    found += more;
    if (more < 32) break;
  }
  return found;
};

self.addEventListener("message", ({ data: { challenge, bits } }) => {
  const head = new TextEncoder().encode(`${challenge}:`);
  const bytes = new Uint8Array(256);
  bytes.set(head);
  // What stands in whole blocks before the number is the same each time.
  const whole = head.length >> 6;
  const base = Int32Array.from(START);
  for (let i = 0; i < whole; i += 1) block(base, bytes, i << 6);
  const state = new Int32Array(8);
  for (let n = 0; ; n += 1) {
    const digits = String(n);
    for (let i = 0; i < digits.length; i += 1) bytes[head.length + i] = digits.charCodeAt(i);
    const end = pad(bytes, head.length + digits.length);
    state.set(base);
    for (let at = whole << 6; at < end; at += 64) block(state, bytes, at);
    if (zeros(state) >= bits) {
      self.postMessage({ answer: `${challenge}:${digits}` });
      return;
    }
    if (n % 20_000 === 0) self.postMessage({ likely: 1 - Math.exp(-n / 2 ** bits) });
  }
});
