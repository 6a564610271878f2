/** The SharedWorker: one stream for all tabs of the browser. */
import { Hub, type Port, type ToHub } from "./hub";

const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null };
const hub = new Hub("/api/v1/live");

scope.onconnect = (event) => {
  const channel = event.ports[0];
  if (channel === undefined) return;
  const port: Port = { post: (message) => channel.postMessage(message) };
  channel.onmessage = ({ data }: MessageEvent<ToHub>) => hub.take(port, data);
};
