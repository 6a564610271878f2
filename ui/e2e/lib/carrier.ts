/** A small carrier over UDP: takes or refuses registrations, and rings callees that then are busy. */
import { createSocket } from "node:dgram";

export interface Carrier {
  /** `127.0.0.1:5080` */
  address: string;
  /** What becomes of the next REGISTER. */
  takesAccount: boolean;
  /** Numbers that were called, in their order. */
  called: string[];
  stop: () => void;
}

export async function startCarrier(): Promise<Carrier> {
  const socket = createSocket("udp4");
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  const carrier: Carrier = { address: `127.0.0.1:${socket.address().port}`, takesAccount: true, called: [], stop: () => socket.close() };
  socket.on("message", (bytes, from) => {
    const text = bytes.toString();
    const [method = "", uri = ""] = text.split(" ");
    const header = (name: string) => text.split("\r\n").filter((line) => line.toLowerCase().startsWith(`${name}:`));
    const answer = (status: string, tag = ";tag=far") => {
      const lines = [`SIP/2.0 ${status}`, ...header("via"), ...header("from"), `${header("to")[0] ?? "To: <sip:x@y>"}${tag}`, ...header("call-id"), ...header("cseq"), ...header("contact"), "Expires: 300", "Content-Length: 0", "", ""];
      socket.send(lines.join("\r\n"), from.port, from.address);
    };
    if (method === "REGISTER") answer(carrier.takesAccount ? "200 OK" : "403 Account locked");
    else if (method === "OPTIONS") answer("200 OK");
    else if (method === "INVITE") {
      const number = /^sip:([^@]+)@/.exec(uri)?.[1] ?? "";
      if (!carrier.called.includes(number)) carrier.called.push(number);
      answer("100 Trying", "");
      answer("180 Ringing");
      answer("486 Busy Here");
    }
  });
  return carrier;
}
