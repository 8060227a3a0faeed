// Programs in links: compressed, in the part of the address that is never sent to a server.

const MOST = 800_000; // bytes of a program; a longer text in a link is not a program

/** The fragment that holds a program. */
export async function encode(code) {
  const packed = await through(new TextEncoder().encode(code), new CompressionStream("deflate-raw"), Infinity);
  const letters = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""));
  return "#code=" + letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The program in a fragment; null where there is none, an error where it cannot be read. */
export async function decode(fragment) {
  const found = /^#code=([\w-]*)$/.exec(fragment);
  if (!found) return null;
  const letters = atob(found[1].replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(letters, (c) => c.charCodeAt(0));
  const bytes = await through(packed, new DecompressionStream("deflate-raw"), MOST);
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** Bytes sent through a transforming stream; at most `most` of them come out. */
async function through(bytes, stream, most) {
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  written.catch(() => {}); // the reader below meets the same error
  const parts = [];
  let size = 0;
  for (const reader = stream.readable.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) throw new RangeError("too long");
    parts.push(value);
  }
  const all = new Uint8Array(size);
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}
