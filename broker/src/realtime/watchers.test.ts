import { describe, expect, it } from "vitest";
import { createWatchers } from "./watchers.ts";

function session() {
  const heard: unknown[] = [];
  return { connected: true, heard, emit: (...args: unknown[]) => heard.push(args) > 0 };
}

describe("watchers", () => {
  it("receive events of the submission they watch, each once, and of no other", () => {
    const watchers = createWatchers();
    const [one, two, other] = [session(), session(), session()];
    for (const socket of [one, one, two]) watchers.add("a", socket);
    watchers.add("b", other);
    watchers.send("a", "event", 1);
    expect([one.heard, two.heard, other.heard]).toEqual([[["event", 1]], [["event", 1]], []]);
    watchers.remove("a", one);
    watchers.send("a", "event", 2);
    expect([one.heard.length, two.heard.length]).toEqual([1, 2]);
  });

  it("stay until they leave, disconnect, or the submission ends", () => {
    const watchers = createWatchers();
    const [one, two, three] = [session(), session(), session()];
    watchers.add("a", one);
    for (const socket of [one, two]) watchers.add("b", socket);
    watchers.add("c", three);
    expect(watchers.submissions()).toEqual(["a", "b", "c"]);
    one.connected = false;
    expect([watchers.has("a"), watchers.has("b")]).toEqual([false, true]);
    expect(watchers.submissions()).toEqual(["b", "c"]);
    watchers.remove("b", two);
    watchers.end("c");
    expect(watchers.submissions()).toEqual([]);
    expect(watchers.has("c")).toBe(false);
  });
});
