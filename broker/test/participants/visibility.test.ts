import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd, writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const SHOWN = { leaderboard: true, submissions: false, private: false };

let test: TestBroker;
afterEach(() => test?.close());

async function start(visibility: Partial<typeof SHOWN>, more: Record<string, unknown> = {}) {
  test = await startBroker({
    challenges: [{ visibility: { ...SHOWN, ...visibility }, ...more }, { id: "other" }],
  });
  return {
    bob: await test.addParticipant("bob"),
    organizer: await addOrganizer(test.records, "org", ["test"], new Date().toISOString()),
    stranger: await addOrganizer(test.records, "stranger", ["other"], new Date().toISOString()),
  };
}
const command = (...args: string[]) =>
  runCommand(test.folder, [...args, "--data", join(test.folder, "data")]);
const status = async (path: string, key: string | null) => (await test.fetch(path, { key })).status;

/** Each request has an id of its own, which says nothing of what it asked for. */
const withoutRequestId = (text: string) => text.replace(/,"request_id":"\w+"/, "");

async function submit(score = 1): Promise<string> {
  const client = await test.connect();
  const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
  await untilEnd(client, submission.id);
  return submission.id;
}

describe("a private challenge", () => {
  const routes = ["", "/leaderboard", "/data/train.csv"];

  it("is visible to its organizers and invited participants only", async () => {
    const { bob, organizer, stranger } = await start({ private: true });
    const folder = await writeChallenge(join(test.folder, "challenges"), { visibility: { private: true } });
    await import("node:fs/promises").then(({ mkdir }) => mkdir(join(folder, "public")));
    await writeFile(join(folder, "public/train.csv"), "a,b\n");
    expect(await command("participant", "invite", "Bob", "--challenges", "test")).toMatchObject({ code: 0 });
    await until(async () => (await status("/api/v1/challenges/test/data/train.csv", bob)) === 200);

    for (const route of routes) {
      const path = `/api/v1/challenges/test${route}`;
      expect([path, await status(path, bob), await status(path, organizer)]).toEqual([path, 200, 200]);
      expect([
        path,
        await status(path, null),
        await status(path, test.key),
        await status(path, stranger),
      ]).toEqual([path, 404, 404, 404]);
    }
    expect(await status("/api/v1/challenges/test/limits", bob)).toBe(200);
    expect(await status("/api/v1/challenges/test/limits", test.key)).toBe(404);
    const listed = async (key: string | null) =>
      (
        (await (await test.fetch("/api/v1/challenges", { key })).json()) as { challenges: { id: string }[] }
      ).challenges
        .map(({ id }) => id)
        .sort();
    for (const key of [bob, organizer]) expect(await listed(key)).toEqual(["other", "test"]);
    for (const key of [null, test.key, stranger]) expect(await listed(key)).toEqual(["other"]);
    await expect(test.connect()).rejects.toMatchObject({ code: "challenge_unknown" });
    await test.connect({ key: bob });
  });

  it("accepts submissions and calls of invited participants until the invitation is withdrawn", async () => {
    const { bob } = await start({ private: true });
    const value = { kind: "inline" as const, data: { score: 1 } };
    await command("participant", "invite", "bob", "--challenges", "test, other");
    expect((await command("participant", "invitations")).stdout).toMatch(/^other\tbob\t.+\ntest\tbob\t.+\n$/);
    const client = await test.connect({ key: bob });
    const { submission } = await client.submit({ input: value });
    await untilEnd(client, submission.id);
    expect(await command("participant", "uninvite", "bob", "--challenges", "test")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("Withdrew 1 invitation of bob"),
    });
    await expect(client.submit({ input: value })).rejects.toMatchObject({ code: "not_allowed" });
    const items = [{ id: "aaaaaaaaaaaaaaaa", data: { x: 1 } }];
    await expect(
      client.ask("call", { challenge: "test", function: "evaluate", items }),
    ).rejects.toMatchObject({
      code: "not_allowed",
    });
    // Earlier submissions stay visible to their participant.
    expect(await status(`/api/v1/submissions/${submission.id}`, bob)).toBe(200);
  });

  it("is answered for like one that does not exist, on every route and with every key", async () => {
    test = await startBroker({
      challenges: [
        { id: "hidden-one", visibility: { ...SHOWN, private: true } },
        { id: "hidden-two", visibility: { ...SHOWN, submissions: true, private: true } },
        { id: "open-one" },
      ],
      withGrader: false,
    });
    const organizer = await addOrganizer(test.records, "org", ["open-one"], new Date().toISOString());
    const invalid = `${test.key.slice(0, -1)}${test.key.endsWith("0") ? "1" : "0"}`;
    const paths = (id: string) => [
      `/api/v1/challenges/${id}`,
      ...["limits", "leaderboard", "submissions", "data/a.csv"].map(
        (part) => `/api/v1/challenges/${id}/${part}`,
      ),
      `/api/v1/submissions?challenge=${id}`,
      `/challenges/${id}/leaderboard/events`,
      `/challenges/${id}`,
      `/code/${id}.git/info/refs?service=git-upload-pack`,
      ...["upload", "receive"].map((of) => `/code/${id}/ada.git/info/refs?service=git-${of}-pack`),
    ];
    const answer = async (path: string, id: string, key: string | null) => {
      const response = await test.fetch(path, { key });
      const text = (await response.text()).replaceAll(id, "<id>");
      return [response.status, withoutRequestId(text)];
    };
    for (const key of [null, test.key, organizer, invalid])
      for (const [index, path] of paths("hidden-one").entries()) {
        const other = paths("hidden-ten")[index]!;
        expect([path, ...(await answer(path, "hidden-one", key))]).toEqual([
          path,
          ...(await answer(other, "hidden-ten", key)),
        ]);
      }
    // Nor do suggestions name it.
    expect(await (await test.fetch("/api/v1/challenges/hidden-on", { key: null })).text()).not.toContain(
      "hidden-one",
    );
    expect(await (await test.fetch("/api/v1/challenges/open-on", { key: null })).text()).toContain(
      "open-one",
    );

    const client = await test.connect({ challenge: "open-one" });
    const refusals = async (challenge: string) => {
      const refused = async (asked: Promise<unknown>) =>
        withoutRequestId(JSON.stringify(await asked.catch((error) => error)).replaceAll(challenge, "<id>"));
      const input = { kind: "inline" as const, data: { score: 1 } };
      return [
        await refused(test.connect({ challenge })),
        await refused(client.submit({ challenge, input })),
        await refused(client.submit({ challenge, input, function: "nonsense" })),
        await refused(
          client.ask("call", { challenge, function: "nonsense", items: [{ id: "a".repeat(16), data: 1 }] }),
        ),
        await refused(client.ask("watch_board", { challenge })),
      ];
    };
    expect(await refusals("hidden-two")).toEqual(await refusals("hidden-ten"));
    expect((await refusals("hidden-two"))[0]).toContain("challenge_unknown");
  });

  it("does not invite an unknown participant", async () => {
    await start({ private: true });
    expect(await command("participant", "invite", "unknown", "--challenges", "test")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no participant named "unknown".'),
    });
    expect(await command("participant", "invite", "bob")).toMatchObject({ code: 2 });
    expect(await command("participant", "invite", "bob", "--challenges", " ,")).toMatchObject({ code: 2 });
  });
});

describe("a leaderboard that is not displayed", () => {
  it("is visible to the challenge's organizers only", async () => {
    const { organizer, stranger } = await start({ leaderboard: false });
    const path = "/api/v1/challenges/test/leaderboard";
    expect(await status(path, organizer)).toBe(200);
    for (const key of [null, test.key, stranger]) expect(await status(path, key)).toBe(403);
  });
});

describe("a submission", () => {
  it("is visible to its participant and the organizers, and to others where the challenge shows submissions", async () => {
    const { bob, organizer, stranger } = await start({ submissions: true });
    const path = `/api/v1/submissions/${await submit()}`;
    for (const key of [test.key, organizer, bob, stranger, null]) expect(await status(path, key)).toBe(200);
    // Viewers cannot change it.
    expect((await test.fetch(`${path}/cancel`, { method: "POST", key: bob })).status).toBe(404);
    expect(await status(`${path}/events`, bob)).toBe(404);
  });

  it("shows others its result without input and messages; once published, also the message of its commit", async () => {
    const { bob, organizer } = await start({ submissions: true });
    const client = await test.connect();
    const { submission } = await client.submit({
      message: "secret recipe",
      input: { kind: "inline", data: { score: 0.5, message: "well done" } },
    });
    await untilEnd(client, submission.id);
    const path = `/api/v1/submissions/${submission.id}`;
    const told = async (key: string | null) => (await (await test.fetch(path, { key })).json()) as Submission;
    for (const key of [test.key, organizer])
      expect(await told(key)).toMatchObject({
        score: 0.5,
        message: "secret recipe",
        grading_message: "well done",
        input: { kind: "json" },
      });
    const hidden = { score: 0.5, rank: 1, input: null, grading_message: null, error: null };
    for (const key of [bob, null])
      expect(await told(key)).toMatchObject({ ...hidden, message: null, code: null, artifacts: [] });
    await test.records.db
      .updateTable("submissions")
      .set({ published_at: new Date().toISOString() })
      .where("id", "=", submission.id)
      .execute();
    expect(await told(bob)).toMatchObject({ ...hidden, message: "secret recipe" });
  });

  it("that was a dry run is not visible to others", async () => {
    const { bob } = await start({ submissions: true });
    const client = await test.connect();
    const { submission } = await client.submit({
      dry_run: true,
      input: { kind: "inline", data: { score: 0.5 } },
    });
    await untilEnd(client, submission.id);
    for (const path of [`/api/v1/submissions/${submission.id}`, `/submissions/${submission.id}`])
      expect(await status(path, bob)).toBe(404);
  });

  it("is not shown by a challenge that hides its leaderboard, nor by one without the setting", async () => {
    for (const visibility of [{ submissions: true, leaderboard: false }, {}]) {
      const { bob, organizer } = await start(visibility);
      const path = `/api/v1/submissions/${await submit()}`;
      expect(await status(path, organizer)).toBe(200);
      expect(await status(path, bob)).toBe(404);
      expect(await status(path, null)).toBe(401);
      await test.close();
    }
  });

  it("of a private challenge is shown to invited participants once its last round has ended", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    test = await startBroker({
      clock: () => new Date(now),
      challenges: [
        {
          visibility: { leaderboard: true, submissions: true, private: true },
          rounds: [{ id: "1", ends_at: "2026-01-10T00:00:00Z" }],
        },
      ],
    });
    const bob = await test.addParticipant("bob");
    await command("participant", "invite", "ada", "--challenges", "test");
    const path = `/api/v1/submissions/${await submit()}`;
    await command("participant", "invite", "bob", "--challenges", "test");
    expect(await status(path, bob)).toBe(404);
    now = Date.parse("2026-01-11T00:00:00Z");
    expect(await status(path, bob)).toBe(200);
    expect(await status(path, await test.addParticipant("eve"))).toBe(404);
  });
});

describe("an organizer", () => {
  it("lists the submissions of their own challenges only", async () => {
    const { organizer, stranger } = await start({});
    const id = await submit();
    const answer = await test.fetch("/api/v1/submissions?challenge=test", { key: organizer });
    const { submissions } = (await answer.json()) as { submissions: Submission[] };
    expect(submissions.map((one) => [one.id, one.participant])).toEqual([[id, "ada"]]);
    expect(await status("/api/v1/submissions?challenge=test", stranger)).toBe(403);
    expect(await status("/api/v1/submissions", organizer)).toBe(403);
  });

  it("sees why grading failed, which the participant does not", async () => {
    const { organizer, stranger, bob } = await start({});
    const client = await test.connect();
    const { submission } = await client.submit({ input: { kind: "inline", data: { crash: true } } });
    await untilEnd(client, submission.id);
    const path = `/api/v1/submissions/${submission.id}/attempts`;
    const { attempts } = (await (await test.fetch(path, { key: organizer })).json()) as {
      attempts: unknown[];
    };
    expect(attempts).toMatchObject([
      { number: 1, state: "done", accepted: true, organiser_log: expect.stringContaining("3") },
    ]);
    for (const [key, code] of [
      [test.key, 403],
      [bob, 403],
      [stranger, 404],
    ] as const)
      expect(await status(path, key)).toBe(code);

    const shown = await command("submission", "log", submission.id);
    expect(shown.stdout).toMatch(
      new RegExp(`^${submission.id} of test, failed \\(\\w+\\): .+\nattempt 1: done, outcome accepted by `),
    );
    const byNumber = await command("submission", "log", "1", "--format", "json");
    expect(JSON.parse(byNumber.stdout)).toMatchObject({ submission: submission.id, attempts });
    expect(await command("submission", "log", "nothing")).toMatchObject({ code: 2 });
  });
});
