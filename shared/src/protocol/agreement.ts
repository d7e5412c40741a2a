import { z } from "zod";

/** One agreement to a licence text, as the broker keeps it. */
export const agreementSchema = z.object({
  licence: z.literal("mit"),
  digest: z.string().describe("SHA-256 of the text that was agreed to."),
  agreed_at: z.string(),
  ip: z.string(),
  user_agent: z.string(),
  where: z.enum(["terminal", "page"]),
});
export type Agreement = z.infer<typeof agreementSchema>;

/** The licence text that is current, and the caller's agreement to it. */
export const licenseSchema = z.object({
  licence: z.literal("mit"),
  text: z.string(),
  digest: z.string(),
  url: z.string().describe("The page on which a person agrees."),
  agreement: agreementSchema.nullable(),
});
export type License = z.infer<typeof licenseSchema>;
