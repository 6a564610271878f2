import { useRouteError } from "react-router";
import { Failed } from "../kit/States";

/** A page that could not be drawn, or whose chunk did not come: a newer console may have taken its place. */
export function Fault() {
  return <main id="main"><Failed problem={useRouteError()} onRetry={() => location.reload()} /></main>;
}
