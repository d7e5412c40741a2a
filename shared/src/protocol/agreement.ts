import { z } from "zod";

/** The record of an agreement to a license text. */
export const agreementSchema = z.object({
  licence: z.literal("mit"),
  digest: z.string().describe("SHA-256 of the accepted text."),
  agreed_at: z.string(),
  ip: z.string(),
  user_agent: z.string(),
  where: z.enum(["terminal", "page"]),
});
export type Agreement = z.infer<typeof agreementSchema>;

/** The current license text, and the caller's agreement to it. */
export const licenseSchema = z.object({
  licence: z.literal("mit"),
  text: z.string(),
  digest: z.string(),
  url: z.string().describe("The page on which a person can accept the license."),
  agreement: agreementSchema.nullable(),
});
export type License = z.infer<typeof licenseSchema>;
