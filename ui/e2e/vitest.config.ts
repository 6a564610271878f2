import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  test: {
    include: ["**/*.e2e.ts"],
    // Every screen is looked at over recorded answers; `make screens` looks at those of the real program too.
    exclude: process.env["PACELINE_LOOKS"] === undefined ? ["screens/screens.e2e.ts"] : [],
    // One browser and one service at a time: the machine may have two cores, and the rest of `make test` runs beside it.
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // What is not there within a second may be there in the next: the usual time of a poll is one second.
    expect: { poll: { timeout: 30_000 } },
    reporters: ["default", ["json", { outputFile: new URL("out/result.json", import.meta.url).pathname }]],
  },
});
