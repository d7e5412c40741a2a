import { expect, it } from "vitest";
import { readSteps, stepNames, unmarkedSteps } from "./marked-steps.ts";

it("every commit, publication, claim, report, acknowledgement and upload of the servers has a name of its own", () => {
  const { names, problems } = readSteps();
  expect(problems).toEqual([]);
  for (const kind of [
    "commit.register-intent",
    "publish.new-job",
    "queue.claim",
    "queue.exchange",
    "report.outcome",
  ])
    expect(names).toContain(kind);
});

it.each([
  ["a commit", "broker/src/domain/x.ts", "await records.transaction(async (trx) => 1);"],
  ["a publication", "broker/src/domain/x.ts", "await queue.publish(job);"],
  ["a report", "grader/src/jobs/x.ts", "queue\n  .report(body)"],
  ["an upload", "grader/src/jobs/x.ts", "await objects.put(key, body);"],
  ["the end of an upload", "broker/src/domain/x.ts", "await context.objects.finishUpload(key, wanted);"],
  [
    "a claim",
    "shared/src/queue/redis/x.ts",
    "connection.use((client) => runScript(client, base, TAKE, args))",
  ],
  ["an acknowledgement", "shared/src/queue/redis/x.ts", "await client.xack(key, group, id);"],
  [
    "a second call in a step",
    "broker/src/domain/x.ts",
    'markedStep("publish.a", () => b()); queue.publish(job)',
  ],
])("%s without a name is found", (_, path, text) => {
  expect(unmarkedSteps(path, text)).toEqual([expect.stringMatching(/^\S+:\d: use /)]);
});

it("a step with a name is accepted, and its name read", () => {
  const text = `
    await commit(context.records, "apply-report", async (trx) => 1);
    await markedStep("publish.new-job", () =>
      context.queue.publish(job),
    );
    await markedStep("queue.claim", () =>
      connection.use((client) => runScript(client, base, CLAIM, args)),
    );`;
  for (const path of ["broker/src/domain/x.ts", "shared/src/queue/redis/x.ts"])
    expect(unmarkedSteps(path, text)).toEqual([]);
  expect(stepNames(text)).toEqual(["commit.apply-report", "publish.new-job", "queue.claim"]);
});
