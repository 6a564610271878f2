/** Files on their way to the service. They live outside React: a person may look at another page while a file is sent. */
import { useCallback, useSyncExternalStore } from "react";
import { ApiProblem, address, newKey } from "../../api/call";
import { parseAnswer } from "../../api/parse";
import type { Problem, Schemas } from "../../api/words";
import { currentLanguage, TAGS } from "../../words";
import { refreshList } from "./data";
import { fitName } from "./files";

export interface Upload {
  campaign: string;
  /** Whose it is: another person who signs in here does not see it. */
  login: string;
  file: File;
  sent: number;
  phase: "sending" | "sent" | "refused" | "done";
  problem?: unknown;
  /** The list that came of it. */
  list?: number;
  /** The same for each attempt, so that a file whose answer was lost is not taken twice. */
  key: string;
  request?: XMLHttpRequest;
}

let upload: Upload | undefined;
const listeners = new Set<() => void>();

function show(next: Upload | undefined): void {
  upload = next;
  for (const listener of listeners) listener();
}

function holdThePage(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

export function beginUpload(campaign: string, login: string, file: File): void {
  send({ campaign, login, file, sent: 0, phase: "sending", key: newKey() });
}

/** Sends it again, with the key of the first attempt where no answer came. */
export function sendAgain(): void {
  if (upload) send({ ...upload, sent: 0, phase: "sending", problem: undefined, key: upload.problem instanceof ApiProblem && upload.problem.status === 0 ? upload.key : newKey() });
}

/** Ends an upload, or puts away what was said about it. */
export function endUpload(): void {
  const request = upload?.request;
  window.removeEventListener("beforeunload", holdThePage);
  show(undefined);
  request?.abort();
}

function send(next: Upload): void {
  const request = new XMLHttpRequest();
  window.addEventListener("beforeunload", holdThePage);
  show({ ...next, request });
  const isMine = () => upload?.request === request;
  const end = (change: Partial<Upload>) => {
    if (!isMine() || !upload) return;
    window.removeEventListener("beforeunload", holdThePage);
    const { request: _, ...rest } = upload;
    show({ ...rest, ...change });
  };
  request.open("POST", address("/api/v1/campaigns/{name}/lists", { name: next.campaign }, { file_name: fitName(next.file.name) }));
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("Accept-Language", TAGS[currentLanguage()]);
  request.setRequestHeader("Idempotency-Key", next.key);
  request.upload.onprogress = (event) => {
    if (isMine() && upload) show({ ...upload, sent: event.loaded });
  };
  // All bytes are out; the service writes them and looks at the workbook.
  request.upload.onload = () => {
    if (isMine() && upload) show({ ...upload, sent: upload.file.size, phase: "sent" });
  };
  request.onload = () => {
    const answer = parse(request.responseText);
    if (request.status === 201) {
      const { list } = answer as Schemas["ListAdded"];
      refreshList(list.id);
      end({ phase: "done", list: list.id });
      return;
    }
    const problem = answer as Problem | undefined;
    end({ phase: "refused", problem: new ApiProblem(request.status, problem?.code ?? "unavailable", problem?.detail ?? "", problem, Number(request.getResponseHeader("Retry-After") ?? "") || undefined) });
  };
  request.onerror = () => end({ phase: "refused", problem: new ApiProblem(0, "offline", "") });
  request.send(next.file);
}

function parse(text: string): unknown {
  try {
    return parseAnswer(text);
  } catch {
    return undefined;
  }
}

/** The upload to this campaign, of this person. */
export function useUpload(campaign: string, login: string): Upload | undefined {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  const now = useSyncExternalStore(subscribe, () => upload);
  return now?.campaign === campaign && now.login === login ? now : undefined;
}
