/** The paper that shows who holds a number: where it is read, and what may be sent. Pure. */
import { address } from "../../api/call";

export const PROOF_BYTES_MAX = 10 * 1024 * 1024;
/** What the file dialog offers; the service looks at the bytes. */
export const PROOF_TYPES = ".pdf,.png,.jpg,.jpeg,application/pdf,image/png,image/jpeg";

/** Another paper has another moment: no browser shows the former one. */
export const proofAddress = (number: string, at: string): string => `${address("/api/v1/caller-ids/{caller_id}/proof", { caller_id: number })}#${encodeURIComponent(at)}`;

export const isPicture = (mediaType: string): boolean => mediaType.startsWith("image/");

export type ProofFault = "empty" | "large";

export function proofFault(size: number): ProofFault | undefined {
  if (size === 0) return "empty";
  return size > PROOF_BYTES_MAX ? "large" : undefined;
}
