import { describe, expect, it } from "vitest";
import { proxyFor } from "./proxy-for.ts";

const HOST = "http://broker.example.org:8420/";
const addressFor = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.address;

describe("the proxy for a URL", () => {
  it.each([
    ["with a scheme", { http_proxy: "http://proxy:3128" }, "http://proxy:3128"],
    ["in upper case", { HTTP_PROXY: "http://proxy:3128/" }, "http://proxy:3128"],
    ["without a scheme", { http_proxy: "proxy:3128" }, "http://proxy:3128"],
    ["without a port", { http_proxy: "proxy" }, "http://proxy:80"],
    ["over TLS", { http_proxy: "https://proxy" }, "https://proxy:443"],
    ["with a login", { http_proxy: "me:p%40ss@proxy:1" }, "http://me:p%40ss@proxy:1"],
    ["at an IPv6 address", { http_proxy: "http://[::1]:3128" }, "http://[::1]:3128"],
    ["for all protocols", { ALL_PROXY: "proxy:1" }, "http://proxy:1"],
    ["in both cases", { http_proxy: "one:1", HTTP_PROXY: "two:2" }, "http://one:1"],
    ["for the other protocol", { https_proxy: "proxy:1" }, undefined],
    ["of another kind", { all_proxy: "socks5h://proxy:1" }, null],
    ["that is not an address", { http_proxy: "http://[" }, null],
  ])("is found: %s", (_, env, address) => {
    expect(addressFor(HOST, env)).toBe(address);
  });

  it("of https is another one", () => {
    expect(addressFor("https://broker/", { http_proxy: "one:1", HTTPS_PROXY: "two:2" })).toBe("http://two:2");
  });

  it.each([
    [HOST, "*"],
    [HOST, "broker.example.org"],
    [HOST, "BROKER.Example.org."],
    [HOST, "example.org"],
    [HOST, ".example.org"],
    [HOST, "*.example.org"],
    [HOST, "localhost, example.org"],
    [HOST, "localhost example.org"],
    [HOST, "broker.example.org:8420"],
    ["http://10.1.2.3/", "10.1.2.3"],
    ["http://10.1.2.3/", "10.0.0.0/8"],
    ["http://10.1.2.3/", "10.1.2.1-10.1.2.9"],
    ["http://10.1.2.3/", "10.1.2.3:80"],
    ["http://[fd00::7]/", "fd00:0::7"],
    ["http://[fd00::7]/", "[fd00::7]:80"],
    ["http://[fd00::7]/", "fd00::/8"],
  ])("is not used for %s by NO_PROXY=%s", (url, NO_PROXY) => {
    expect(addressFor(url, { http_proxy: "proxy:1", NO_PROXY })).toBeUndefined();
  });

  it.each([
    [HOST, "roker.example.org"],
    [HOST, "other.broker.example.org"],
    [HOST, "broker.example.org:80"],
    [HOST, "10.0.0.0/8"],
    ["http://10.1.2.3/", "11.0.0.0/8, 1.2.3, nonsense/99, ::/0"],
    ["http://a-b.org/", "b.org"],
  ])("is used for %s in spite of NO_PROXY=%s", (url, NO_PROXY) => {
    expect(addressFor(url, { http_proxy: "proxy:1", NO_PROXY })).toBe("http://proxy:1");
  });
});
