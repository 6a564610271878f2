/** A campaign's folder as a zip: sent to the service, and fetched from it. */
import { ApiProblem, address, answerLanguage, refused } from "./call";
import { sendFile, type Sending } from "./send-file";
import type { Problem, Schemas, Task } from "./words";

/** Largest folder, in bytes (SERVICE.md 4.4). The service holds to it too. */
export const FOLDER_MAX = 512 * 1024 * 1024;

const ZIP = "application/zip";

/** Sends a folder; a name or a title replaces that of its text. The answer names the task that takes it in. */
export const sendFolder = (file: File, names: { name: string; title: string }, onProgress: (sent: number) => void): Sending<Schemas["CampaignImport"]> =>
  sendFile(address("/api/v1/campaigns", {}, names), file, onProgress, ZIP);

/** What came of the import of a folder. */
export interface ImportedFolder {
  /** `null` = the folder has no list. */
  list: { state: string; new_leads?: number } | null;
  /** Files that the campaign's text does not name. */
  ignored: string[];
}

export function importedFolder(task: Task): ImportedFolder {
  const result = task.result as Partial<ImportedFolder> | null;
  return { list: result?.list ?? null, ignored: result?.ignored ?? [] };
}

/** The folder of a campaign. @throws ApiProblem */
export async function fetchFolder(name: string): Promise<Blob> {
  const path = address("/api/v1/campaigns/{name}", { name });
  const response = await fetch(path, { headers: { Accept: ZIP, "Accept-Language": answerLanguage() }, credentials: "same-origin", cache: "no-store" }).catch(() => undefined);
  if (response === undefined) throw new ApiProblem(0, "offline", "");
  if (response.ok) return response.blob();
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  throw refused(response.status, problem, response.headers.get("Retry-After"), path);
}
