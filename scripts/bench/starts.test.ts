import { expect, it } from "vitest";
import { measureStarts } from "./starts.ts";

it("the bench of starts measures the first accept and the first grade", async () => {
  const figures = await measureStarts({ participants: 30, submissions: 100, waiting: 20 });
  expect(figures).toHaveLength(3);
  for (const { value } of figures) expect(value).toBeGreaterThan(0);
});
