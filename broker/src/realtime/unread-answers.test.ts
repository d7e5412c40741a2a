import { EventEmitter } from "node:events";
import type { Socket as Connection } from "engine.io";
import { expect, it } from "vitest";
import { createUnreadAnswers } from "./unread-answers.ts";

const MEGABYTE = "x".repeat(1024 * 1024);

/** Connections as far as the limits use them, and those that were ended. */
function openConnections() {
  const ended: unknown[] = [];
  const unread = createUnreadAnswers((connection) => {
    ended.push(connection);
    connection.emit("close");
  });
  const open = (key: string) => {
    const connection = new EventEmitter() as unknown as Connection;
    unread.guard(connection);
    unread.assign(connection, key);
    return {
      connection,
      send: (megabytes: number) => {
        for (let i = 0; i < megabytes; i++) connection.emit("packetCreate", { data: MEGABYTE });
      },
      read: () => connection.emit("flush"),
    };
  };
  return { open, ended };
}

it("a connection is ended when 16 MB wait for a client that does not read", () => {
  const { open, ended } = openConnections();
  const [reader, other] = [open("a"), open("b")];
  for (let i = 0; i < 10; i++) {
    reader.send(10);
    reader.read();
  }
  other.send(16);
  expect(ended).toEqual([]);
  other.send(1);
  expect(ended).toEqual([other.connection]);
});

it("connections of one key share a limit, which ended ones free", () => {
  const { open, ended } = openConnections();
  const connections = Array.from({ length: 5 }, () => open("a"));
  const other = open("b");
  for (const { send } of connections.slice(0, 4)) send(15);
  other.send(15);
  expect(ended).toEqual([]);
  connections[4]!.send(5);
  expect(ended).toEqual([connections[4]!.connection]);
  connections[0]!.send(4);
  expect(ended).toHaveLength(2);
  open("a").send(15);
  expect(ended).toHaveLength(2);
});
