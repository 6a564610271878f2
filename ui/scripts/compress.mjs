// Writes brotli and gzip copies beside each text file of dist/ that becomes smaller; the service sends the smallest that
// the browser takes (browsers take brotli over TLS and from localhost only).
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = /\.(js|css|svg)$/;
const brotli = (plain) => brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } });
const CODINGS = [[".br", brotli], [".gz", (plain) => gzipSync(plain, { level: 9 })]];

for (const entry of readdirSync("dist", { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !TEXT.test(entry.name)) continue;
  const plain = readFileSync(file);
  for (const [ending, compress] of CODINGS) {
    const small = compress(plain);
    rmSync(file + ending, { force: true });
    if (small.length < plain.length * 0.95) writeFileSync(file + ending, small);
  }
}

// The list of chunks serves the size test; it does not belong into the binary.
mkdirSync("node_modules/.cache", { recursive: true });
renameSync("dist/.vite/manifest.json", "node_modules/.cache/manifest.json");
rmSync("dist/.vite", { recursive: true });
