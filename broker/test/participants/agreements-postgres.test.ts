import { expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { agree, findAgreement } from "../../src/domain/agreements/agreements.ts";
import { MIT_DIGEST } from "../../src/domain/agreements/mit-license.ts";
import { addOrganizer, addParticipant } from "../../src/domain/participants/api-keys.ts";
import { closeChallenge, readClosed } from "../../src/domain/publishing/close-challenge.ts";
import { openPostgres } from "../../src/records/postgres.ts";

it.skipIf(missing("postgres"))(
  "agreements, closings and names of organizers are the same on PostgreSQL",
  async () => {
    const records = await openPostgres(await createDatabase());
    try {
      await addParticipant(records, "ada", new Date().toISOString());
      const given = { digest: MIT_DIGEST, where: "page" as const, ip: "2001:db8::1", userAgent: "x" };
      const all = await Promise.all(
        [1, 2, 3].map(() => agree({ records, clock: () => new Date() }, { id: 1 }, given)),
      );
      expect(new Set(all.map(({ id }) => id)).size).toBe(1);
      expect(await findAgreement(records.db, { id: 1 })).toMatchObject({
        ip: "2001:db8::1",
        given_at: "page",
      });
      await expect(records.db.deleteFrom("agreements").execute()).rejects.toThrow("never changed");
      await expect(records.db.updateTable("licence_texts").set({ text: "" }).execute()).rejects.toThrow(
        "never changed",
      );
      const now = new Date();
      await Promise.all([1, 2].map(() => closeChallenge(records, null, "test", { force: true, now })));
      expect(await readClosed(records.db, "test")).toMatchObject({ submissions: 0, awaited: 0, shown: true });
      // The same name, composed and decomposed.
      const added = await Promise.allSettled(
        ["Zo\u00eb", "Zoe\u0308"].map((name) => addOrganizer(records, name, ["test"], now.toISOString())),
      );
      expect(added).toContainEqual({
        status: "rejected",
        reason: expect.objectContaining({
          code: "usage",
          message: expect.stringContaining("already an organizer"),
        }),
      });
      expect(await records.db.selectFrom("organizers").select("name").execute()).toEqual([
        { name: "Zo\u00eb" },
      ]);
    } finally {
      await records.close();
    }
  },
  300_000,
);
