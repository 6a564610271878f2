import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { get } from "../../api/call";
import type { Seat } from "../../api/words";
import { Button } from "../../kit/Button";
import { Choice, Field } from "../../kit/Field";
import { Failed, Loading } from "../../kit/States";
import { liveSeat } from "../../live/stores";
import { useAction } from "../../use-action";
import { useMe } from "../../session";
import { hasWord, useWords } from "../../words";
import { visible } from "../../words/format";
import { narrow } from "../../words/width";
import { act, type AgentAction } from "./act";
import { consulted } from "./seat";

type Target = { agent: string } | { group: string } | { number: string };

/** How often the list of colleagues is read again while it is open, in ms. */
const AGAIN = 3_000;

/** Whom to consult: colleagues, the idle ones first; a whole group; a number outside. Arrows and Enter choose. */
export function Consult({ seat, onClose }: { seat: Seat; onClose: () => void }) {
  const t = useWords();
  const { person } = useMe();
  const groups = person.groups.flatMap((it) => (it.group === null ? [] : [it.group]));
  const [group, setGroup] = useState("");
  const [number, setNumber] = useState("");
  const [target, setTarget] = useState<Target>();
  const box = useRef<HTMLDivElement>(null);
  const { data, error, refetch } = useQuery({
    queryKey: ["colleagues", group], refetchInterval: AGAIN,
    queryFn: () => get("/api/v1/colleagues", group === "" ? {} : { query: { group } }),
  });
  const ask = useAction(() => act({ action: "consult", target } as AgentAction), () => { const now = liveSeat(seat.agent); return now === undefined || consulted(now) !== undefined; });
  const { run } = ask;
  useEffect(() => {
    if (target !== undefined) run();
  }, [target, run]);
  const hasList = data !== undefined;
  useEffect(() => {
    if (hasList) box.current?.querySelector<HTMLElement>(".colleague, input")?.focus();
  }, [hasList]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = [...(box.current?.querySelectorAll<HTMLElement>(".colleague") ?? [])];
      const at = all.indexOf(document.activeElement as HTMLElement);
      event.preventDefault();
      all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]?.focus();
    }
  };
  const activity = (word: string) => {
    const key = `activity.${word}`;
    return hasWord(key) ? t(key) : word;
  };
  const dial = (event: FormEvent) => {
    event.preventDefault();
    if (number.trim() !== "") setTarget({ number: narrow(number).trim() });
  };
  return (
    <div ref={box} className="consult" role="dialog" aria-label={t("desk.consultWhom")} onKeyDown={onKeyDown}>
      <header>
        <strong>{t("desk.consultWhom")}</strong>
        {groups.length < 2 ? null : <Choice label={t("desk.group")} value={group} onChange={setGroup} options={[{ value: "", label: t("desk.ownGroups") }, ...groups.map((it) => ({ value: it, label: it }))]} />}
        <Button size="small" onClick={onClose}>{t("common.close")}</Button>
      </header>
      {error ? <Failed problem={error} onRetry={() => void refetch()} /> : data === undefined ? <Loading height={120} /> : data.items.length === 0 ? <p className="hint">{t("desk.noColleagues")}</p> : (
        <ul>
          {data.items.map((it) => (
            <li key={it.number}>
              <button type="button" className="colleague" aria-disabled={it.activity !== "idle" || undefined} onClick={() => setTarget({ agent: it.number })}>
                <span>{it.number} {visible(it.name)}</span><span className="second">{activity(it.activity)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="groups">{groups.map((it) => <Button key={it} size="small" onClick={() => setTarget({ group: it })}>{t("desk.consultGroup", { group: it })}</Button>)}</div>
      <form onSubmit={dial}>
        <Field label={t("desk.consultNumber")} type="tel" value={number} onChange={setNumber} autoComplete="off" maxLength={20} />
        <Button type="submit" busy={ask.busy}>{t("desk.dialNumber")}</Button>
      </form>
      {ask.refusal === undefined ? null : <p className="refusal" role="alert">{ask.refusal}</p>}
    </div>
  );
}
