// Runs a TypeScript file with Vite's module runner: `node scripts/run-ts.mjs e2e/dev.ts`.
import { runnerImport } from "vite";

await runnerImport(process.argv[2]);
