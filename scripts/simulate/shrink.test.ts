import { expect, it } from "vitest";
import { replayed, seeded } from "./choices.ts";
import { shrink } from "./shrink.ts";

it("a schedule shrinks to the choices that it fails with", async () => {
  const choices = seeded(1);
  for (let n = 0; n < 200; n++) choices.pick(10);
  const failing = choices.taken.map((choice, at) => (at === 40 ? 7 : choice));
  const shrunk = await shrink(failing, async (replay) => {
    const seen = Array.from({ length: 50 }, () => replay.pick(10));
    return seen[40] === 7;
  });
  expect(shrunk).toEqual([...Array(40).fill(0), 7]);
});

it("choices are the same again from a seed, and from what was taken", () => {
  const take = (choices: ReturnType<typeof seeded>) =>
    Array.from({ length: 20 }, (_, n) => (n % 3 === 0 ? choices.chance(50) : choices.pick(5)));
  const [first, second] = [seeded(3), seeded(3)];
  const taken = take(first);
  expect(take(second)).toEqual(taken);
  expect(take(replayed(first.taken))).toEqual(taken);
  expect(take(seeded(4))).not.toEqual(taken);
});
