import "../../kit/form.css";
import "../../kit/table.css";
import "../audio/audio.css";
import "./approvals.css";
import { useRef, useState, type KeyboardEvent } from "react";
import type { Approval } from "../../api/words";
import { More } from "../../kit/More";
import { StateInk } from "../../kit/Pill";
import { Failed, Loading, NoneYet } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { APPROVAL_STATES } from "../../states";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { moment, telephone, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { useCampaignTitles } from "../campaigns/titles";
import { ApprovalDetail } from "./ApprovalDetail";
import { INBOXES, useInbox, type Inbox } from "./data";

const NONE = { mine: "approvals.noneMine", others: "approvals.noneOthers", done: "approvals.noneDone" } as const;

/** `/approvals`: on the left what waits, on the right the thing itself and the two words. */
export default function Approvals() {
  const t = useWords();
  const [search, set] = useSearch();
  const [decided, setDecided] = useState<string>();
  useTitle(t("approvals.title"));
  const asked = search.get("state");
  const inbox: Inbox = INBOXES.find((it) => it === asked) ?? "mine";
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInbox(inbox);
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  // The service's links say `id`.
  const wanted = search.get("item") ?? search.get("id");
  const isNamed = wanted !== null || search.has("of");
  const named = items.find((it) => String(it.id) === wanted) ?? items.find((it) => `${it.kind}:${it.subject}` === search.get("of"));
  // Without a choice the first one is open: one click less for each approval.
  const chosen = named ?? (isNamed ? undefined : items[0]);
  const choose = (id: number) => {
    setDecided(undefined);
    set({ item: String(id), id: null, of: null });
  };
  const onDecided = (words: string) => {
    setDecided(words);
    set({ item: null, id: null, of: null });
  };
  return (
    <>
      <div className="page-head">
        <h1>{t("approvals.title")}</h1>
        <div className="chips" role="group" aria-label={t("approvals.inbox")}>
          {INBOXES.map((it) => <button key={it} type="button" className="chip" aria-pressed={it === inbox} onClick={() => { setDecided(undefined); set({ state: it === "mine" ? null : it, item: null, id: null, of: null }); }}>{t(`approvals.${it}`)}</button>)}
        </div>
      </div>
      {decided === undefined ? null : <p className="decided" role="status">{decided}</p>}
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={300} />
        : items.length === 0 && !hasNextPage ? <div className="card"><NoneYet>{t(NONE[inbox])}{inbox === "others" ? <><br /><span className="hint">{t("approvals.own")}</span></> : null}</NoneYet></div>
        : (
          <div className="approvals">
            <div>
              <InboxList items={items} chosen={chosen?.id} onChoose={choose} />
              {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
            </div>
            <section className="card thing" aria-label={chosen === undefined ? t("approvals.title") : visible(chosen.title)}>
              {chosen === undefined ? <div className="status"><p>{t(isNamed ? "approvals.notHere" : "approvals.choose")}</p></div> : <ApprovalDetail key={chosen.id} approval={chosen} onDecided={onDecided} />}
            </section>
          </div>
        )}
    </>
  );
}

/** The list; up and down go through it. */
function InboxList({ items, chosen, onChoose }: { items: Approval[]; chosen: number | undefined; onChoose: (id: number) => void }) {
  const t = useWords();
  const list = useRef<HTMLUListElement>(null);
  const nameOf = usePersonName();
  const title = useCampaignTitles(items.map((it) => it.campaign));
  const now = new Date(serverNow());
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const next = buttons[buttons.findIndex((it) => it === document.activeElement) + step];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <ul ref={list} className="inbox card" aria-label={t("approvals.inbox")} onKeyDown={onKeyDown}>
      {items.map((it) => (
        <li key={it.id}>
          <button type="button" aria-current={it.id === chosen || undefined} onClick={() => onChoose(it.id)}>
            <span className="title"><strong>{it.kind === "caller_id" ? telephone(it.title) : visible(it.title)}</strong> <span className="hint">{t(`approvals.kind_${it.kind}`)}</span></span>
            {it.campaign === null ? null : <span className="second">{t("approvals.ofCampaign", { name: title(it.campaign) })}</span>}
            <span className="second">{t("approvals.asked", { who: nameOf(it.by), at: moment(new Date(it.at), now) })}</span>
            {it.state === "open" ? null : <StateInk state={APPROVAL_STATES[it.state]} />}
          </button>
        </li>
      ))}
    </ul>
  );
}
