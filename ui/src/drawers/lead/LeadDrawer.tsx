import "../../kit/form.css";
import "../../kit/table.css";
import "../../pages/results/results.css";
import type { ReactNode } from "react";
import { LeadActions } from "./LeadActions";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import type { Lead } from "../../api/words";
import { Drawer } from "../../kit/Drawer";
import { Pill, StateInk } from "../../kit/Pill";
import { Failed, Gone, Loading } from "../../kit/States";
import { usePersonName } from "../../pages/audio/person-name";
import { useCampaignTitles, useCampaignWords } from "../../pages/campaigns/titles";
import { useLead, useLeadWhy } from "../../pages/results/data";
import { reasonWords } from "../../pages/leads/cells";
import { talked } from "../../pages/results/filters";
import { LEAD_STATES, OUTCOME_STATES } from "../../states";
import { useDrawerLink } from "../../use-search";
import { useLanguage, useWords } from "../../words";
import { day, duration, moment, telephone, visible } from "../../words/format";
import { correctionWords } from "../call/corrections";

/** `?lead=4711`: one person of a list: why they are dialled or not, numbers, household, what happened so far. */
export default function LeadDrawer({ id }: { id: string }) {
  const t = useWords();
  const number = /^[1-9]\d{0,15}$/.test(id) ? Number(id) : undefined;
  const { data: lead, error, refetch } = useLead(number);
  const isGone = number === undefined || (error instanceof ApiProblem && error.status === 404);
  const state = lead === undefined ? undefined : LEAD_STATES[lead.state as keyof typeof LEAD_STATES];
  return (
    <Drawer parameter="lead" isWide title={lead === undefined ? t("results.leadNumber", { id }) : visible(lead.name ?? t("results.leadNumber", { id }))} detail={state === undefined ? undefined : <Pill state={state} detail={lead?.reason ? `· ${reasonWords(lead.reason, t)}` : undefined} />}
      buttons={lead === undefined || isGone ? undefined : <LeadActions lead={lead} />}>
      {isGone ? <Gone>{t("results.leadGone", { id })}</Gone> : lead === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={360} />) : <Details lead={lead} />}
    </Drawer>
  );
}

/** A moment with its day; "–" for none. */
function At({ at }: { at: string | null }) {
  if (at === null) return <>–</>;
  return <time dateTime={at} title={at}>{day(new Date(at)).slice(5)} {moment(new Date(at), new Date(at))}</time>;
}

function Outcome({ outcome }: { outcome: string | null }) {
  if (outcome === null) return <>–</>;
  const state = OUTCOME_STATES[outcome as keyof typeof OUTCOME_STATES];
  return state === undefined ? <>{outcome}</> : <StateInk state={state} />;
}

function Details({ lead }: { lead: Lead }) {
  const t = useWords();
  const words = useCampaignWords([lead.campaign]);
  const person = usePersonName(lead.callback_agent !== null || lead.corrections.some((it) => it.agent !== null));
  const title = words.title(lead.campaign);
  const facts: [string, ReactNode][] = [
    [t("results.column_campaign"), <Link to={`/campaigns/${encodeURIComponent(lead.campaign)}/live`}>{title}</Link>],
    [t("results.row"), lead.list_row],
    [t("results.household"), visible(lead.household ?? "–")],
    [t("results.attempts"), lead.attempts],
    [t("results.lastCall"), <><Outcome outcome={lead.last_outcome} /> <At at={lead.last_at} /></>],
    [t("results.nextAt"), <At at={lead.next_at} />],
    [t("results.column_result"), lead.result === null ? "–" : words.result(lead.campaign, lead.result)],
    [t("results.column_disposition"), lead.disposition === null ? "–" : words.disposition(lead.campaign, lead.disposition)],
    ...(lead.callback_agent === null && lead.callback_skill === null ? [] : [[t("results.callbackBy"), lead.callback_agent === null ? visible(lead.callback_skill ?? "") : person(lead.callback_agent)] satisfies [string, ReactNode]]),
  ];
  return (
    <>
      <Why lead={lead} />
      <section><dl className="facts">{facts.map(([name, value]) => <Fact key={name} name={name}>{value}</Fact>)}</dl></section>
      <Phones lead={lead} />
      {lead.corrections.length === 0 ? null : (
        <section>
          <h3>{t("results.corrections")}</h3>
          <ul className="path">{lead.corrections.map((it, n) => <li key={n}><At at={it.at} /><span className="second">{it.agent === null ? "" : person(it.agent)}</span><span>{correctionWords(it, t)}</span></li>)}</ul>
        </section>
      )}
      <History lead={lead} />
      {lead.columns.length === 0 ? null : <section><h3>{t("results.listRow")}</h3><dl className="facts">{lead.columns.map((it, n) => <Fact key={n} name={visible(it.column)}>{it.cell === "" ? "–" : visible(it.cell)}</Fact>)}</dl></section>}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

/** Why this person is dialled or not, in the service's words. A campaign that is not open dials nobody. */
function Why({ lead }: { lead: Lead }) {
  const t = useWords();
  const language = useLanguage();
  const title = useCampaignTitles([lead.campaign]);
  const { data, error } = useLeadWhy(lead.campaign, lead.id);
  if (error) return <p className="why-words">{error instanceof ApiProblem && error.status === 404 ? t("results.campaignNotOpen", { name: title(lead.campaign) }) : t("results.whyUnknown")}</p>;
  if (data === undefined) return <Loading height={48} />;
  const advice = data.advice[language];
  return <div className="why-words"><p>{data.words[language]}</p>{advice === null ? null : <p className="hint">{advice}</p>}</div>;
}

function Phones({ lead }: { lead: Lead }) {
  const t = useWords();
  return (
    <section>
      <h3>{t("results.phones")}</h3>
      <div className="scroll">
        <table className="table">
          <thead><tr><th scope="col">{t("results.column_number")}</th><th scope="col" className="number">{t("results.attempts")}</th><th scope="col">{t("results.lastCall")}</th><th scope="col">{t("results.use")}</th></tr></thead>
          <tbody>
            {lead.phones.map((phone, n) => (
              <tr key={n}>
                <td>{phone.number === null ? visible(phone.given) : telephone(phone.number)}{phone.number === null || phone.given === phone.number ? null : <span className="second"> {t("results.given", { text: visible(phone.given) })}</span>}</td>
                <td className="number">{phone.attempts}</td>
                <td><Outcome outcome={phone.last_outcome} /> <At at={phone.last_at} /></td>
                <td>{t(phone.closed ? "results.phoneClosed" : "results.phoneOpen")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Calls of the household, so that a second person of the flat is seen with the first. */
function History({ lead }: { lead: Lead }) {
  const t = useWords();
  const words = useCampaignWords([lead.campaign]);
  const link = useDrawerLink();
  return (
    <section>
      <h3>{t("results.history")}</h3>
      {lead.history.length === 0 ? <p className="hint">{t("results.noHistory")}</p> : (
        <div className="scroll">
          <table className="table">
            <thead><tr><th scope="col">{t("results.at")}</th><th scope="col">{t("results.column_name")}</th><th scope="col">{t("results.column_number")}</th><th scope="col">{t("results.column_outcome")}</th><th scope="col" className="number">{t("results.column_talk")}</th><th scope="col">{t("results.column_agent")}</th><th scope="col">{t("results.column_disposition")}</th></tr></thead>
            <tbody>
              {lead.history.map((it, n) => {
                const talk = talked(it);
                return (
                  <tr key={n}>
                    <td>{it.attempt === null && it.leg === null ? <At at={it.at} /> : <Link to={link({ call: it.attempt === null ? `in-${it.leg}` : `out-${it.attempt}`, lead: null })}><At at={it.at} /></Link>}</td>
                    <td>{it.lead === lead.id ? t("results.thisPerson") : visible(it.name ?? "")}</td>
                    <td>{it.number === null ? "" : telephone(it.number)}</td>
                    <td><Outcome outcome={it.outcome} /></td>
                    <td className="number">{talk === undefined ? "" : duration(talk)}</td>
                    <td>{it.agent === null ? "" : `${it.agent} ${visible(it.agent_name ?? "")}`.trim()}</td>
                    <td title={it.note ?? ""}>{it.disposition === null ? "" : words.disposition(lead.campaign, it.disposition)}{it.note ? <span className="second"> {visible(it.note)}</span> : null}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
