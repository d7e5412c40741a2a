import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { never } from "./world.ts";

it("the memory of what a crashed program waits for is freed", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const kept = new WeakRef(waiting());
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(kept.deref()).toBeUndefined();
});

/** Returns an object that is used by work that goes on after a crash. */
function waiting(): object {
  const work = { steps: 0 };
  void (async () => {
    await never();
    work.steps++;
  })();
  return work;
}
