/** Sends a file as the body of a request and reports its progress by bytes; `fetch` says nothing of what was sent. */
import { ApiProblem, answerLanguage, newKey, refused } from "./call";
import { parseAnswer } from "./parse";
import type { Problem } from "./words";

export interface Sending<T> {
  /** The service's answer. @throws ApiProblem; `stopped` after [`stop`] */
  answer: Promise<T>;
  stop: () => void;
}

/**
 * Begins to send.
 * @param path with `/api/v1` and its query
 * @param onProgress bytes that were sent, of the file
 * @param type media type of the body
 */
export function sendFile<T>(path: string, file: Blob, onProgress: (sent: number) => void, type = "application/octet-stream"): Sending<T> {
  const request = new XMLHttpRequest();
  const answer = new Promise<T>((resolve, reject) => {
    request.open("POST", path);
    request.responseType = "text";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", answerLanguage());
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("Idempotency-Key", newKey());
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300 && body !== undefined) resolve(body as T);
      else reject(refused(request.status, body as Problem | undefined, request.getResponseHeader("Retry-After"), path));
    };
    request.onerror = () => reject(new ApiProblem(0, "offline", ""));
    request.onabort = () => reject(new ApiProblem(0, "stopped", ""));
  });
  request.send(file);
  return { answer, stop: () => request.abort() };
}

function parsed(text: string): unknown {
  try {
    return parseAnswer(text);
  } catch {
    return undefined;
  }
}
