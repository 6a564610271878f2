// Fails if src/api/types.ts is older than schemas/openapi.json: it is generated anew and compared.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const dir = mkdtempSync(join(tmpdir(), "paceline-types-"));
const fresh = join(dir, "types.ts");
try {
  execFileSync("npx", ["--no-install", "openapi-typescript", "../schemas/openapi.json", "--output", fresh], { stdio: "pipe" });
  if (readFileSync(fresh, "utf8") !== readFileSync("src/api/types.ts", "utf8")) {
    console.error("ui/src/api/types.ts does not match schemas/openapi.json: run `npm run types` in ui/ and commit it");
    process.exit(1);
  }
} finally {
  rmSync(dir, { recursive: true });
}
