import { useRef } from "react";
import { useKey } from "../../keys/use-key";
import { Button } from "../../kit/Button";
import { Radios } from "../../kit/Check";
import { serverNow } from "../../live/clock";
import { useWords } from "../../words";
import type { Draft } from "./draft";
import { DESK_KEYS } from "./keys";
import type { Workplace } from "./seat";
import { outside, zoned } from "./zone";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

interface Props {
  draft: Draft;
  onChange: (fields: Partial<Draft>) => void;
  workplace: Workplace | undefined;
  at: Date | undefined;
}

/** A callback: a preset, or a day and a time in the campaign's zone; for the agent or for anyone. */
export function Callback({ draft, onChange, workplace, at }: Props) {
  const t = useWords();
  const zone = workplace?.timezone ?? "Asia/Shanghai";
  const day = useRef<HTMLInputElement>(null);
  useKey(DESK_KEYS.callback, () => day.current?.focus());
  const set = (moment: number, time?: string) => {
    const shown = zoned(new Date(moment), zone);
    onChange({ day: shown.day, time: time ?? shown.time });
  };
  const isSet = draft.day !== "" || draft.time !== "";
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const hours = at !== undefined && workplace !== undefined ? outside(at, workplace) : undefined;
  const isPast = at !== undefined && at.getTime() <= serverNow();
  return (
    <fieldset className="callback plain">
      <legend>{t("desk.callback")}{zone === here ? "" : ` · ${zone}`}</legend>
      <div className="presets">
        <Button size="small" onClick={() => set(serverNow() + 30 * MINUTE)}>{t("desk.in30")}</Button>
        <Button size="small" onClick={() => set(serverNow(), "19:00")}>{t("desk.today19")}</Button>
        <Button size="small" onClick={() => set(serverNow() + DAY, "10:00")}>{t("desk.tomorrow10")}</Button>
        {isSet ? <Button size="small" kind="link" onClick={() => onChange({ day: "", time: "" })}>{t("desk.noCallback")}</Button> : null}
      </div>
      <div className="when">
        <input ref={day} className="control" type="date" aria-label={t("desk.callbackDay")} value={draft.day} onChange={(event) => onChange({ day: event.target.value })} />
        <input className="control" type="time" aria-label={t("desk.callbackTime")} value={draft.time} onChange={(event) => onChange({ time: event.target.value })} />
      </div>
      {isSet ? <Radios legend={t("desk.callbackBy")} value={draft.own ? "own" : "anyone"} options={[{ value: "own", label: t("desk.mine") }, { value: "anyone", label: t("desk.anyone") }]} onChange={(who) => onChange({ own: who === "own" })} /> : null}
      {isPast ? <p className="hint warn" role="status">{t("problem.callback_in_the_past")}</p> : hours === undefined ? null : <p className="hint warn" role="status">{t("desk.outsideHours", { hours })}</p>}
    </fieldset>
  );
}
