import { expect, it } from "vitest";
import { readSteps, stepNames, unmarkedSteps } from "./marked-steps.ts";

it("every step of the servers that others may rely on has a name of its own", () => {
  const { names, problems } = readSteps();
  expect(problems).toEqual([]);
  const kinds = ["channel", "claim", "commit", "publish", "queue", "refs", "report", "send", "upload"];
  expect([...new Set(names.map((name) => name.split(".")[0]))]).toEqual(kinds);
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
    "a claim of the step channel",
    "shared/src/step-channel/redis/x.ts",
    "const last = await run(SERVE, [server]);",
  ],
  ["a write of the step channel", "shared/src/step-channel/redis/x.ts", "(client) => client.del(journal)"],
  ["an entry of a journal", "shared/src/step-channel/x.ts", "journal.append(unwritten)"],
  ["a ref", "broker/src/http/git/x.ts", 'await git.must(["update-ref", "refs/heads/main", name], { dir })'],
  ["a claim in the records", "broker/src/background/webhooks/x.ts", "await claimMessage(db, id, now)"],
  [
    "what is sent to a webhook",
    "broker/src/background/webhooks/x.ts",
    "await postMessage(url, headers, body)",
  ],
  ["what is sent to the webapp", "broker/src/background/webapp/x.ts", "() => calls.update(number, form)"],
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
