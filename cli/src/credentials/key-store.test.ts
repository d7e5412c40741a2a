import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createApiKey } from "@crowdai/shared";
import { expect, test } from "vitest";
import { memoryKeychain, noKeychain, temporaryFolder } from "../../test/run-cli.ts";
import { createKeyStore, readKey } from "./key-store.ts";
import { KeychainUnavailable } from "./keychain.ts";

const at = (configDir: string, broker = "http://localhost:8420", configDirChosen = false) => ({
  brokerTrusted: true,
  sources: { broker: "default", challenge: null, configDir: "default" },
  broker,
  configDir,
  configDirChosen,
});

test("a key is stored in the keychain, and no part of it in a file", async () => {
  await using folder = await temporaryFolder();
  const keychain = memoryKeychain();
  const keys = createKeyStore({ env: {}, settings: at(folder.path), keychain });
  const key = createApiKey();
  expect(await keys.save(key)).toEqual({ source: "keychain", reason: null });
  expect(await keys.find()).toEqual({ key, source: "keychain" });
  expect(await readFile(keys.file, "utf8")).not.toContain(key);
});

test("without a keychain, the key is stored in a file that only its owner can read", async () => {
  await using folder = await temporaryFolder();
  const settings = at(join(folder.path, "new"));
  const keys = createKeyStore({ env: {}, settings, keychain: noKeychain });
  const key = createApiKey();
  expect(await keys.save(key)).toEqual({ source: keys.file, reason: "there is none in this test" });
  expect(await keys.find()).toEqual({ key, source: keys.file });
  expect((await stat(keys.file)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(keys.file))).mode & 0o777).toBe(0o700);
  expect((await stat(settings.configDir)).mode & 0o777).toBe(0o700);
});

test.each([
  ["keychain", memoryKeychain],
  ["file", () => noKeychain],
] as const)("keys of two brokers never mix (%s)", async (_, open) => {
  await using folder = await temporaryFolder();
  const keychain = open();
  const one = createKeyStore({ env: {}, settings: at(folder.path, "http://one:1"), keychain });
  const other = createKeyStore({ env: {}, settings: at(folder.path, "http://one:2"), keychain });
  const [first, second] = [createApiKey(), createApiKey()];
  await one.save(first);
  expect(await other.find()).toBeNull();
  await other.save(second);
  expect((await one.find())?.key).toBe(first);
  await one.forget();
  expect((await other.find())?.key).toBe(second);
});

test("a folder chosen with CROWDAI_CONFIG_DIR does not touch the user's own keychain entry", async () => {
  await using folder = await temporaryFolder();
  const keychain = memoryKeychain();
  const own = createKeyStore({ env: {}, settings: at(folder.path), keychain });
  const apart = createKeyStore({ env: {}, settings: at(join(folder.path, "x"), undefined, true), keychain });
  const key = createApiKey();
  await own.save(key);
  await apart.save(createApiKey());
  expect((await own.find())?.key).toBe(key);
});

test("CROWDAI_API_KEY wins over the stored key, and may end with a newline", async () => {
  await using folder = await temporaryFolder();
  const key = createApiKey();
  const keys = createKeyStore({
    env: { CROWDAI_API_KEY: `${key}\n` },
    settings: at(folder.path),
    keychain: noKeychain,
  });
  await keys.save(createApiKey());
  expect(await keys.find()).toEqual({ key, source: "CROWDAI_API_KEY" });
});

test("a missing and a mistyped key are different errors, and neither shows the key", async () => {
  await using folder = await temporaryFolder();
  const settings = at(folder.path);
  await expect(readKey({ env: {}, settings, keychain: noKeychain })).rejects.toMatchObject({
    code: "no_key",
  });
  const key = createApiKey().replace(/.$/, "!");
  const error = await readKey({ env: { CROWDAI_API_KEY: key }, settings, keychain: noKeychain }).catch(
    (e) => e,
  );
  expect(error).toMatchObject({ code: "key_malformed" });
  expect(JSON.stringify(error.toBody())).not.toContain(key.slice(0, 20));
});

test("reading a key asks the keychain only if the key is there", async () => {
  await using folder = await temporaryFolder();
  let asked = 0;
  const keychain = { ...memoryKeychain(), get: async () => void asked++ as never };
  await expect(readKey({ env: {}, settings: at(folder.path), keychain })).rejects.toMatchObject({
    code: "no_key",
  });
  expect(asked).toBe(0);
});

test("an unavailable keychain is not the same error as a missing key", async () => {
  await using folder = await temporaryFolder();
  const keychain = memoryKeychain();
  const keys = createKeyStore({ env: {}, settings: at(folder.path), keychain });
  await keys.save(createApiKey());
  keychain.get = () => Promise.reject(new KeychainUnavailable("it is locked"));
  await expect(keys.find()).rejects.toMatchObject({
    code: "no_key",
    message: expect.stringContaining("it is locked"),
  });
});

test.each(["{", '"crowdai_x"', '{"broker":"http://elsewhere","store":"file","key":"crowdai_x"}', "{}"])(
  "a broken key file (%s) is reported without its content, and can be removed",
  async (text) => {
    await using folder = await temporaryFolder();
    const keys = createKeyStore({ env: {}, settings: at(folder.path), keychain: noKeychain });
    await mkdir(dirname(keys.file), { recursive: true });
    await writeFile(keys.file, text);
    const error = await keys.find().catch((e) => e);
    expect(error).toMatchObject({ code: "config_invalid" });
    expect(error.message).not.toContain("crowdai_x");
    expect(await keys.forget()).toBe(true);
    expect(await keys.forget()).toBe(false);
  },
);

test("a folder that is not writable gives file_unwritable", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "taken"), "a file where a folder should be");
  const keys = createKeyStore({ env: {}, settings: at(join(folder.path, "taken")), keychain: noKeychain });
  await expect(keys.save(createApiKey())).rejects.toMatchObject({ code: "file_unwritable" });
});
