/** A zip of uncompressed files, as the service takes a campaign's folder (APPNOTE.TXT 4.3). */
import { crc32, inflateRawSync } from "node:zlib";

export function zip(files: readonly (readonly [name: string, bytes: Buffer])[]): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, bytes] of files) {
    const raw = Buffer.from(name, "utf8");
    // Version 2.0, names in UTF-8 (bit 11), stored, 1980-01-01.
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(0x0800, 2);
    head.writeUInt16LE(33, 8);
    head.writeUInt32LE(crc32(bytes), 10);
    head.writeUInt32LE(bytes.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(raw.length, 22);
    locals.push(Buffer.from("PK\u0003\u0004", "latin1"), head, raw, bytes);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\u0001\u0002\u0014\u0000", "latin1"), head, tail, raw);
    offset += 30 + raw.length + bytes.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listed, end]);
}

/** Files of a zip by their names: stored or deflated, as the service packs them. */
export function unzip(bytes: Buffer): Map<string, Buffer> {
  const end = bytes.length - 22;
  const files = new Map<string, Buffer>();
  for (let n = 0, at = bytes.readUInt32LE(end + 16); n < bytes.readUInt16LE(end + 10); n += 1) {
    const [names, more, said] = [28, 30, 32].map((it) => bytes.readUInt16LE(at + it)) as [number, number, number];
    const [method, packed, local] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)];
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const raw = bytes.subarray(from, from + packed);
    files.set(bytes.toString("utf8", at + 46, at + 46 + names), method === 0 ? raw : inflateRawSync(raw));
    at += 46 + names + more + said;
  }
  return files;
}
