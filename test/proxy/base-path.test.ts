import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { agreed } from "../../broker/test/code/code-author.ts";
import { noise, writeMediaChallenge } from "../../broker/test/media/media-broker.ts";
import { startBrowser, type TestBrowser } from "../../broker/test/pages/browser.ts";
import { createPageClient } from "../../broker/test/pages/page-client.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { until } from "../../broker/test/support/until.ts";
import { makeProject, type Project } from "../../cli/test/project.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { freePorts } from "../../scripts/services/daemon.ts";
import { type Nginx, startNginx } from "../../scripts/services/nginx.ts";
import { missing } from "../required-programs.ts";

const UPGRADE = `proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "upgrade";
  proxy_set_header Host $http_host;`;

describe.skipIf(missing("nginx", "git", "python3"))("a broker below a path of its host, behind nginx", () => {
  let folder: string;
  let nginx: Nginx;
  let test: TestBroker;
  let project: Project;
  let submission: Submission;
  /** That broker through a proxy that leaves the path in its requests. */
  let kept: { broker: { url: string } };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-proxy-"));
    const port = await freePorts();
    nginx = await startNginx(folder, [
      `location /crowdai/ { proxy_pass http://127.0.0.1:${port}/; ${UPGRADE} }
       location /v1/envs { proxy_pass http://127.0.0.1:${port}; }
       location / { return 404 "another site"; }`,
      `location /crowdai { proxy_pass http://127.0.0.1:${port}; ${UPGRADE} }`,
    ]);
    kept = { broker: { url: `${nginx.urls[1]}/crowdai` } };
    test = await startBroker({
      port,
      env: { PUBLIC_URL: `${nginx.urls[0]}/crowdai/`, PATH: process.env.PATH ?? "" },
      challenges: [],
      prepare: async (at) => {
        await writeMediaChallenge(join(at, "challenges"), {
          title: "Guess",
          description: "See [the board](/challenges/test#leaderboard).",
          code: { capture: "optional" },
        });
        await mkdir(join(at, "challenges/test/public"));
        await writeFile(join(at, "challenges/test/public/train.csv"), "id,y\n");
      },
    });
    await agreed(test);
    project = makeProject();
    project.write("train.py", "print(1)\n");
    const copy = join(folder, "plot.png");
    await noise(30, 20).png().toFile(copy);
    await submit({ score: 0.25 });
    project.write("train.py", "print(2)\n");
    submission = await submit({
      score: 0.5,
      media: { copy, name: "plot.png" },
      artifacts: [{ name: "model.txt", text: "weights" }],
    });
    await until(async () => {
      submission = await read(submission.id);
      return submission.media !== null && submission.code?.tag;
    });
  });
  afterAll(async () => {
    await test?.close();
    await nginx?.stop();
    await project?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const read = async (id: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;
  const crowdai = (...args: string[]) =>
    runCli(args, {
      cwd: project.folder,
      env: {
        ...project.env,
        CROWDAI_BROKER: test.broker.url,
        CROWDAI_API_KEY: test.key,
        CROWDAI_CHALLENGE: "test",
      },
    });

  async function submit(value: object): Promise<Submission> {
    const ran = await crowdai(
      "submit",
      "--json",
      JSON.stringify(value),
      "--code",
      "--publish",
      "--format",
      "json",
    );
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).not.toContain("was not sent");
    return JSON.parse(ran.stdout).submission;
  }

  it("serves the command line: data, artifacts, clone, diff and the board", async () => {
    expect((await crowdai("data", "--dir", "data")).code).toBe(0);
    expect(await readFile(join(project.folder, "data/train.csv"), "utf8")).toBe("id,y\n");
    expect((await crowdai("artifacts", submission.id, "--dir", "artifacts")).code).toBe(0);
    expect(await readFile(join(project.folder, "artifacts/model.txt"), "utf8")).toBe("weights");
    expect((await crowdai("clone", submission.id, "cloned")).code).toBe(0);
    expect(await readFile(join(project.folder, "cloned/train.py"), "utf8")).toBe("print(2)\n");
    expect(submission.url).toBe(`${test.broker.url}/submissions/${submission.id}`);
    expect(submission.code?.url?.startsWith(`${test.broker.url}/code/`)).toBe(true);
    const board = await crowdai("leaderboard", "--format", "json");
    expect(JSON.parse(board.stdout).leaderboard.rows).toHaveLength(1);
  });

  it("serves older agents at the root of the host, and newer ones below the path too", async () => {
    const { origin } = new URL(test.broker.url);
    for (const address of [origin, test.broker.url, kept.broker.url]) {
      const body = JSON.stringify({ env_id: "test", token: test.key });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${address}/v1/envs/`, { method: "POST", headers, body });
      expect(await answer.json(), address).toEqual({ message: expect.stringContaining("no environment") });
    }
  });

  describe.each([
    ["removes the path", () => test],
    ["leaves the path", () => kept],
  ])("through a proxy that %s", (_, through) => {
    it("has every link, form, file and stream of its pages below the path", async () => {
      const visitor = createPageClient(through());
      const signedIn = await visitor.signIn(test.key, `/submissions/${submission.id}`);
      expect(signedIn.status).toBe(303);
      expect(signedIn.headers.get("location")).toBe(`/crowdai/submissions/${submission.id}`);
      expect(visitor.set.join()).toMatch(/crowdai_session=.*Path=\/crowdai;/);

      const host = new URL(through().broker.url).origin;
      const found = await crawl(visitor, host, "/crowdai/");
      expect([...found].filter(([, status]) => status !== 200)).toEqual([]);
      const paths = [...found.keys()].join("\n");
      for (const part of [
        "/crowdai/challenges/test",
        "/crowdai/submissions?challenge=test",
        `/crowdai/submissions/${submission.id}/live`,
        `/crowdai/submissions/${submission.id}/fork`,
        "/crowdai/challenges/test/leaderboard/events",
        "/crowdai/agreement/mit",
        "/crowdai/openapi.json",
        "/crowdai/assets/site",
        "/crowdai/media/image/large",
        "/crowdai/api/v1/challenges/test/data/train.csv",
      ])
        expect(paths).toContain(part);
    });

    it("redirects below the path, with cookies for the path alone", async () => {
      const visitor = createPageClient(through());
      expect((await visitor.get("/challenges")).headers.get("location")).toBe("/crowdai/");
      const themed = await visitor.post("/theme", {
        theme: "dark",
        next: "/agreement/mit?next=%2Fsubmissions",
      });
      expect(themed.headers.get("location")).toBe("/crowdai/agreement/mit?next=%2Fsubmissions");
      expect(visitor.set.join()).toMatch(/crowdai_theme=dark.*Path=\/crowdai;/);
      const back = await visitor.signIn(test.key, "/crowdai/submissions");
      expect(back.headers.get("location")).toBe("/crowdai/submissions");
      const token = await visitor.token();
      const out = await visitor.post("/sign-out", { token });
      expect(out.headers.get("location")).toBe("/crowdai/");
      expect(visitor.set.join()).toMatch(/crowdai_session=;.*Path=\/crowdai/);
    });

    it("describes its API at the path", async () => {
      const answer = await fetch(`${through().broker.url}/openapi.json`);
      const document = (await answer.json()) as { servers: [{ url: string }] };
      expect(document.servers).toEqual([{ url: "/crowdai/api/v1" }]);
      const service = await fetch(new URL(`${document.servers[0].url}/`, through().broker.url));
      expect(await service.json()).toMatchObject({ service: "crowdai" });
      expect(await (await fetch(`${through().broker.url}/robots.txt`)).text()).toContain(
        "Disallow: /crowdai/api/\n",
      );
    });
  });

  describe.skipIf(missing("chromium-headless-shell"))("in a browser", () => {
    let browser: TestBrowser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterEach(() => browser.closePages());
    afterAll(() => browser?.close());

    const text = (page: Page, selector: string) => page.locator(selector).innerText();

    it("signs in, keeps the theme, follows the board, downloads, publishes and signs out", async () => {
      const page = await browser.open();
      const failed: string[] = [];
      page.on("response", (response) => {
        if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
      });
      await browser.signIn(page, test.broker.url, test.key);
      await page.click("button[value=dark]");
      await until(() =>
        page
          .context()
          .cookies()
          .then((all) => all.some(({ value }) => value === "dark")),
      );
      await page.click("main h2 a");
      expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).not.toBe(
        "rgba(0, 0, 0, 0)",
      );
      await page.locator("td.thumb img").scrollIntoViewIfNeeded();
      await until(
        () => page.evaluate("document.querySelector('td.thumb img').naturalWidth > 0") as Promise<boolean>,
      );

      await submit({ score: 0.75 });
      await until(async () => (await text(page, "tr.mine .score")) === "0.750");

      const [download] = await Promise.all([page.waitForEvent("download"), page.click("ul.files a")]);
      expect(await readFile(await download.path(), "utf8")).toBe("id,y\n");

      await page.goto(`${test.broker.url}/submissions/${submission.id}`);
      await page.click("text=Withdraw");
      await page.click("main form button");
      await page.waitForURL(`${test.broker.url}/submissions/${submission.id}#code`);
      expect(await text(page, "#code ~ p >> nth=0")).toContain("It is not published.");
      await page.click("text=Sign out");
      await page.waitForURL(`${test.broker.url}/`);
      expect(await page.context().cookies()).toMatchObject([{ name: "crowdai_theme", path: "/crowdai" }]);
      expect(failed).toEqual([]);
    });

    it("shows a submission's progress without a reload", async () => {
      const page = await browser.open();
      await browser.signIn(page, test.broker.url, test.key);
      const hold = join(folder, "hold");
      const client = await test.connect();
      const waiting = await client.submit({ input: { kind: "inline", data: { score: 0.1, hold } } });
      await page.goto(`${test.broker.url}/submissions/${waiting.submission.id}`);
      await page.waitForSelector(".progress");
      await writeFile(hold, "");
      await until(async () => (await text(page, "dl.figures dd >> nth=0")) === "0.100");
    });
  });
});

/**
 * Follows every address of every page below a path, and returns the status of each. Throws for one that
 * leaves the path.
 */
async function crawl(
  visitor: ReturnType<typeof createPageClient>,
  host: string,
  start: string,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const stop = new AbortController();
    const response = await fetch(host + path, {
      headers: { accept: "text/html", cookie: [...visitor.cookies].map((pair) => pair.join("=")).join("; ") },
      signal: stop.signal,
    });
    found.set(path, response.status);
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("text/html")) {
      stop.abort();
      continue;
    }
    for (const [, attribute, value] of (await response.text()).matchAll(
      /\s(href|src|action|data-live|data-source|poster)="([^"]*)"/g,
    )) {
      const address = new URL(value!.replaceAll("&amp;", "&"), host + path);
      // The addresses of media name the public host.
      if (address.origin !== host && !address.pathname.startsWith(start)) continue;
      if (!address.pathname.startsWith(start)) throw new Error(`${path} has ${attribute}="${value}"`);
      if (attribute === "action" && !value!.endsWith("/submissions")) continue;
      const next = address.pathname + address.search;
      if (!found.has(next) && !waiting.includes(next)) waiting.push(next);
    }
  }
  return found;
}
