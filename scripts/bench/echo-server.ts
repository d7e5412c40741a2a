// A bare socket.io server that acknowledges each message with what it got. Prints its port.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

const http = createServer();
new Server(http).on("connection", (socket) => {
  socket.on("submit", (value: unknown, acknowledge: (value: unknown) => void) => acknowledge(value));
});
http.listen(0, "127.0.0.1", () => console.log((http.address() as AddressInfo).port));
