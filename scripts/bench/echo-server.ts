// A bare server that acknowledges each socket.io message, and answers each HTTP request, with what it got.
// Prints its port.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

const http = createServer((request, response) => {
  if (!request.url?.startsWith("/socket.io/")) request.pipe(response);
});
new Server(http).on("connection", (socket) => {
  socket.on("submit", (value: unknown, acknowledge: (value: unknown) => void) => acknowledge(value));
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
