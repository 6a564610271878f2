// Prints the journeys that failed in the last run, a line each with what was found: the last lines of a log are read first.
import { readFileSync } from "node:fs";

const { testResults } = JSON.parse(readFileSync(new URL("../e2e/out/result.json", import.meta.url), "utf8"));
for (const { name, message, assertionResults } of testResults) {
  const file = name.split("/e2e/").at(-1);
  const failed = assertionResults.filter((it) => it.status === "failed");
  if (failed.length === 0 && message) console.log(`FAILED ${file}: ${message.slice(0, 600)}`);
  for (const { fullName, failureMessages } of failed) console.log(`FAILED ${file} > ${fullName}: ${failureMessages.join("; ").replace(/\s*\n\s*/g, " ").slice(0, 900)}`);
}
