import type { AgentAnswer, AgentRequest, Receipt, SessionAnswer, Submission } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, type TestClient } from "../support/test-broker.ts";
import { createToyGrader, environmentChallenge, type ToyGrader } from "../support/toy-sessions.ts";

const NEVER: Promise<AgentAnswer> = new Promise(() => {});

describe("the requests of an agent", () => {
  let test: TestBroker;
  let toy: ToyGrader;
  let client: TestClient;
  beforeAll(async () => {
    toy = createToyGrader();
    test = await startBroker({
      runGrader: toy.run,
      challenges: [environmentChallenge({ rounds: [{ id: "1", parallel_limit: null }] })],
    });
    client = await test.connect();
  });
  afterAll(() => test?.close());

  const ask = (name: string, id: string, more = {}, as = client) =>
    as.ask<SessionAnswer>(`environment:${name}`, { id, ...more });
  async function open(answer?: (request: AgentRequest) => Promise<AgentAnswer>) {
    const { submission } = await client.ask<Receipt>("environment:create", {
      id: createSubmissionId(),
      challenge: "test",
    });
    const taken = await toy.next();
    return { id: submission.id, taken, ...(await toy.serve(taken, answer)) };
  }

  it("are answered for the submission's participant alone", async () => {
    const { id } = await open();
    const other = await test.connect({ key: await test.addParticipant("bob") });
    for (const name of ["hello", "reset", "step", "submit"]) {
      await expect(ask(name, id, { action: 1 }, other)).rejects.toMatchObject({ code: "submission_unknown" });
      await expect(ask(name, "no-such-session", { action: 1 })).rejects.toMatchObject({
        code: "submission_unknown",
      });
      await expect(ask(name, "?")).rejects.toMatchObject({ code: "usage" });
    }
    expect(await ask("reset", id)).toMatchObject({ type: "observation" });
    await expect(ask("hello", id, {}, other)).rejects.toMatchObject({ code: "submission_unknown" });
    expect(await ask("step", id, { action: 1 })).toMatchObject({ type: "step", n: 1 });
  });

  it.each(["submit", "watch", "environment:step"])(
    "are answered when %s comes without a message, or with several",
    async (name) => {
      for (const sent of [[], [null, 1], [{}, 1, 2]])
        expect(await client.socket.timeout(10_000).emitWithAck(name, ...sent)).toMatchObject({
          error: { code: "usage" },
        });
    },
  );

  it("keep the session's errors, and round no number more than JavaScript does", async () => {
    const { id, asked } = await open();
    expect(await ask("step", id, { action: 1 })).toMatchObject({ type: "error", code: "step_late" });
    await ask("reset", id, { episode: 1 });
    const raw = '["environment:step",{"id":"ID","n":1,"action":[0.10000000000000000001,1e5]}]'.replace(
      "ID",
      id,
    );
    // As a client that writes its own JSON sends it.
    client.socket.io.engine.write(`2${raw}`);
    await expect.poll(() => asked.at(-1)).toEqual({ type: "step", n: 1, action: [0.1, 100_000] });
  });

  it.each([
    ["cancelled", (id: string) => client.ask("cancel", { id }), "cancelled"],
    ["failed by its grader", null, "env_crashed"],
  ])("end with the submission's error when it is %s", async (_, end, code) => {
    const { id, taken } = await open(() => NEVER);
    const waiting = ask("reset", id);
    waiting.catch(() => {});
    await expect
      .poll(() => test.records.db.selectFrom("submissions").select("state").where("id", "=", id).execute())
      .toEqual([{ state: "grading" }]);
    if (end) await end(id);
    else await toy.fail(taken, { code: "env_crashed" });
    await expect(waiting).rejects.toMatchObject({ code });
    for (const name of ["hello", "submit"]) await expect(ask(name, id)).rejects.toMatchObject({ code });
  });

  it("may be more than other events, and are still counted", async () => {
    const { id } = await open();
    const codes: Record<string, number> = {};
    for (let sent = 0; sent < 4000; sent += 50)
      await Promise.all(
        Array.from({ length: 50 }, () =>
          ask("hello", id).then(
            ({ type }) => {
              codes[type] = (codes[type] ?? 0) + 1;
            },
            ({ code }) => {
              codes[code] = (codes[code] ?? 0) + 1;
            },
          ),
        ),
      );
    expect(codes).toEqual({ hello: 4000 });
    const stuck = await open(() => NEVER);
    let refused = 0;
    for (let n = 1; n <= 100; n++)
      ask("step", stuck.id, { n, action: 1 }).catch(({ code }) => {
        if (code === "too_many_requests") refused++;
      });
    await expect.poll(() => refused).toBe(36);
  });

  it("are not missed when the agent connects, though its connections break before it can ask", async () => {
    const { id, asked } = await open();
    await ask("reset", id, { episode: 1 });
    (await test.connect()).socket.disconnect();
    await expect.poll(() => asked.at(-1)).toEqual({ type: "hello" });
    expect(await ask("step", id, { n: 1, action: 1 })).toMatchObject({ n: 1 });
  });

  it("that wait do not hold up other requests of the connection", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 70; i++)
      ids.push(
        (await client.ask<Receipt>("environment:create", { id: createSubmissionId(), challenge: "test" }))
          .submission.id,
      );
    const waiting = ids.map((id) => ask("hello", id).catch(() => null));
    const { submission } = await client.ask<{ submission: Submission }>("watch", { id: ids[0] });
    expect(submission.id).toBe(ids[0]);
    await Promise.all(ids.map((id) => client.ask("cancel", { id })));
    await Promise.all(waiting);
  });
});
