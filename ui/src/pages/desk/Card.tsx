import { useEffect, useRef, useState } from "react";
import type { Lead, Seat } from "../../api/words";
import { useKey } from "../../keys/use-key";
import { Failed, Loading } from "../../kit/States";
import { Pill, StateInk } from "../../kit/Pill";
import { LEAD_STATES, OUTCOME_STATES } from "../../states";
import { useWords } from "../../words";
import { day, duration, moment, telephone, visible } from "../../words/format";
import { Correct } from "./Correct";
import { useCard } from "./data";
import { KeyButton } from "./DeskButton";
import { DESK_KEYS } from "./keys";
import type { Workplace } from "./seat";

/** The person of the call, the preview or the wrap-up: household, numbers, what the list says, what colleagues noted. */
export function Card({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  const t = useWords();
  const { work } = seat;
  const { data: lead, error, refetch } = useCard(work?.lead);
  const [isCorrecting, setCorrecting] = useState(false);
  const box = useRef<HTMLElement>(null);
  useKey(DESK_KEYS.card, () => box.current?.focus());
  const isMasked = lead?.phones.some((phone) => phone.number?.includes("*")) ?? false;
  useEffect(() => setCorrecting(false), [work?.lead]);
  if (!work) return null;
  return (
    <section ref={box} tabIndex={-1} className={isMasked ? "card contact masked" : "card contact"} aria-label={t("desk.card")} data-lead={work.lead ?? undefined}
      onCopy={isMasked ? (event) => event.preventDefault() : undefined}>
      {work.lead === null ? <NumberOnly seat={seat} />
        : lead === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={280} />)
        : (
          <>
            <header>
              <h1>{visible(lead.name ?? t("desk.noName"))}</h1>
              {lead.household === null ? null : <span className="household">{visible(lead.household)}</span>}
              <LeadState lead={lead} />
              <span className="space" />
              <KeyButton size="small" k={DESK_KEYS.correct} refusal={undefined} expanded={isCorrecting} onPress={() => setCorrecting(!isCorrecting)}>{t("desk.correct")}</KeyButton>
            </header>
            {isCorrecting ? <Correct lead={lead} seat={seat} onDone={() => setCorrecting(false)} /> : null}
            <div className="body">
              <Phones lead={lead} called={work.number} mark={t(work.attempt === null ? "desk.nextCall" : seat.activity === "wrap_up" ? "desk.lastCall" : "desk.thisCall")} />
              <Columns lead={lead} />
              <Corrections lead={lead} />
              <Past lead={lead} attempt={work.attempt} workplace={workplace} />
            </div>
          </>
        )}
    </section>
  );
}

function NumberOnly({ seat }: { seat: Seat }) {
  const t = useWords();
  const number = seat.work?.number;
  return <><header><h1>{number ? telephone(number) : t("desk.hiddenNumber")}</h1></header><p className="body hint">{t(seat.work?.inbound ? "desk.inboundUnknown" : "desk.numberOnly")}</p></>;
}

function LeadState({ lead }: { lead: Lead }) {
  const state = LEAD_STATES[lead.state as keyof typeof LEAD_STATES];
  return state === undefined ? null : <Pill state={state} />;
}

function When({ at }: { at: string | null }) {
  if (at === null) return <>–</>;
  return <time dateTime={at} title={at}>{day(new Date(at)).slice(5)} {moment(new Date(at), new Date(at))}</time>;
}

function Outcome({ outcome }: { outcome: string | null }) {
  if (outcome === null) return null;
  const state = OUTCOME_STATES[outcome as keyof typeof OUTCOME_STATES];
  return state === undefined ? <>{outcome}</> : <StateInk state={state} />;
}

function Phones({ lead, called, mark }: { lead: Lead; called: string | null; mark: string }) {
  const t = useWords();
  return (
    <ul className="numbers" aria-label={t("desk.numbers")}>
      {lead.phones.map((phone, n) => {
        const isThis = phone.number !== null && phone.number === called;
        return (
          <li key={n} className={isThis ? "this" : undefined}>
            <strong>{phone.number === null ? visible(phone.given) : telephone(phone.number)}</strong>
            {isThis ? <span className="mark">{mark}</span> : null}
            {phone.closed ? <span className="second">{t("desk.numberClosed")}</span> : null}
            {phone.last_at === null ? null : <span className="second"><Outcome outcome={phone.last_outcome} /> <When at={phone.last_at} /></span>}
          </li>
        );
      })}
    </ul>
  );
}

function Columns({ lead }: { lead: Lead }) {
  const t = useWords();
  const shown = lead.columns.filter((it) => it.cell !== "");
  if (shown.length === 0) return null;
  return <dl className="facts" aria-label={t("desk.listRow")}>{shown.map((it, n) => <Fact key={n} name={visible(it.column)} value={visible(it.cell)} />)}</dl>;
}

function Fact({ name, value }: { name: string; value: string }) {
  return <><dt>{name}</dt><dd>{value}</dd></>;
}

/** What was corrected: what the list said stands beside it, struck through. */
function Corrections({ lead }: { lead: Lead }) {
  const t = useWords();
  if (lead.corrections.length === 0) return null;
  return (
    <section>
      <h2>{t("desk.corrections")}</h2>
      <ul className="past">
        {lead.corrections.map((it, n) => <li key={n}><When at={it.at} /> {it.was === null ? null : <del>{visible(it.was)}</del>} <ins>{visible(it.now)}</ins> <span className="second">{it.agent ?? ""}</span></li>)}
      </ul>
    </section>
  );
}

/** Calls of the household, with the words of colleagues. */
function Past({ lead, attempt, workplace }: { lead: Lead; attempt: number | null; workplace: Workplace | undefined }) {
  const t = useWords();
  // The call that is up is no past.
  const history = lead.history.filter((it) => it.attempt === null || it.attempt !== attempt);
  const label = (code: string) => visible(workplace?.dispositions.find((it) => it.code === code)?.label ?? code);
  return (
    <section>
      <h2>{t("desk.history", { n: history.length })}</h2>
      {history.length === 0 ? <p className="hint">{t("desk.noHistory")}</p> : (
        <ul className="past">
          {history.map((it, n) => (
            <li key={n}>
              <When at={it.at} />
              {it.lead === lead.id || it.name === null ? null : <strong>{visible(it.name)}</strong>}
              <Outcome outcome={it.outcome} />
              {it.connected_at !== null && it.ended_at !== null ? <span className="second">{duration((Date.parse(it.ended_at) - Date.parse(it.connected_at)) / 1000)}</span> : null}
              {it.disposition === null ? null : <span>{label(it.disposition)}</span>}
              {it.agent === null ? null : <span className="second">{it.agent} {visible(it.agent_name ?? "")}</span>}
              {it.note === null || it.note === "" ? null : <p className="note">{visible(it.note)}</p>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
