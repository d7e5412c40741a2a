import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Run, runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { createPageClient } from "../pages/page-client.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

let test: TestBroker;
let person: ReturnType<typeof createPageClient>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  test = await startBroker({ withGrader: false });
  folder = await temporaryFolder();
  person = createPageClient(test);
  await person.signIn(test.key);
});
afterAll(async () => {
  await test.close();
  await folder[Symbol.asyncDispose]();
});

const crowdai = (...args: string[]): Promise<Run> =>
  runCli(args, { cwd: folder.path, env: { CROWDAI_BROKER: test.broker.url } });

async function waitingCode(): Promise<string> {
  let code: string | undefined;
  const find = test.records.db
    .selectFrom("device_logins")
    .select("user_code")
    .where("participant_id", "is", null);
  await expect
    .poll(async () => {
      code = (await find.executeTakeFirst())?.user_code;
      return code;
    })
    .toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
  return code!;
}
async function answer(code: string, answer: "confirm" | "refuse"): Promise<string> {
  const page = await (await person.get(`/device?code=${code.toLowerCase()}`)).text();
  expect(page).toContain("Confirm it only if you started it yourself");
  const token = /name="token" value="([^"]+)"/.exec(page)![1]!;
  return (await person.post("/device", { token, code, answer })).text();
}

describe("30: crowdai login --web", () => {
  it("shows a code, and signs in once a person confirms it on a page, with a key of its own", async () => {
    const login = crowdai("login", "--web", "--format", "json");
    const code = await waitingCode();
    expect(await answer(code, "confirm")).toContain("Confirmed. You can return to your terminal.");
    const { code: exitCode, stdout, stderr } = await login;
    expect([exitCode, JSON.parse(stdout).participant.name]).toEqual([0, "ada"]);
    expect(stderr).toContain(`/device?code=${code}`);
    expect(stderr).toContain(`confirm the code ${code}.`);
    expect(stdout + stderr).not.toMatch(/crowdai_[0-9a-zA-Z]{8}/);
    const whoami = await crowdai("whoami");
    expect([whoami.stdout, whoami.stderr]).toEqual([
      "ada\n",
      expect.stringMatching(/crowdai\/.* on .* \(this one\)/),
    ]);
    expect(await answerPage(code)).toContain("No sign-in is waiting for this code");
  });

  it("ends with exit code 3 when the person refuses", async () => {
    const login = crowdai("login", "--web");
    expect(await answer(await waitingCode(), "refuse")).toContain("Refused.");
    expect(await login).toMatchObject({ code: 3, stderr: expect.stringContaining("error[login_expired]") });
  });

  it("gives a key once, and none for a code that is made up or has expired", async () => {
    const ask = async (path: string, body: object) => {
      const response = await fetch(`${test.broker.url}/api/v1/device-logins${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return [response.status, await response.json()] as [number, { device_code: string; user_code: string }];
    };
    const [, { device_code, user_code }] = await ask("", { client: "a test" });
    expect((await ask("/key", { device_code }))[1]).toMatchObject({ error: { code: "login_pending" } });
    expect((await ask("/key", { device_code: user_code }))[0]).toBe(410);
    await answer(user_code, "confirm");
    expect((await ask("/key", { device_code }))[1]).toMatchObject({
      key: expect.stringMatching(/^crowdai_/),
    });
    expect((await ask("/key", { device_code }))[1]).toMatchObject({ error: { code: "login_expired" } });
    const [, late] = await ask("", {});
    await test.records.db.updateTable("device_logins").set({ expires_at: "2000-01-01" }).execute();
    expect((await ask("/key", { device_code: late.device_code }))[0]).toBe(410);
  });

  it("asks for a sign-in first, and for a form of the page itself", async () => {
    const stranger = await fetch(`${test.broker.url}/device?code=BCDF-GHJK`, { redirect: "manual" });
    expect([stranger.status, stranger.headers.get("location")]).toEqual([
      303,
      `/sign-in?next=${encodeURIComponent("/device?code=BCDF-GHJK")}`,
    ]);
    expect(
      (await person.post("/device", { token: "made-up", code: "BCDF-GHJK", answer: "confirm" })).status,
    ).toBe(403);
  });

  it("stops who tries codes, and who starts many", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await person.get("/device?code=BCDF-GHJK")).status);
    expect(statuses[0]).toBe(422);
    expect(statuses.at(-1)).toBe(429);
    const starts = Array.from({ length: 25 }, () =>
      fetch(`${test.broker.url}/api/v1/device-logins`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      }).then(({ status }) => status),
    );
    expect(await Promise.all(starts)).toContain(429);
  });

  const answerPage = async (code: string) => (await person.get(`/device?code=${code}`)).text();
});
