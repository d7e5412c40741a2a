import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { describe, expect, it } from "vitest";
import { executeSchema } from "./messages.ts";
import { challengeOf, planCall } from "./plan-call.ts";

const config = (accepts?: object) =>
  challengeConfigSchema.parse({
    id: "test",
    title: "A test",
    score: {},
    evaluator: { command: ["evaluate"] },
    ...(accepts ? { accepts } : {}),
  });
const request = (more: object) =>
  executeSchema.parse({
    response_channel: "",
    session_token: "",
    api_key: "",
    challenge_id: "test",
    function_name: "submit",
    data: [{}],
    ...more,
  });

describe("a call", () => {
  it("names its challenge in one of three ways", () => {
    const named = (more: object) => challengeOf(request({ challenge_id: undefined, ...more }));
    expect(named({ challenge_id: "old" })).toBe("old");
    expect(named({ grader_id: "crowdAI_GRADER_POOL", challenge_client_name: "new" })).toBe("new");
    expect(named({ grader_id: "own" })).toBe("own");
    expect(() => named({ challenge_client_name: null })).toThrow("names a challenge");
  });

  it("is one submission when its numbers are valid only together", () => {
    const jobs = (data: unknown[], schema?: object) =>
      planCall(config(schema && { json: { schema } }), request({ data })).length;
    expect(jobs([1, 2, 3])).toBe(1);
    expect(jobs([1, 2, 3], { type: "array" })).toBe(1);
    expect(jobs([1, 2, 3], { type: "number" })).toBe(3);
    expect(jobs([[1], [2], [3]])).toBe(3);
  });

  it("is refused as a whole when one of its files is named wrongly", () => {
    const plan = (data: unknown[]) =>
      planCall(config(), request({ function_name: "grade_submission", data }));
    const good = { file_key: "submissions/x" };
    expect(plan([good, { ...good, round: 2 }])).toMatchObject([{ round: null }, { round: "2" }]);
    for (const bad of [{}, null, "submissions/x", { file_key: 7 }, { file_key: "" }, { ...good, round: {} }])
      expect(() => plan([good, bad])).toThrow(/^data\[1\]: /);
  });
});
