import type { ReactNode } from "react";
import { Link } from "react-router";
import type { LeadRow } from "../../api/leads-table";
import { Glyph } from "../../kit/Glyph";
import { StateInk } from "../../kit/Pill";
import { serverNow } from "../../live/clock";
import { LEAD_STATES, OUTCOME_STATES } from "../../states";
import { hasWord, useLanguage, useWords, type Translate } from "../../words";
import { count, moment, telephone, visible } from "../../words/format";
import type { Column } from "./columns";

/** The word of a reason that closed a lead; a reason of a newer service stands as it came. */
export function reasonWords(reason: string, t: Translate): string {
  const key = `leadReason.${reason}`;
  return hasWord(key) ? t(key) : visible(reason);
}

/** A moment of the service; "–" for none. */
export function At({ at }: { at: string | null }) {
  if (at === null) return <>–</>;
  return <time dateTime={at} title={at}>{moment(new Date(at), new Date(serverNow()))}</time>;
}

function Outcome({ outcome }: { outcome: string }) {
  const state = OUTCOME_STATES[outcome as keyof typeof OUTCOME_STATES];
  return state === undefined ? <>{visible(outcome)}</> : <StateInk state={state} />;
}

/** Words that the table reads once for all its rows. */
export interface RowWords {
  disposition: (code: string) => string;
  /** An account by its number. */
  person: (number: string) => string;
}

/** One cell; what is cut off by its column is whole in its title. */
export function LeadCell({ column, row, to, words }: { column: Column; row: LeadRow; to: { search: string }; words: RowWords }) {
  const t = useWords();
  const language = useLanguage();
  const text = (value: string | null) => <td title={value ?? undefined}>{visible(value ?? "")}</td>;
  const cells: Record<Column, () => ReactNode> = {
    name: () => (
      <td title={row.name ?? undefined}>
        <Link className="row" to={to} preventScrollReset>{visible(row.name ?? t("leads.noName"))}</Link>
        {row.households === 0 ? null : <span className="second" title={t("leads.others", { n: row.households })}> (+{row.households})</span>}
      </td>
    ),
    place: () => text(row.place),
    building: () => text(row.building),
    list: () => text(row.list),
    numbers: () => <td title={row.numbers.map(telephone).join(", ")}>{row.numbers[0] === undefined ? "–" : telephone(row.numbers[0])}{row.numbers.length < 2 ? null : <span className="second"> +{row.numbers.length - 1}</span>}</td>,
    state: () => {
      const state = LEAD_STATES[row.state as keyof typeof LEAD_STATES];
      const reason = row.reason === null ? "" : reasonWords(row.reason, t);
      return <td title={reason || undefined}>{state === undefined ? visible(row.state) : <StateInk state={state} />}{reason === "" ? null : <span className="second"> {reason}</span>}</td>;
    },
    attempts: () => <td className="number">{row.attempts_max === null ? count(row.attempts) : `${count(row.attempts)}/${count(row.attempts_max)}`}</td>,
    last: () => {
      if (row.last === null) return <td className="second">{t("leads.never")}</td>;
      const disposition = row.last.disposition === null ? undefined : words.disposition(row.last.disposition);
      return <td title={disposition}><At at={row.last.at} /> <Outcome outcome={row.last.outcome} />{disposition === undefined ? null : <span className="second"> {disposition}</span>}</td>;
    },
    next: () => {
      if (row.callback === null) return <td><At at={row.next_at} /></td>;
      const agent = row.callback.agent === null ? "" : words.person(row.callback.agent);
      const booked = agent === "" ? t("leads.booked") : t("leads.bookedBy", { agent });
      return <td title={booked}><span className="wrap-ink"><Glyph name="wrap" /></span> <At at={row.callback.at} /> <span className="second">{agent}</span><span className="visually-hidden">{booked}</span></td>;
    },
    because: () => <td title={row.because[language]}>{visible(row.because[language])}</td>,
    agent: () => text(row.assigned_agent === null ? null : words.person(row.assigned_agent)),
  };
  return cells[column]();
}
