import { VERSION } from "../../base/version.ts";
import { environmentFile } from "./environment-file.ts";
import { FIRST_CHALLENGE, firstChallenge } from "./first-challenge.ts";
import type { InitFile } from "./init-file.ts";
import { caddySettings, nginxSettings } from "./proxy-files.ts";
import { brokerService, graderService } from "./service-files.ts";

/** The contents of a folder that `init` lists: a path, and its purpose. */
export const CONTENTS: readonly (readonly [path: string, purpose: string])[] = [
  [`challenges/${FIRST_CHALLENGE}/`, "a challenge that works; change it into yours"],
  ["crowdai.env", "the settings, with what each does"],
  ["systemd/", "services of the broker and of a grader"],
  ["proxy/", "settings of nginx and Caddy, with TLS"],
  ["package.json", "the version of crowdAI that the services start"],
  [".gitignore", "keeps data, settings and packages out of a repository"],
];

/** Returns the files of a folder at this path, for a broker with this public address. */
export function siteFiles(folder: string, publicUrl: string | null): InitFile[] {
  const manifest = {
    private: true,
    description:
      "The packages that the services start. To upgrade, change both versions and run npm install.",
    dependencies: { "@crowdai/broker": VERSION, "@crowdai/grader": VERSION },
  };
  return [
    ...firstChallenge(),
    { path: "crowdai.env", text: environmentFile(publicUrl), isPrivate: true },
    { path: "systemd/crowdai-broker.service", text: brokerService(folder) },
    { path: "systemd/crowdai-grader.service", text: graderService(folder) },
    { path: "proxy/nginx.conf", text: nginxSettings(publicUrl) },
    { path: "proxy/Caddyfile", text: caddySettings(publicUrl) },
    { path: "package.json", text: `${JSON.stringify(manifest, null, 2)}\n` },
    { path: ".gitignore", text: "crowdai-data/\ncrowdai.env\nnode_modules/\n" },
  ];
}
