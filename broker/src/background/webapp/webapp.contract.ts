import { type ErrorCode, catalog as errors, type Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPageClient } from "../../../test/pages/page-client.ts";
import { type TestBroker, type TestClient, untilEnd } from "../../../test/support/test-broker.ts";
import { until } from "../../../test/support/until.ts";

/** A broker with its webapp, which has the challenge "test". */
export interface WebappUnderTest {
  /** The broker that participants submit to. */
  broker: TestBroker;
  /** Adds a participant to the webapp and returns the key. */
  addParticipant(name: string): Promise<string>;
  revoke(name: string): Promise<void>;
  /** Reads what the webapp's admin can read. */
  read(path: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Listed {
  id: number;
  participant_name: string;
  grading_status_cd: string;
  score: number | null;
  score_secondary: number | null;
  description_markdown: string | null;
}

const value = (data: unknown) => ({ kind: "inline" as const, data });

/** Tests what participants and a webapp's admin may rely on, whichever webapp the broker uses. */
export function webappContract(
  name: string,
  start: (rounds: Record<string, unknown>[]) => Promise<WebappUnderTest>,
): void {
  describe(`${name}, as the webapp behind a broker`, () => {
    let test: WebappUnderTest;
    const setUp = async (...rounds: Record<string, unknown>[]) => {
      test = await start(rounds.length > 0 ? rounds : [{ id: "1" }]);
    };
    afterEach(() => test?.close());

    const listed = () => until(() => all().then((rows) => rows.length > 0 && rows));
    const all = async (): Promise<Listed[]> => {
      const ids = (await test.read("/api/submissions?challenge_client_name=test")) as number[];
      return Promise.all(ids.map((id) => test.read(`/api/submissions/${id}`) as Promise<Listed>));
    };
    const ended = () =>
      until(async () => {
        const rows = await all();
        return rows.some(({ grading_status_cd }) => /graded|failed/.test(grading_status_cd)) && rows;
      });
    const submit = async (client: TestClient, data: unknown, message: string | null = null) => {
      const { submission } = await client.submit({ input: value(data), message });
      await untilEnd(client, submission.id);
      return (await (
        await test.broker.fetch(`/api/v1/submissions/${submission.id}`, { key: key() })
      ).json()) as Submission;
    };
    /** Returns whose fault a refusal is, and its exit code. */
    const refusal = (client: TestClient) =>
      client.submit({ input: value({ score: 1 }) }).then(
        () => "accepted",
        ({ code }: { code: ErrorCode }) => ({ fault: errors[code].fault, exit: errors[code].exit }),
      );
    let adasKey = "";
    const key = () => adasKey;
    const ada = async () => {
      adasKey = await test.addParticipant("grace");
      return test.broker.connect({ key: adasKey });
    };

    describe("keys", () => {
      beforeEach(() => setUp());

      it("admits the webapp's participants, and no one else", async () => {
        const client = await ada();
        expect(client.session.participant.name).toMatch(/^(grace|participant-\d+)$/);
        for (const unknown of ["0".repeat(32), adasKey.slice(0, -1)])
          await expect(test.broker.connect({ key: unknown })).rejects.toMatchObject({
            code: expect.stringMatching(/^key_(unknown|malformed)$/),
          });
      });

      it("ends a revoked key everywhere: for new sessions, requests, and sessions that only listen", async () => {
        const client = await ada();
        const closed = new Promise((resolve) => client.socket.once("disconnect", resolve));
        await test.revoke("grace");
        await closed;
        await expect(test.broker.connect({ key: adasKey })).rejects.toMatchObject({
          code: expect.stringMatching(/^key_(unknown|revoked)$/),
        });
        expect((await test.broker.fetch("/api/v1/me", { key: adasKey })).status).toBe(401);
      });
    });

    describe("the pages", () => {
      beforeEach(() => setUp());

      it("admit a participant with the webapp's key to their own submissions", async () => {
        const client = await ada();
        const { submission } = await client.submit({ input: value({ score: 0.5 }) });
        await untilEnd(client, submission.id);
        const visitor = createPageClient(test.broker);
        expect((await visitor.signIn(adasKey, "/submissions")).status).toBe(303);
        expect(await (await visitor.get("/submissions")).text()).toContain(submission.id);
        const { hash, kept_key } = await test.broker.records.db
          .selectFrom("page_sessions")
          .selectAll()
          .executeTakeFirstOrThrow();
        for (const kept of [hash, kept_key, visitor.cookies.get("crowdai_session")])
          expect(kept).not.toContain(adasKey);
      });

      it("refuse other keys, and end a session with its key", async () => {
        adasKey = await test.addParticipant("grace");
        const visitor = createPageClient(test.broker);
        expect((await visitor.signIn("0".repeat(32))).status).toBe(401);
        await visitor.signIn(adasKey);
        expect((await visitor.get("/submissions")).status).toBe(200);
        await test.revoke("grace");
        await until(async () => (await visitor.get("/submissions")).status === 401);
      });
    });

    describe("a submission", () => {
      it("exists from its arrival on, and is then graded with scores and description", async () => {
        await setUp();
        const client = await ada();
        const graded = await submit(client, { score: 0.5, secondary: 0.25, message: "well" }, "first try");
        expect(graded).toMatchObject({ state: "graded", score: 0.5 });
        expect(await ended()).toMatchObject([
          {
            participant_name: "grace",
            grading_status_cd: "graded",
            score: 0.5,
            score_secondary: 0.25,
            description_markdown: "first try",
          },
        ]);
      });

      it("fails with the message that its participant reads", async () => {
        await setUp();
        const client = await ada();
        const failed = await submit(client, { reject: "row 3: unknown id" });
        expect(failed.error).toMatchObject({ code: "rejected", message: "row 3: unknown id" });
        const [row] = await ended();
        const details = (await test.read(`/api/external_graders/${row?.id}/submission_info`)) as {
          body: string;
        };
        expect(JSON.parse(details.body)).toMatchObject({
          grading_status_cd: "failed",
          grading_message: "row 3: unknown id",
          score: null,
        });
      });

      it("is counted once, however often it is sent", async () => {
        await setUp({ id: "1", limit: { count: 1, per: "day" } });
        const client = await ada();
        const { submission } = await client.submit({ input: value({ score: 1 }) });
        const again = await Promise.all(
          Array.from({ length: 10 }, () => client.submit({ id: submission.id, input: value({ score: 1 }) })),
        );
        expect(new Set(again.map((receipt) => receipt.submission.id))).toEqual(new Set([submission.id]));
        await ended();
        expect(await all()).toHaveLength(1);
      });

      it("that is cancelled reads as failed", async () => {
        await setUp();
        const client = await ada();
        const file = { kind: "file" as const, name: "a.csv", size: 3, sha256: "a".repeat(64) };
        const { submission } = await client.submit({ input: file });
        await listed();
        await client.ask("cancel", { id: submission.id });
        expect(await ended()).toMatchObject([{ grading_status_cd: "failed", score: null }]);
      });

      it("does not exist for a dry run or a call of another function", async () => {
        await setUp();
        const client = await ada();
        const dry = await client.submit({ dry_run: true, input: value({ score: 1 }) });
        await untilEnd(client, dry.submission.id);
        await submit(client, { score: 1 });
        expect(await ended()).toHaveLength(1);
      });
    });

    describe("its rules", () => {
      it.each([
        ["no slot is left", { id: "1", limit: { count: 1, per: "day" } }],
        ["too many are under way", { id: "1", parallel_limit: 1 }],
      ])("refuse at once when %s, and nothing is registered", async (_, round) => {
        await setUp(round);
        const client = await ada();
        const hold = { kind: "file" as const, name: "a.csv", size: 3, sha256: "a".repeat(64) };
        await client.submit({ input: hold });
        await listed();
        expect(await refusal(client)).toEqual({ fault: "you", exit: 4 });
        const mine = await test.broker.fetch("/api/v1/submissions", { key: adasKey });
        expect(((await mine.json()) as { submissions: unknown[] }).submissions).toHaveLength(1);
        expect(await all()).toHaveLength(1);
      });

      it("refuse when the round has ended", async () => {
        await setUp({ id: "1", ends_at: "2020-01-01T00:00:00Z" });
        const client = await ada();
        expect(await refusal(client)).toEqual({ fault: "you", exit: 4 });
      });
    });
  });
}
