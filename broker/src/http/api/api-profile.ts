import { profileChangeSchema, profileSchema } from "@crowdai/shared";
import { createRoute, z } from "@hono/zod-openapi";
import { type Caller, requireOwnKey } from "../../domain/participants/api-keys.ts";
import { changeProfile, clearProfile } from "../../domain/profiles/change-profile.ts";
import { readProfile } from "../../domain/profiles/profiles.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { type PictureNeeds, removePicture, setPicture, sweep } from "../requests/set-picture.ts";
import { type ApiGroup, answers, body, withKey } from "./api-shapes.ts";

const profile = answers(profileSchema, "Your profile");

/** The profile that a participant shows: name, affiliation, link and picture. */
export function profileRoutes({
  api,
  context,
  participant,
}: ApiGroup<PictureNeeds & HttpNeeds<"baseUrl">>): void {
  const show = ({ id }: Caller) => readProfile(context().records.db, id, context().baseUrl());

  api.openapi(
    createRoute({
      method: "get",
      path: "/profile",
      summary: "Get your profile",
      security: withKey,
      responses: profile,
    }),
    async (c) => c.json(await show(await participant(c)), 200),
  );

  api.openapi(
    createRoute({
      method: "patch",
      path: "/profile",
      summary: "Change the texts of your profile",
      description:
        "Boards show them beside the name of your account, except those of private challenges. Parts that are left out stay.",
      security: withKey,
      request: { body: body(profileChangeSchema) },
      responses: profile,
    }),
    async (c) => {
      const caller = requireOwnKey(await participant(c));
      await changeProfile(context().records, caller.id, c.req.valid("json"), context().clock());
      return c.json(await show(caller), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "delete",
      path: "/profile",
      summary: "Remove your profile",
      security: withKey,
      responses: profile,
    }),
    async (c) => {
      const caller = requireOwnKey(await participant(c));
      await clearProfile(context().records, caller.id, context().clock());
      await sweep(context());
      return c.json(await show(caller), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "put",
      path: "/profile/picture",
      summary: "Set the picture of your profile",
      description:
        "The body is a PNG, JPEG, GIF, WebP or AVIF file of at most 8 MB. Only its visible content is kept, at most 256 x 256 pixels.",
      security: withKey,
      request: {
        body: {
          content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
          required: true,
        },
      },
      responses: profile,
    }),
    async (c) => {
      const caller = requireOwnKey(await participant(c));
      await setPicture(context(), caller, new Uint8Array(await c.req.arrayBuffer()));
      return c.json(await show(caller), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "delete",
      path: "/profile/picture",
      summary: "Remove the picture of your profile",
      security: withKey,
      responses: profile,
    }),
    async (c) => {
      const caller = requireOwnKey(await participant(c));
      await removePicture(context(), caller);
      return c.json(await show(caller), 200);
    },
  );
}
