import { CrowdaiError, type ProfileChange } from "@crowdai/shared";
import { type Context, Hono } from "hono";
import { type Caller, requireOwnKey } from "../../domain/participants/api-keys.ts";
import { changeProfile, clearProfile } from "../../domain/profiles/change-profile.ts";
import { readProfile } from "../../domain/profiles/profiles.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { type PictureNeeds, removePicture, setPicture, sweep } from "../requests/set-picture.ts";
import type { PageContext } from "./page-context.ts";
import { ProfilePage } from "./profile.tsx";
import { readForm } from "./read-form.ts";
import { foreignForm } from "./same-origin.ts";
import { isFormToken, type Visit } from "./session/sessions.ts";

/** The page of the reader's own profile, and its forms. */
export function profilePages({
  context,
  sessions,
  renderPage,
}: PageContext<PictureNeeds & HttpNeeds<"baseUrl">>): Hono {
  const routes = new Hono();

  async function own(c: Context): Promise<{ visit: Visit; caller: Caller }> {
    const visit = await sessions.read(c);
    if (!visit.caller) throw new CrowdaiError("no_key");
    if (visit.caller.kind === "organizer")
      throw new CrowdaiError("not_allowed", "Only participants have a profile.");
    return { visit, caller: visit.caller };
  }

  async function show(
    c: Context,
    { visit, caller }: { visit: Visit; caller: Caller },
    refused: { failed?: CrowdaiError; entered?: ProfileChange } = {},
  ) {
    const profile = await readProfile(context().records.db, caller.id, context().baseUrl());
    const page = <ProfilePage visit={visit} account={caller.name} profile={profile} {...refused} />;
    return renderPage(c, visit, { title: "Profile", ...(refused.failed ? { status: 422 } : {}) }, page);
  }

  /** Runs what a form asks for, and shows the profile; with the problem where it is the reader's. */
  function onForm(
    path: string,
    work: (caller: Caller, form: Record<string, string | File>) => Promise<void>,
  ): void {
    routes.post(path, async (c) => {
      const who = await own(c);
      requireOwnKey(who.caller);
      const form = await readForm(c);
      if (!isFormToken(form.token, who.visit)) throw foreignForm();
      try {
        await work(who.caller, form);
      } catch (failed) {
        if (!(failed instanceof CrowdaiError) || !["usage", "too_many_requests"].includes(failed.code))
          throw failed;
        return show(c, who, { failed, entered: path === "/profile" ? textsOf(form) : {} });
      }
      return c.redirect("/profile", 303);
    });
  }

  routes.get("/profile", async (c) => show(c, await own(c)));
  onForm("/profile", (caller, form) =>
    changeProfile(context().records, caller.id, textsOf(form), context().clock()),
  );
  onForm("/profile/picture", async (caller, { picture }) => {
    if (!(picture instanceof File) || picture.size === 0)
      throw new CrowdaiError("usage", "Choose a picture first.");
    await setPicture(context(), caller, new Uint8Array(await picture.arrayBuffer()));
  });
  onForm("/profile/remove-picture", (caller) => removePicture(context(), caller));
  onForm("/profile/clear", async (caller) => {
    await clearProfile(context().records, caller.id, context().clock());
    await sweep(context());
  });
  return routes;
}

function textsOf(form: Record<string, string | File>): ProfileChange {
  const text = (part: string) => {
    const value = form[part];
    return typeof value === "string" ? { [part]: value } : {};
  };
  return { ...text("name"), ...text("affiliation"), ...text("link") };
}
