import { z } from "zod";

/** The profile that a participant shows beside the name of the account; each part is optional. */
export const profileSchema = z.object({
  name: z
    .string()
    .nullable()
    .describe("Shown name. It is not unique and not verified; the participant's name is unique."),
  affiliation: z.string().nullable(),
  link: z.string().nullable().describe("An address of http or https."),
  picture: z.string().nullable().describe("URL of a WebP image of at most 256 x 256 pixels."),
});
export type Profile = z.infer<typeof profileSchema>;

/** A change of a profile: null, or an empty text, removes a part; parts that are left out stay. */
export const profileChangeSchema = z.strictObject({
  name: z.string().max(1000).nullable().optional(),
  affiliation: z.string().max(1000).nullable().optional(),
  link: z.string().max(2000).nullable().optional(),
});
export type ProfileChange = z.infer<typeof profileChangeSchema>;

/** The largest file that is accepted as a picture. */
export const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
