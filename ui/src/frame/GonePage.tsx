import { Gone } from "../kit/States";

/** A path that the console does not have. */
export function GonePage() {
  return <Gone />;
}
