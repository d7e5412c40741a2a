import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { createPageClient } from "./page-client.ts";

const shown = (leaderboard: boolean, submissions: boolean, hidden: boolean) => ({
  visibility: { leaderboard, submissions, private: hidden },
});

describe("what a reader sees", () => {
  let test: TestBroker;
  let anyone: ReturnType<typeof createPageClient>;
  let ada: typeof anyone;
  let bob: typeof anyone;
  let organizer: typeof anyone;
  const submissions: Record<string, string> = {};

  beforeAll(async () => {
    test = await startBroker({
      challenges: [
        { id: "public", title: "Public one" },
        { id: "open", title: "Open one", ...shown(true, true, false) },
        { id: "quiet", title: "Quiet one", ...shown(false, true, false) },
        { id: "secret", title: "Secret one", ...shown(true, false, true) },
      ],
      prepare: async (folder) => {
        await mkdir(join(folder, "challenges/secret/public"));
        await writeFile(join(folder, "challenges/secret/public/train.csv"), "id,y\n");
      },
    });
    const { id } = await test.records.db
      .selectFrom("participants")
      .select("id")
      .where("name", "=", "ada")
      .executeTakeFirstOrThrow();
    await test.records.db
      .insertInto("invitations")
      .values({ challenge: "secret", participant_id: id, created_at: new Date().toISOString() })
      .execute();
    const client = await test.connect({ challenge: "public" });
    for (const challenge of ["public", "open", "quiet", "secret"]) {
      const { submission } = await client.submit({
        id: createSubmissionId(),
        challenge,
        message: "secret recipe",
        input: { kind: "inline", data: { score: 0.875, progress: [40], message: "well done" } },
      });
      await untilEnd(client, submission.id);
      submissions[challenge] = submission.id;
    }
    const bobs = await test.addParticipant("bob");
    const organizers = await addOrganizer(
      test.records,
      "olga",
      ["quiet", "secret"],
      new Date().toISOString(),
    );
    anyone = createPageClient(test);
    ada = createPageClient(test);
    bob = createPageClient(test);
    organizer = createPageClient(test);
    await ada.signIn(test.key);
    await bob.signIn(bobs);
    await organizer.signIn(organizers);
  });
  afterAll(() => test?.close());

  const text = async (visitor: typeof anyone, path: string) => (await visitor.get(path)).text();
  const status = async (visitor: typeof anyone, path: string) => (await visitor.get(path)).status;

  it("lists challenges with round, participants and best score; private ones only to invited readers and organizers", async () => {
    const list = await text(anyone, "/");
    expect(list).toContain("Public one");
    expect(list).toMatch(/0\.875/);
    expect(list).not.toContain("Secret one");
    expect(await text(bob, "/")).not.toContain("Secret one");
    expect(await text(ada, "/")).toContain("Secret one");
    expect(await text(organizer, "/")).toContain("Secret one");
    expect(await status(bob, "/challenges/secret")).toBe(404);
    expect(await status(bob, "/challenges/secret/leaderboard")).toBe(404);
    expect(await status(anyone, "/challenges/secret/leaderboard/events")).toBe(404);
    expect(await status(ada, "/challenges/secret")).toBe(200);
  });

  it("downloads the data that a page links to, of a private challenge only for readers who see it", async () => {
    const [, link] = /href="([^"]+)" download/.exec(await text(ada, "/challenges/secret")) ?? [];
    expect(await text(ada, link!)).toBe("id,y\n");
    expect(await text(organizer, link!)).toBe("id,y\n");
    expect(await status(anyone, link!)).not.toBe(200);
    expect(await status(bob, link!)).not.toBe(200);
  });

  it("shows the same page for a private challenge as for an unknown one", async () => {
    const [one, none] = [await text(anyone, "/challenges/secret"), await text(anyone, "/challenges/nothing")];
    expect(one.replaceAll("secret", "nothing")).toBe(none);
  });

  it("says that a leaderboard is not displayed yet, and shows it to its organizers with a reminder", async () => {
    for (const visitor of [anyone, ada]) {
      const page = await text(visitor, "/challenges/quiet");
      expect(page).toContain("Leaderboard is not displayed yet.");
      expect(page).not.toContain("0.875");
      expect(await text(visitor, "/challenges/quiet/leaderboard")).not.toContain("0.875");
      expect(await status(visitor, "/challenges/quiet/leaderboard/events")).toBe(403);
    }
    const page = await text(organizer, "/challenges/quiet");
    expect(page).toContain("Leaderboard is only visible to organizers");
    expect(page).toContain("0.875");
  });

  it("marks the reader's own row and links it to their submission and entries", async () => {
    const page = await text(ada, "/challenges/public");
    expect(page).toMatch(/<tr class="[^"]*mine[^"]*" aria-current="true">/);
    expect(page).toContain(`href="/submissions/${submissions.public}"`);
    expect(page).toContain('href="/submissions?challenge=public"');
    expect(await text(bob, "/challenges/public")).not.toContain(submissions.public);
  });

  it("shows a submission to its participant and organizers, and to others if the challenge shows submissions", async () => {
    const seen: [keyof typeof submissions, [typeof anyone, number][]][] = [
      [
        "public",
        [
          [anyone, 404],
          [bob, 404],
          [ada, 200],
          [organizer, 404],
        ],
      ],
      [
        "open",
        [
          [anyone, 200],
          [bob, 200],
          [ada, 200],
          [organizer, 200],
        ],
      ],
      [
        "quiet",
        [
          [anyone, 404],
          [bob, 404],
          [ada, 200],
          [organizer, 200],
        ],
      ],
      [
        "secret",
        [
          [anyone, 404],
          [bob, 404],
          [ada, 200],
          [organizer, 200],
        ],
      ],
    ];
    for (const [challenge, readers] of seen)
      for (const [visitor, wanted] of readers)
        for (const path of ["", "/live", "/events"])
          expect([
            challenge,
            path,
            await status(visitor, `/submissions/${submissions[challenge]}${path}`),
          ]).toEqual([challenge, path, wanted]);
  });

  it("shows others the scores of a submission, but no messages, input or log", async () => {
    const path = `/submissions/${submissions.open}`;
    for (const part of [path, `${path}/live`]) {
      for (const visitor of [anyone, bob]) {
        const others = await text(visitor, part);
        expect(others).toContain("0.875");
        for (const hidden of ["secret recipe", "well done", "SHA-256", "<dt>Input"])
          expect(others).not.toContain(hidden);
      }
      expect(await text(ada, part)).toContain("well done");
    }
    expect(await text(ada, path)).toContain("secret recipe");
    expect(await text(organizer, `/submissions/${submissions.quiet}`)).toContain("secret recipe");
  });

  it("lists a participant's own submissions, and an organizer's submissions of their challenges", async () => {
    expect(await status(anyone, "/submissions")).toBe(401);
    expect(await text(anyone, "/submissions")).toContain('name="key"');
    const own = await text(ada, "/submissions");
    for (const id of Object.values(submissions)) expect(own).toContain(id);
    const filtered = await text(ada, "/submissions?challenge=open");
    expect(filtered).toContain(submissions.open);
    expect(filtered).not.toContain(submissions.quiet);
    expect(await text(bob, "/submissions")).not.toContain(submissions.open);
    expect(await text(bob, "/submissions?participant=ada")).not.toContain(submissions.open);
    const theirs = await text(organizer, "/submissions");
    expect(theirs).toContain(submissions.quiet);
    expect(theirs).not.toContain(submissions.open);
    expect(await status(organizer, "/submissions?challenge=open")).toBe(404);
    expect(await text(organizer, "/submissions?challenge=quiet&participant=ADA")).toContain(
      submissions.quiet,
    );
  });

  it("responds to errors with a page for browsers and JSON for programs", async () => {
    for (const path of [
      "/nothing",
      "/challenges/nothing",
      "/submissions/nothing",
      "/challenges/public?round=9",
    ]) {
      const page = await anyone.get(path);
      expect([path, page.status]).toEqual([path, 404]);
      expect(page.headers.get("content-type")).toContain("text/html");
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
      const answer = await fetch(test.broker.url + path, { headers: { accept: "application/json" } });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { code: expect.any(String) } });
    }
    const unknown = await fetch(`${test.broker.url}/api/v1/nothing`, { method: "POST" });
    expect([unknown.status, ((await unknown.json()) as { error: { code: string } }).error.code]).toEqual([
      404,
      "not_found",
    ]);
  });

  it("loads only files of the broker itself", async () => {
    const page = await anyone.get("/challenges/public");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ])
      expect(policy.split("; ")).toContain(rule);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("cache-control")).toBe("private, no-cache");
    expect(await page.text()).not.toMatch(/<script(?![^>]* src="\/assets\/)|<style|\sstyle="|\son[a-z]+="/);
  });

  it("is not sent again while it is unchanged; assets are cached forever", async () => {
    const first = await anyone.get("/challenges/public");
    const again = await anyone.get("/challenges/public", {
      "if-none-match": first.headers.get("etag") ?? "",
    });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    for (const [, address] of (await first.text()).matchAll(/"(\/assets\/[^"]+)"/g)) {
      const asset = await anyone.get(address as string);
      expect([asset.status, asset.headers.get("cache-control")]).toEqual([
        200,
        "public, max-age=31536000, immutable",
      ]);
    }
    expect(await status(anyone, "/assets/site-000000000000.css")).toBe(404);
  });

  it("lets search engines list only public pages", async () => {
    expect(await text(anyone, "/robots.txt")).toContain("Disallow: /submissions");
    expect(await text(ada, "/challenges/secret")).toContain('content="noindex"');
    expect(await text(anyone, "/challenges/public")).not.toContain("noindex");
  });
});
