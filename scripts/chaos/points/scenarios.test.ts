import { expect, it } from "vitest";
import { readSteps } from "../../check/marked-steps.ts";
import { SCENARIOS, UNREACHED } from "./scenarios.ts";

it("each marked step is reached by one scenario, or has a reason why not", () => {
  const reached = SCENARIOS.flatMap(({ steps }) => steps);
  expect([...reached, ...Object.keys(UNREACHED)].sort()).toEqual(readSteps().names);
});
