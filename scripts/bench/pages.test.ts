import { expect, it } from "vitest";
import { measurePages } from "./pages.ts";

it("the bench of the pages measures each beside a bare server of the same bytes", async () => {
  const figures = await measurePages({ participants: 300, submissions: 1000, samples: 3 });
  expect(figures).toHaveLength(4 * 3);
  for (const { value } of figures) expect(value).toBeGreaterThan(0);
});
