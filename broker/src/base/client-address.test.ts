import { describe, expect, it } from "vitest";
import { clientAddress, isLoopback, networkOf, parseTrustedProxies } from "./client-address.ts";

const trusted = parseTrustedProxies("10.0.0.0/8, 192.0.2.7 fd00::/8 ::1");

describe("clientAddress", () => {
  it.each([
    ["203.0.113.9", undefined, "203.0.113.9"],
    ["::ffff:203.0.113.9", undefined, "203.0.113.9"],
    ["2001:DB8:0:0:0:0:0:1", undefined, "2001:db8::1"],
    ["fe80::1%eth0", undefined, "fe80::1"],
    // Not a trusted proxy: the header is ignored.
    ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["::ffff:203.0.113.9", "10.0.0.1", "203.0.113.9"],
    // A trusted proxy: the right-most address that is not a proxy.
    ["10.1.2.3", "198.51.100.1", "198.51.100.1"],
    ["::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"],
    ["::ffff:0a01:0203", "198.51.100.1", "198.51.100.1"],
    ["::1", "1.1.1.1, 198.51.100.1, 192.0.2.7", "198.51.100.1"],
    ["fd12::5", "6.6.6.6, 2001:db8::5, ::ffff:10.0.0.9", "2001:db8::5"],
    ["10.1.2.3", "[2001:db8::5]:4711", "2001:db8::5"],
    ["10.1.2.3", "198.51.100.1:4711", "198.51.100.1"],
    // No usable address: the last one that can be trusted.
    ["10.1.2.3", undefined, "10.1.2.3"],
    ["10.1.2.3", "", "10.1.2.3"],
    ["10.1.2.3", "1.1.1.1, unknown", "10.1.2.3"],
    ["10.1.2.3", "1.1.1.1, <script>, 10.9.9.9", "10.9.9.9"],
    ["10.1.2.3", "10.0.0.4, 10.0.0.5", "10.0.0.4"],
    [undefined, "198.51.100.1", "unknown"],
  ])("of %s with %s is %s", (peer, header, address) => {
    expect(clientAddress(peer, header, trusted)).toBe(address);
  });

  it("trusts no proxy by default", () => {
    expect(clientAddress("127.0.0.1", "198.51.100.1", parseTrustedProxies(""))).toBe("127.0.0.1");
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0",
    "fd00::/129",
    "10.0.0.0/8/8",
    "proxy.example",
    "10.0.0.0/-1",
  ])("rejects %s as a proxy", (text) => {
    expect(() => parseTrustedProxies(`127.0.0.1, ${text}`)).toThrow(text);
  });
});

it.each([
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["10.0.0.1", false],
  ["128.0.0.1", false],
  ["unknown", false],
  ["::", false],
])("tells this machine from others: %s", (address, own) => {
  expect(isLoopback(address)).toBe(own);
});

describe("the network of a client", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["unknown", "unknown"],
  ])("of %s is %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
