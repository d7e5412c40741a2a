import { type CrowdaiError, MAX_PICTURE_BYTES, type Profile, type ProfileChange } from "@crowdai/shared";
import { FormToken } from "./layout.tsx";
import { ParticipantName, ProfileDetails, ProfilePicture } from "./participant-name.tsx";
import { pathTo } from "./path-to.tsx";
import type { Visit } from "./session/sessions.ts";

/** The reader's own profile: how others see it, and the forms that change it. */
export function ProfilePage({
  visit,
  account,
  profile,
  entered,
  failed,
}: {
  visit: Visit;
  /** The name of the account. */
  account: string;
  profile: Profile;
  /** Values that were entered and refused. */
  entered?: ProfileChange | undefined;
  failed?: CrowdaiError | undefined;
}) {
  const isEmpty = Object.values(profile).every((part) => part === null);
  const value = (part: "name" | "affiliation" | "link") => entered?.[part] ?? profile[part] ?? "";
  return (
    <div class="narrow">
      <h1>Profile</h1>
      <p>
        Leaderboards and your submissions show it beside the name of your account. Every part is optional.
        Private challenges do not show it, unless their organizers decide so.
      </p>
      <p class="shown-profile">
        <ParticipantName account={account} profile={profile} />
        <ProfileDetails profile={profile} isFirst={false} />
      </p>
      {failed ? (
        <p id="failed" class="problem" role="alert">
          {failed.message} {failed.next}
        </p>
      ) : null}
      <form method="post" action={pathTo("/profile")} class="panel">
        <FormToken visit={visit} />
        <label for="name">Shown name</label>
        <input
          id="name"
          class="words"
          type="text"
          name="name"
          maxlength={60}
          value={value("name")}
          autocomplete="name"
        />
        <label for="affiliation">Affiliation</label>
        <input
          id="affiliation"
          class="words"
          type="text"
          name="affiliation"
          maxlength={120}
          value={value("affiliation")}
          autocomplete="organization"
        />
        <label for="link">Link</label>
        <input
          id="link"
          class="words"
          type="text"
          inputmode="url"
          name="link"
          maxlength={300}
          value={value("link")}
          placeholder="https://"
          autocomplete="url"
        />
        <button type="submit" class="primary">
          Save
        </button>
      </form>
      <form method="post" action={pathTo("/profile/picture")} enctype="multipart/form-data" class="panel">
        <FormToken visit={visit} />
        <ProfilePicture profile={profile} size={96} />
        <label for="picture">ProfilePicture</label>
        <input
          id="picture"
          type="file"
          name="picture"
          required
          accept="image/png,image/jpeg,image/gif,image/webp,image/avif"
          aria-describedby="picture-hint"
        />
        <p id="picture-hint" class="note">
          PNG, JPEG, GIF, WebP or AVIF, at most {MAX_PICTURE_BYTES / 1024 / 1024} MB. It is made small, and
          what the file says of place and camera is removed.
        </p>
        <button type="submit">{profile.picture ? "Replace the picture" : "Set the picture"}</button>
      </form>
      {isEmpty ? null : (
        <div class="panel actions">
          {profile.picture ? (
            <RemoveForm visit={visit} path="/profile/remove-picture" what="picture" />
          ) : null}
          <RemoveForm visit={visit} path="/profile/clear" what="whole profile" />
        </div>
      )}
    </div>
  );
}

function RemoveForm({ visit, path, what }: { visit: Visit; path: string; what: string }) {
  return (
    <form method="post" action={pathTo(path)}>
      <FormToken visit={visit} />
      <button type="submit">Remove the {what}</button>
    </form>
  );
}
