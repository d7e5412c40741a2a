import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { handleSignals } from "./handle-signals.ts";

function program(command: string) {
  const events = new EventEmitter();
  const codes: unknown[] = [];
  const process = Object.assign(events, {
    argv: ["node", "crowdai-broker", command],
    exit: (code: unknown) => void codes.push(code),
  });
  let stops = 0;
  const { onSignal } = handleSignals(process as never);
  return {
    codes,
    stops: () => stops,
    ask: () => onSignal(() => void stops++),
    send: (signal: string) => void events.emit(signal),
  };
}

it("stops a start once, whether the signal comes before or after it asks, and exits at the second", () => {
  const early = program("start");
  early.send("SIGTERM");
  expect(early.stops()).toBe(0);
  early.ask();
  const late = program("start");
  late.ask();
  late.send("SIGINT");
  for (const { stops, codes, send } of [early, late]) {
    expect([stops(), codes]).toEqual([1, []]);
    send("SIGTERM");
    expect([stops(), codes]).toEqual([1, [130]]);
  }
});

it("ends a command at once that does not stop by itself", () => {
  const { send, codes } = program("participant");
  send("SIGINT");
  expect(codes).toEqual([130]);
  const asks = program("backup");
  asks.ask();
  asks.send("SIGINT");
  expect([asks.stops(), asks.codes]).toEqual([1, []]);
});
