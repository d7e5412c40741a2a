import { expect, it } from "vitest";
import { isPublicAddress } from "./public-address.ts";

it.each(["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])(
  "%s is public",
  (address) => expect(isPublicAddress(address)).toBe(true),
);

it.each([
  ...["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"],
  ...["100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"],
  ...["::", "::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:0:10.0.0.1", "::127.0.0.1"],
  ...["64:ff9b::7f00:1", "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fd00::1", "fc00::1", "ff02::1"],
  ...["2002:7f00:1::", "2001::1", "2001:db8::1", "100::1", "localhost", "", "0x7f.1", "2130706433"],
])("%j is not public", (address) => expect(isPublicAddress(address)).toBe(false));
