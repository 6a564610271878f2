import { Glyph } from "../kit/Glyph";
import { useState } from "react";
import { Button } from "../kit/Button";
import { useLink, useLiveEvent, useStoreState, useVersion } from "../live/stores";
import { queries } from "../session";
import { serverNow, useSecond } from "../live/clock";
import { useWords } from "../words";
import { clock } from "../words/format";

/** Seconds after which what is shown is called stale, and after which actions wait for the connection. */
const STALE = 3;
const OFFLINE = 15;

/** How long the stream has been lost, in seconds; 0 = it is live or has not been open yet. */
export function useLostFor(): number {
  const link = useLink();
  useSecond();
  return link.phase === "lost" ? Math.max(0, Math.floor((Date.now() - link.since) / 1000)) : 0;
}

/** Whether the live values on the page are older than 3 s. */
export const useIsStale = (): boolean => useLostFor() > STALE;

/** The reason for which actions are grey while the service is away. */
export function useOfflineReason(): string | undefined {
  const t = useWords();
  return useLostFor() > OFFLINE ? t("common.offlineReason") : undefined;
}

/** `实时`, `重连中 4 秒`, `数据截至 14:03:22`. */
export function LiveState() {
  const t = useWords();
  const link = useLink();
  const lost = useLostFor();
  const words = link.phase === "live" ? t("frame.live")
    : link.phase === "connecting" ? t("frame.connecting")
    : lost <= STALE || link.seen === undefined ? t("frame.reconnecting", { n: lost })
    : t("frame.asOf", { time: clock(new Date(link.seen + serverNow() - Date.now())) });
  return (
    <span className={`live-state ${link.phase}`} data-testid="live-state">
      <Glyph name={link.phase === "live" ? "on" : "waiting"} />{words}
    </span>
  );
}

const onSnapshot = (data: unknown) => {
  if ((data as { missed?: boolean }).missed === true) void queries.invalidateQueries();
};

/** After a cut the service sends what was missed; where that was too much or too long ago, everything in view is read again. */
export const useMissedEvents = (): void => useLiveEvent("snapshot", onSnapshot);

/** A newer service answers: the page offers to load its console, and never does it by itself. */
export function NewVersion() {
  const t = useWords();
  const version = useVersion();
  const [first, setFirst] = useState<string>();
  // The version that the page came with is the one of the first snapshot.
  if (first === undefined && version !== undefined) setFirst(version);
  return version === first ? null : <Button kind="link" size="small" onClick={() => location.reload()}>{t("frame.newVersion")}</Button>;
}

/** Lines under the frame: the service is away, or it cannot write. */
export function LinkLines() {
  const t = useWords();
  const lost = useLostFor();
  const store = useStoreState();
  return (
    <div aria-live="polite">
      {store === "stalled" ? <p className="line red"><Glyph name="alarm" />{t("common.storeStalled")}</p> : null}
      {lost > OFFLINE ? <p className="line amber"><Glyph name="waiting" />{t("common.offline", { n: Math.floor(lost / 5) * 5 })}</p> : null}
    </div>
  );
}
