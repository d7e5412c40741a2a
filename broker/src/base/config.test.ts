import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

const publicUrl = (PUBLIC_URL: string) => readConfig({}, { PUBLIC_URL }, "/").publicUrl;

describe("PUBLIC_URL", () => {
  it("is a host, with a path or without, and has no slash at the end", () => {
    expect(publicUrl("https://host/")).toBe("https://host");
    expect(publicUrl("HTTPS://Host:8443")).toBe("https://host:8443");
    expect(publicUrl("https://host/lab/crowdai//")).toBe("https://host/lab/crowdai");
    expect(publicUrl("https://host/lab/../crowdai")).toBe("https://host/crowdai");
    expect(publicUrl("http://[::1]:8420")).toBe("http://[::1]:8420");
  });

  it("that paths cannot be appended to is refused by name", () => {
    for (const bad of [
      "https://host/?a=b",
      "https://host/a#b",
      "https://me@host",
      "https://host//a",
      "https://host/a;b",
    ])
      expect(() => publicUrl(bad), bad).toThrow("PUBLIC_URL");
  });
});

it("CROWDAI_SANDBOX is a kind of boxes, or absent", () => {
  const sandbox = (CROWDAI_SANDBOX: string) => readConfig({}, { CROWDAI_SANDBOX }, "/").sandbox;
  expect(sandbox("")).toBe("bubblewrap");
  expect(sandbox("oci:runsc")).toBe("oci:runsc");
  expect(() => sandbox("none")).toThrow("CROWDAI_SANDBOX");
});

it("WEBHOOK_HOSTS lists names and addresses of hosts, without schemes and ports", () => {
  const hosts = (WEBHOOK_HOSTS: string) => [...readConfig({}, { WEBHOOK_HOSTS }, "/").webhookHosts];
  expect(hosts("")).toEqual([]);
  expect(hosts(" Chat.internal, 10.0.0.1 ::1 ")).toEqual(["chat.internal", "10.0.0.1", "::1"]);
  for (const bad of ["http://chat", "chat:8065", "10.0.0.0/8", "*.internal"])
    expect(() => hosts(bad), bad).toThrow("WEBHOOK_HOSTS");
});
