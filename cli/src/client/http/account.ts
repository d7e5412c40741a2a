import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import type { HttpClient } from "./http-client.ts";

const accountSchema = z.object({
  participant: z.object({ id: z.number().int(), name: z.string() }),
  agreed: z.boolean(),
  /** The member of a team whose key it is. */
  member: z.string().optional(),
  /** The participant's keys; an older broker sends none. */
  keys: z
    .array(
      z.object({
        label: z.string().nullable(),
        member: z.string().nullable(),
        created_at: z.string(),
        last_used_at: z.string().nullable(),
        current: z.boolean(),
      }),
    )
    .default([]),
});
export type Account = z.infer<typeof accountSchema>;

const organizerSchema = z.object({
  organizer: z.object({ id: z.number().int(), name: z.string(), challenges: z.array(z.string()) }),
});
export type Organizer = z.infer<typeof organizerSchema>["organizer"];

/** Returns the organizer that the error for an organizer's key names. */
export function organizerIn(failure: unknown): Organizer | null {
  if (!(failure instanceof CrowdaiError) || failure.code !== "not_allowed") return null;
  return organizerSchema.safeParse(failure.details).data?.organizer ?? null;
}

/** Returns the participant that the key belongs to. Throws key_unknown, key_revoked, no_key. */
export function readAccount(http: HttpClient): Promise<Account> {
  return http.get("/api/v1/me", accountSchema);
}
