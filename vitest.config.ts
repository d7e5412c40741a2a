import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{shared,grader,broker,cli,scripts,test}/**/*.test.ts", "{broker,cli}/**/*.test.tsx"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
