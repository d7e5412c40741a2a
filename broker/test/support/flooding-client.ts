// Run as a process: opens a session, emits a flood of one event, and prints how each was answered until the
// session ended.
import { io } from "socket.io-client";

const [url = "", apiKey = "", name = "", message = "", count = "0"] = process.argv.slice(2);
const socket = io(url, {
  transports: ["websocket"],
  reconnection: false,
  auth: { apiKey, challenge: "test", client: "flood" },
});
const codes: Record<string, number> = {};
let last: unknown = null;
socket.on("refused", (sent: unknown) => {
  last = sent;
});
socket.on("connect_error", (error) => {
  throw error;
});
socket.on("session", () => emitFrom(0));
socket.on("disconnect", () => {
  process.stdout.write(JSON.stringify({ codes, last }));
  process.exit();
});

/**
 * In batches, so that answers are read in between: the broker does not wait long for a client to read its
 * last ones.
 */
function emitFrom(begun: number): void {
  const end = Math.min(begun + 1000, Number(count));
  for (let i = begun; i < end; i++)
    socket.emit(name, JSON.parse(message), (answer: { error?: { code: string } }) => {
      const code = answer.error?.code ?? "ok";
      codes[code] = (codes[code] ?? 0) + 1;
    });
  if (end < Number(count)) setImmediate(emitFrom, end);
}
