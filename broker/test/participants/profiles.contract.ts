import type { Leaderboard, Profile } from "@crowdai/shared";
import sharp from "sharp";
import { expect, it } from "vitest";
import { createPageClient } from "../pages/page-client.ts";
import { runCommand } from "../support/run-command.ts";
import { type TestBroker, untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

/**
 * Profiles, whatever database the records are in. The broker serves the challenges `test`, `closed`, which is
 * private, and `named`, which is private and shows profiles.
 */
export function profilesContract(
  broker: () => TestBroker,
  /** Lists the pictures in the broker's store. */
  objects: () => Promise<string[]>,
  env: () => Record<string, string> = () => ({}),
) {
  const ask = async (method: string, path: string, body?: unknown) =>
    await broker().fetch(`/api/v1/profile${path}`, { method, body });
  const change = async (body: unknown) => (await (await ask("PATCH", "", body)).json()) as Profile;
  const picture = async (bytes: Uint8Array) =>
    fetch(`${broker().broker.url}/api/v1/profile/picture`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${broker().key}`,
        "content-type": "application/octet-stream",
      },
      body: bytes as Uint8Array<ArrayBuffer>,
    });
  const photo = (color: string) =>
    sharp({ create: { width: 600, height: 300, channels: 3, background: color } })
      .jpeg()
      .withExif({ IFD0: { Copyright: "CANARY" } })
      .toBuffer();
  const submit = async (challenge: string) => {
    const client = await broker().connect({ challenge });
    const { submission } = await client.submit({ challenge, input: { kind: "inline", data: { score: 1 } } });
    await untilEnd(client, submission.id);
    client.socket.disconnect();
    return submission.id;
  };
  const row = async (challenge: string) =>
    ((await (await broker().fetch(`/api/v1/challenges/${challenge}/leaderboard`)).json()) as Leaderboard)
      .rows[0]!;

  it("are kept as they were set, part by part, and refused when they cannot be shown", async () => {
    expect(await (await ask("GET", "")).json()).toEqual({
      ...{ name: null, affiliation: null, link: null, picture: null },
    });
    expect(await change({ name: " Ada Lovelace ", link: "https://ada.example/x" })).toMatchObject({
      name: "Ada Lovelace",
      link: "https://ada.example/x",
    });
    expect(await change({ affiliation: "E\u0301cole" })).toMatchObject({
      name: "Ada Lovelace",
      affiliation: "\u00c9cole",
    });
    for (const wrong of [
      { name: "a\u202eb" },
      { name: "a\nb" },
      { name: "\u200b" },
      { name: "x".repeat(61) },
      { affiliation: "\u0000" },
      { link: "javascript:alert(1)" },
      { link: "//evil.example" },
      { link: "https://user:pass@evil.example/" },
      { picture: "https://evil.example/a.png" },
    ])
      expect((await ask("PATCH", "", wrong)).status, JSON.stringify(wrong)).toBe(400);
    expect(await change({ link: "" })).toMatchObject({ name: "Ada Lovelace", link: null });
  });

  it("hold a picture of which only the visible content is kept, and nothing after it is replaced or removed", async () => {
    const first = (await (await picture(await photo("#f00"))).json()) as Profile;
    const shown = await fetch(first.picture!);
    const bytes = Buffer.from(await shown.arrayBuffer());
    expect(shown.headers.get("content-type")).toBe("image/webp");
    expect(shown.headers.get("cache-control")).toBe("private, no-cache");
    expect(bytes.includes("CANARY")).toBe(false);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "webp", width: 256, height: 128 });

    const second = (await (await picture(await photo("#0f0"))).json()) as Profile;
    expect(second.picture).not.toBe(first.picture);
    expect((await fetch(first.picture!)).status).toBe(404);
    expect(await objects()).toEqual([new URL(second.picture!).pathname.replace("/media/", "")]);

    for (const wrong of [
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      "",
      "\x89PNG\r\n\x1a\nbroken",
    ])
      expect((await picture(Buffer.from(wrong, "latin1"))).status).toBe(400);
    expect((await picture(Buffer.alloc(8 * 1024 * 1024 + 1))).status).toBe(413);
    expect(await (await ask("GET", "")).json()).toEqual(second);

    expect(await (await ask("DELETE", "/picture")).json()).toMatchObject({ picture: null });
    expect((await fetch(second.picture!)).status).toBe(404);
    expect(await objects()).toEqual([]);
  });

  it("are shown beside the account's name on board and page, in a private challenge only where it says so", async () => {
    await change({ name: "grace", affiliation: "Navy", link: "https://ada.example/" });
    const id = await submit("test");
    await submit("closed");
    await submit("named");
    expect(await row("test")).toMatchObject({ participant: "ada", profile: { name: "grace" } });
    expect(await row("closed")).toMatchObject({ participant: "ada", profile: null });
    expect(await row("named")).toMatchObject({ participant: "ada", profile: { name: "grace" } });

    const page = createPageClient(broker());
    const board = await (await page.get("/challenges/test")).text();
    expect(board.replaceAll(/<[^>]*>/g, "")).toContain("graceaccount ada");
    await page.signIn(broker().key);
    expect(await (await page.get(`/submissions/${id}`)).text()).toContain('rel="nofollow noopener ugc"');
  });

  it("are changed on a page, by its own forms only", async () => {
    const page = createPageClient(broker());
    await page.signIn(broker().key);
    expect((await page.post("/profile", { name: "forged" })).status).toBe(403);
    const token = await page.token("/profile");
    expect((await page.post("/profile", { token, name: "<b>Ada", affiliation: "", link: "" })).status).toBe(
      303,
    );
    expect(await (await page.get("/profile")).text()).toContain("&lt;b&gt;Ada");
    const refused = await page.post("/profile", { token, link: "ftp://x" });
    expect([refused.status, (await refused.text()).includes("must be an address")]).toEqual([422, true]);
    expect((await page.post("/profile/clear", { token })).status).toBe(303);
    expect(await (await ask("GET", "")).json()).toMatchObject({ name: null });
  });

  it("are removed by operators, which the records keep", async () => {
    await change({ name: "Offensive" });
    const { picture: url } = (await (await picture(await photo("#00f"))).json()) as Profile;
    const command = () =>
      runCommand(
        broker().folder,
        [
          ...["participant", "clear-profile", "ada", "--reason", "offensive"],
          ...["--data", `${broker().folder}/data`],
        ],
        { env: env() },
      );
    expect((await command()).code).toBe(0);
    expect((await command()).code).not.toBe(0);
    expect((await fetch(url!)).status).toBe(404);
    await until(async () => (await objects()).length === 0);
    expect(await (await ask("GET", "")).json()).toMatchObject({ name: null, picture: null });
    expect(
      await broker().records.db.selectFrom("profile_removals").select(["participant_id", "reason"]).execute(),
    ).toEqual([{ participant_id: 1, reason: "offensive" }]);
  });
}
