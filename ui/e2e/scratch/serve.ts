import { PEOPLE, startService } from "../lib/service";
import { writeFileSync } from "node:fs";
const service = await startService();
writeFileSync("/tmp/uiset/url", service.url);
console.log(service.url, service.dir, Object.values(PEOPLE).map((it) => it.login + " " + it.password).join(", "));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void service.stop().then(() => process.exit(0)));
