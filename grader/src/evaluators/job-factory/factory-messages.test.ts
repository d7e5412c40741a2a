import { ExactNumber } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { createNewMessages, readFactoryMessage } from "./factory-messages.ts";

const word = (state: string, data: unknown = {}, message = "") =>
  JSON.stringify({ response_type: `CrowdAI.Event.Job.${state}`, job_id: "7", message, data });

describe("the messages of a job factory", () => {
  const [first, second, third] = [word("RUNNING"), word("PROGRESS_UPDATE"), word("INFO")];
  const last = word("COMPLETE", { score: 1 });

  it.each([
    ["one at a time, to the tail", [[first], [first, second], [first, second, last]]],
    ["one at a time, to the head", [[first], [second, first], [last, second, first]]],
    [
      "two together, at the tail",
      [
        [first, second],
        [first, second, third],
        [first, second, third, last],
      ],
    ],
    [
      "two together, at the head",
      [
        [second, first],
        [third, second, first],
        [last, third, second, first],
      ],
    ],
    ["all at once, to the tail", [[first, second, last]]],
    ["all at once, to the head", [[last, second, first]]],
    ["with looks at which nothing was new", [[], [first], [first], [first, second], [first, second, last]]],
    [
      "identical ones before the last, at the tail",
      [
        [first, first],
        [first, first, first],
        [first, first, last],
      ],
    ],
    ["alone", [[last]]],
  ])("are returned once, in the order they were sent: %s", (_, looks) => {
    const newMessages = createNewMessages();
    const told = looks.flatMap((said) => newMessages(said));
    const said = looks.at(-1)!;
    expect(told).toEqual(said[0] === last ? said.toReversed() : said);
  });

  it("that are invalid end a job, at either end of the list", () => {
    expect(createNewMessages()([first, "rubbish"])).toEqual([first, "rubbish"]);
    expect(createNewMessages()(["rubbish", first])).toEqual([first, "rubbish"]);
  });

  it("are accepted in the old and the new form, and as JSON in a JSON string", () => {
    const older = JSON.stringify({ job_state: "crowdai.job_state.INFO", message: "hello", data: {} });
    expect(readFactoryMessage(older, "submit")).toEqual({ type: "log", message: "hello" });
    expect(readFactoryMessage(JSON.stringify(older), "submit")).toEqual({ type: "log", message: "hello" });
    expect(readFactoryMessage(word("PROGRESS_UPDATE", { percent_complete: 50 }), "submit")).toMatchObject({
      type: "progress",
      percent: 50,
    });
    for (const state of ["ENQUEUED", "RUNNING"]) expect(readFactoryMessage(word(state), "submit")).toBeNull();
  });

  it("end with a result, with either spelling of the secondary score", () => {
    for (const name of ["secondary_score", "score_secondary"])
      expect(readFactoryMessage(word("COMPLETE", { score: 1, [name]: 2 }), "submit")).toMatchObject({
        kind: "result",
        result: { score: 1, score_secondary: 2, data: { score: 1 } },
      });
    expect(readFactoryMessage(word("COMPLETE", [1, 2]), "evaluate")).toMatchObject({
      kind: "result",
      result: { data: [1, 2] },
    });
    expect(readFactoryMessage(word("ERROR", {}, "row 17"), "submit")).toEqual({
      kind: "rejected",
      message: "row 17",
    });
  });

  it("end with a result whose final score is not in its data", () => {
    const result = { score: 1, score_final: 2, data: { score: 1, loss: 3 } };
    const read = readFactoryMessage(word("COMPLETE", { score: 1, score_final: 2, loss: 3 }), "submit");
    expect(read).toMatchObject({ kind: "result", result });
    expect(read).not.toHaveProperty("result.data.score_final");
  });

  it("end with a result though the data has NaN beside the score", () => {
    const text =
      '{"response_type":"CrowdAI.Event.Job.COMPLETE","data":{"score":0.5,"loss":NaN,"id":9007199254740993}}';
    expect(readFactoryMessage(text, "submit")).toMatchObject({
      kind: "result",
      result: {
        score: 0.5,
        data: { loss: null, id: new ExactNumber("9007199254740993") },
        notFinite: ["data.loss"],
      },
    });
  });

  it.each([
    ["a score that is not a number", word("COMPLETE", { score: "1" }), "evaluator_score"],
    ["NaN", '{"response_type":"CrowdAI.Event.Job.COMPLETE","data":{"score":NaN}}', "evaluator_score"],
    ["an unknown state", word("DONE"), "evaluator_output"],
    ["no state", "{}", "evaluator_output"],
    ["no object", "[]", "evaluator_output"],
    ["null", "null", "evaluator_output"],
    ["no JSON", "no JSON", "evaluator_output"],
    ["a factory that gave up", word("TIMEOUT", {}, "too long"), "evaluator_timeout"],
  ])("that are %s are an evaluator failure", (_, text, code) => {
    expect(readFactoryMessage(text, "submit")).toMatchObject({ kind: "failure", code });
  });

  it("that complete a submission without a score say that it comes over the API, except in a dry run", () => {
    expect(readFactoryMessage(word("COMPLETE"), "submit")).toEqual({ kind: "score elsewhere" });
    expect(readFactoryMessage(word("COMPLETE", {}), "submit", true)).toMatchObject({ kind: "result" });
    expect(readFactoryMessage(word("COMPLETE", {}), "evaluate")).toMatchObject({ kind: "result" });
  });
});
