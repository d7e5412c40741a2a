import { Writable } from "node:stream";
import { isApiKey } from "@crowdai/shared";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Run, runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { missing } from "../../../test/required-programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { createJoinLink, join, listJoinLinks } from "../../src/domain/participants/join-links.ts";
import { openPostgres } from "../../src/records/postgres.ts";
import { createPageClient } from "../pages/page-client.ts";
import { type Ran, runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

let test: TestBroker;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
let logged = "";
const codes: string[] = [];
beforeAll(async () => {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged += chunk;
      done();
    },
  });
  test = await startBroker({
    withGrader: false,
    challenges: [
      { title: "A <secret> one", visibility: { leaderboard: true, submissions: false, private: true } },
    ],
    log: pino({ level: "debug" }, sink),
    env: { TRUSTED_PROXIES: "127.0.0.1" },
  });
  home = await temporaryFolder();
});
afterAll(async () => {
  await test.close();
  await home[Symbol.asyncDispose]();
  for (const code of codes) expect(logged).not.toContain(code);
  expect(logged).not.toMatch(/crowdai_[0-9A-Za-z]{8}/);
});

const participant = (...args: string[]): Promise<Ran> =>
  runCommand(test.folder, ["participant", ...args, "--data", "data"]);
async function link(...args: string[]): Promise<{ url: string; code: string }> {
  const ran = await participant("link", "--challenges", "test", ...args);
  expect(ran).toMatchObject({ code: 0 });
  const url = ran.stdout.trim();
  const code = url.slice(url.lastIndexOf("/") + 1);
  codes.push(code);
  return { url, code };
}
async function joinAs(body: object, key: string | null = null, from = "192.0.2.1") {
  const response = await fetch(`${test.broker.url}/api/v1/join`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": from,
      ...(key ? { authorization: `Bearer ${key}` } : {}),
    },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as {
    key: string;
    participant: object;
    challenges: string[];
    error?: { code: string; message: string };
  };
  return { status: response.status, headers: response.headers, ...answer };
}
const seesChallenge = async (key: string) =>
  (await test.fetch("/api/v1/challenges/test", { key })).status === 200;
const usesOf = async () => (await listJoinLinks(test.records.db, new Date())).at(-1);

describe("a join link", () => {
  it("is printed once, and stored as a digest", async () => {
    const ran = await participant("link", "--challenges", "test", "--uses", "200", "--expires", "2w");
    expect(ran.stdout).toMatch(new RegExp(`^${test.broker.url}/join/[A-Za-z0-9_-]{32}\n$`));
    expect(ran.stderr).toMatch(/^Link 1, for 200 participants, until \d{4}-/);
    codes.push(ran.stdout.trim().slice(-32));
    expect(
      JSON.stringify(await test.records.db.selectFrom("join_links").selectAll().execute()),
    ).not.toContain(codes[0]);
    expect((await participant("links")).stdout).toMatch(/^1\ttest\t0\/200\tactive\t\S+\t\S+\n$/);
    for (const args of [
      ["--uses", "0"],
      ["--uses", "x"],
      ["--expires", "0d"],
      ["--expires", "forever"],
    ])
      expect(await participant("link", "--challenges", "test", ...args)).toMatchObject({
        code: 2,
        stdout: "",
      });
    expect((await participant("link", "--challenges", "tset")).code).toBe(2);
  });

  it("makes a participant who may take part, and whose name is free", async () => {
    const { code } = await link("--uses", "2");
    const { status, headers, key, ...joined } = await joinAs({ code, name: "Zoe\u0308" });
    expect(joined).toMatchObject({ participant: { name: "Zo\u00eb" }, challenges: ["test"] });
    expect([status, headers.get("cache-control"), isApiKey(key)]).toEqual([200, "no-store", true]);
    expect([await seesChallenge(key), await seesChallenge(test.key)]).toEqual([true, false]);

    expect(await joinAs({ code, name: "ZO\u00cb" })).toMatchObject({
      status: 409,
      error: { code: "name_taken" },
    });
    for (const name of ["x", " y ", "a\nb"]) expect((await joinAs({ code, name })).status).toBe(400);
    expect((await joinAs({ code })).status).toBe(400);
    expect(await usesOf()).toMatchObject({ used: 1, state: "active" });
  });

  it("invites a participant who has a key, and counts each once", async () => {
    const { code } = await link("--uses", "1");
    const key = await test.addParticipant("member");
    for (const _again of [1, 2])
      expect(await joinAs({ code }, key)).toMatchObject({ status: 200, key: null });
    expect(await seesChallenge(key)).toBe(true);
    expect(await usesOf()).toMatchObject({ used: 1, state: "used up" });
  });

  it("has one winner when its last use is taken twice at once", async () => {
    const { code } = await link("--uses", "1");
    const answers = await Promise.all(["first", "second", "third"].map((name) => joinAs({ code, name })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    expect(answers.find(({ status }) => status === 410)?.error).toMatchObject({
      code: "join_link_ended",
      message: "This join link was used as often as it allows: 1 of 1.",
    });
  });

  it("says why it ended to who has it, and nothing to who guesses", async () => {
    const [revoked, expired] = [await link(), await link()];
    const { id } = (await listJoinLinks(test.records.db, new Date())).at(-2)!;
    expect(await participant("unlink", String(id))).toMatchObject({ code: 0 });
    expect((await participant("unlink", "99")).code).toBe(2);
    await test.records.db
      .updateTable("join_links")
      .set({ expires_at: "2026-01-01T00:00:00.000Z" })
      .where("id", "=", id + 1)
      .execute();
    const name = "late";
    expect((await joinAs({ code: revoked.code, name })).error?.message).toBe("This join link was revoked.");
    expect((await joinAs({ code: expired.code, name })).error?.message).toContain("expired on 2026-01-01");
    const guesses = ["x", "A".repeat(32), `${revoked.code.slice(0, 31)}!`, "ä".repeat(32)];
    const answers = await Promise.all(guesses.map((code) => joinAs({ code, name }, null, "192.0.2.2")));
    for (const { status, error } of answers)
      expect([status, error?.code, error?.message]).toEqual([
        404,
        "join_link_unknown",
        "This join link is not valid.",
      ]);
    const page = await createPageClient(test).get(`/join/${expired.code}`);
    expect([page.status, await page.text()]).toEqual([410, expect.stringContaining("expired on 2026-01-01")]);
  });

  it("cannot be guessed for long, on the page and the API together", async () => {
    const { code } = await link();
    const person = createPageClient(test);
    for (let n = 0; n < 20; n++) {
      if (n % 2) await joinAs({ code: "B".repeat(32), name: "who" }, null, "192.0.2.3");
      else await person.get(`/join/${"B".repeat(32)}`, { "x-forwarded-for": "192.0.2.3" });
    }
    const late = await joinAs({ code, name: "who" }, null, "192.0.2.3");
    expect([late.status, late.error?.code]).toEqual([429, "too_many_requests"]);
    expect((await person.get(`/join/${code}`, { "x-forwarded-for": "192.0.2.3" })).status).toBe(429);
    expect((await person.get(`/join/${code}`, { "x-forwarded-for": "192.0.2.4" })).status).toBe(200);
  });
});

describe("the page of a join link", () => {
  it("asks for a name, shows the key once and signs in, and leaks its address nowhere", async () => {
    const { code } = await link("--uses", "1");
    const person = createPageClient(test);
    const asked = await person.get(`/join/${code}`);
    const html = await asked.text();
    expect(html).toContain("A &lt;secret&gt; one");
    expect(html).not.toContain(`next=${code}`);
    expect([asked.headers.get("referrer-policy"), asked.headers.get("cache-control")]).toEqual([
      "no-referrer",
      "no-store",
    ]);
    const taken = await person.post(`/join/${code}`, { name: "ada" });
    expect([taken.status, await taken.text()]).toEqual([
      422,
      expect.stringContaining("The name &quot;ada&quot; is taken."),
    ]);
    const joined = await person.post(`/join/${code}`, { name: "<b>Bo" });
    const shown = await joined.text();
    const key = /crowdai_[0-9A-Za-z]+/.exec(shown)?.[0] as string;
    expect([joined.status, joined.headers.get("cache-control"), isApiKey(key)]).toEqual([
      200,
      "no-store",
      true,
    ]);
    expect(shown).toContain("&lt;b&gt;Bo");
    expect(shown).toContain("npx crowdai login");
    expect(shown).toContain("Sign out");
    expect(await seesChallenge(key)).toBe(true);
    expect(await (await person.get("/")).text()).toContain("&lt;b&gt;Bo");
    const foreign = await createPageClient(test).post(
      `/join/${code}`,
      { name: "x2" },
      { origin: "http://evil" },
    );
    expect(foreign.status).toBe(403);
  });

  it("invites who is signed in, by a form of the page itself", async () => {
    const { code } = await link();
    const person = createPageClient(test);
    await person.signIn(await test.addParticipant("signed-in"));
    const html = await (await person.get(`/join/${code}`)).text();
    expect(html).toContain("Join as");
    expect((await person.post(`/join/${code}`, {})).status).toBe(403);
    const token = /name="token" value="([^"]+)"/.exec(html)?.[1] as string;
    const joined = await (await person.post(`/join/${code}`, { token })).text();
    expect(joined).toContain("You take part in");
    expect(joined).not.toMatch(/crowdai_[0-9A-Za-z]{8}/);
  });
});

describe("crowdai join", () => {
  const crowdai = (args: string[], stdin = "", env: Record<string, string> = {}): Promise<Run> =>
    runCli(args, { cwd: home.path, stdin, env });

  it("makes a participant and keeps the key, and then joins as that participant", async () => {
    const first = await link("--uses", "1");
    const joined = await crowdai(["join", first.url, "--name", "cli person"]);
    expect(joined).toMatchObject({ code: 0, stdout: "You take part in test as cli person.\n" });
    expect(joined.stderr).toContain("The API key is stored in");
    expect(joined.stdout + joined.stderr).not.toMatch(/crowdai_[0-9a-zA-Z]{8}/);
    expect((await crowdai(["whoami", "--broker", test.broker.url])).stdout).toBe("cli person\n");

    const second = await link();
    const again = await crowdai(["join", "-", "--format", "json"], `${second.url}\n`);
    expect(JSON.parse(again.stdout)).toMatchObject({
      participant: { name: "cli person" },
      challenges: ["test"],
      created: false,
      key_stored: null,
    });
    expect(await crowdai(["join", second.url, "--name", "other"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("You are signed in"),
    });
  });

  it("refuses what is not a link without repeating it, and sends it no key that is for another broker", async () => {
    for (const url of [
      "https://x.example/joi/SECRETCODE",
      "SECRETCODE",
      "https://x.example/join/a?b=SECRETCODE",
    ]) {
      const ran = await crowdai(["join", url, "--name", "x"]);
      expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining("This is not a join link.") });
      expect(ran.stderr).not.toContain("SECRETCODE");
    }
    const { url } = await link();
    const fresh = await temporaryFolder();
    try {
      const env = { CROWDAI_API_KEY: test.key, CROWDAI_BROKER: "http://localhost:1" };
      const ran = await runCli(["join", url, "--name", "not ada"], { cwd: fresh.path, env });
      expect(ran).toMatchObject({ code: 0, stdout: "You take part in test as not ada.\n" });
      expect(ran.stderr).toContain("takes precedence");
    } finally {
      await fresh[Symbol.asyncDispose]();
    }
    expect(await crowdai(["join", `${url.slice(0, -1)}_`])).toMatchObject({ code: 3 });
  });
});

it.skipIf(missing("postgres"))(
  "a link's uses are counted exactly over two brokers on PostgreSQL",
  async () => {
    const address = await createDatabase();
    const [one, other] = [await openPostgres(address), await openPostgres(address)];
    try {
      const now = new Date();
      const { code } = await createJoinLink(one, { challenges: ["test"], uses: 5, now, lifetimeMs: 60_000 });
      const all = await Promise.allSettled(
        Array.from({ length: 12 }, (_, n) => join(n % 2 ? one : other, code, { name: `person ${n}` }, now)),
      );
      expect(all.filter(({ status }) => status === "fulfilled").length).toBe(5);
      for (const each of all)
        if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "join_link_ended" });
      expect(await listJoinLinks(other.db, now)).toMatchObject([{ used: 5, state: "used up" }]);
      const { count } = await one.db
        .selectFrom("participants")
        .select(({ fn }) => fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      expect(Number(count)).toBe(5);

      const { code: twice } = await createJoinLink(one, {
        challenges: ["test"],
        uses: null,
        now,
        lifetimeMs: 60_000,
      });
      const same = await Promise.allSettled([one, other].map((at) => join(at, twice, { name: "same" }, now)));
      expect(same.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(same.find(({ status }) => status === "rejected")).toMatchObject({
        reason: { code: "name_taken" },
      });
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  },
  300_000,
);
