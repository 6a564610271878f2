/** A service with campaigns and people for work on the pages: `npm run dev:service`, then `PACELINE_URL=http://127.0.0.1:18080 npm run dev`. */
import { PEOPLE, startService } from "./lib/service";

const service = await startService({ port: 18_092 });
console.log(`${service.url} in ${service.dir}`);
for (const { login, password, role } of Object.values(PEOPLE)) console.log(`  ${role}: ${login} ${password}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void service.stop().then(() => process.exit(0)));
