import "../../kit/form.css";
import "../../kit/table.css";
import "../../pages/results/results.css";
import { Fragment, type ReactNode } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import type { Call } from "../../api/words";
import { Button } from "../../kit/Button";
import { CopyButton } from "../../kit/Copy";
import { Drawer } from "../../kit/Drawer";
import { Failed, Gone, Loading } from "../../kit/States";
import { useCampaignWords } from "../../pages/campaigns/titles";
import { useCall, useLead } from "../../pages/results/data";
import { callId, parseCallId, talked } from "../../pages/results/filters";
import { Player } from "../../pages/results/Player";
import { OutcomeInk } from "../../pages/results/Results";
import { useMe } from "../../session";
import { useDrawerLink } from "../../use-search";
import { hasWord, useLanguage, useWords } from "../../words";
import { day, duration, telephone, visible } from "../../words/format";
import { clockMs } from "./clock-ms";

/** `?call=out-812`: one call: its course, people, keys, summary and recording. */
export default function CallDrawer({ id }: { id: string }) {
  const t = useWords();
  const { rights } = useMe();
  const parsed = parseCallId(id);
  const { data: call, error, refetch } = useCall(parsed);
  const isGone = parsed === undefined || (error instanceof ApiProblem && error.status === 404);
  const title = call === undefined ? t("results.callTitle", { id }) : `${call.number === null ? t("results.noNumber") : telephone(call.number)} ${visible(call.name ?? "")}`;
  return (
    <Drawer parameter="call" isWide title={title} detail={call === undefined ? undefined : <OutcomeInk call={call} />}
      buttons={call === undefined ? undefined : (
        <>
          {rights.has("blacklist.add") && rights.has("blacklist.read") && call.number !== null && !call.number.includes("*") ? <Link className="button" to={`/blacklist?number=${encodeURIComponent(call.number)}&add=1`}>{t("results.toBlacklist")}</Link> : null}
          <CopyButton text={`${window.location.origin}/results?call=${callId(call)}`}>{t("results.copyLink")}</CopyButton>
          <span className="space" />
          <Button onClick={() => window.print()}>{t("results.print")}</Button>
        </>
      )}>
      {isGone ? <Gone>{t("results.callGone", { id })}</Gone> : call === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={360} />) : <Details key={callId(call)} call={call} />}
    </Drawer>
  );
}

function Details({ call }: { call: Call }) {
  const t = useWords();
  const link = useDrawerLink();
  const { rights } = useMe();
  const words = useCampaignWords([call.campaign]);
  const lead = useLead(call.lead ?? undefined).data;
  const attempts = lead?.history.filter((it) => it.lead === call.lead && it.attempt !== null).map((it) => it.attempt) ?? [];
  const place = attempts.length - attempts.indexOf(call.id);
  const corrections = lead?.corrections.filter((it) => it.attempt === call.id) ?? [];
  const facts: [string, ReactNode][] = [
    [t("results.column_campaign"), call.campaign === null ? "–" : rights.has("campaigns.read") ? <Link to={`/campaigns/${encodeURIComponent(call.campaign)}/live`}>{words.title(call.campaign)}</Link> : words.title(call.campaign)],
    [t("results.lead"), call.lead === null ? "–" : <Link to={link({ lead: String(call.lead) })}>{visible(call.name ?? t("results.leadNumber", { id: call.lead }))}</Link>],
    ...(call.direction === "out" && attempts.includes(call.id) ? [[t("results.attempt"), t("results.attemptOf", { n: place, all: attempts.length })] satisfies [string, ReactNode]] : []),
    [t("results.column_agent"), call.agent === null ? t("results.noAgent") : <Link to={link({ agent: call.agent, call: null })}>{call.agent} {visible(call.agent_name ?? "")}</Link>],
    [t("results.column_result"), call.result === null ? t("results.noKey") : words.result(call.campaign, call.result)],
    [t("results.column_disposition"), call.disposition === null ? t("results.noSummary") : words.disposition(call.campaign, call.disposition)],
    ...(call.note === null || call.note === "" ? [] : [[t("results.column_note"), visible(call.note)] satisfies [string, ReactNode]]),
  ];
  return (
    <>
      <section><h3>{t("results.course")}</h3><Course call={call} /></section>
      <section>
        <h3>{t("results.recording")}</h3>
        {call.recording === null ? <p className="hint">{t(call.answered_at === null ? "results.notAnswered" : call.ended_at === null ? "results.stillOpen" : "results.notRecorded")}</p>
          : rights.has("recordings.play") ? <Player key={call.recording} source={call.recording} /> : <p className="hint">{t("results.mayNotPlay")}</p>}
      </section>
      <section><h3>{t("results.about")}</h3><dl className="facts">{facts.map(([name, value]) => <Fragment key={name}><dt>{name}</dt><dd>{value}</dd></Fragment>)}</dl></section>
      {corrections.length === 0 ? null : (
        <section><h3>{t("results.corrections")}</h3><ul>{corrections.map((it, n) => <li key={n}>{correctionWords(it, t)}</li>)}</ul></section>
      )}
    </>
  );
}

/** A correction in words: a name that was changed, a number that was changed or added. */
export function correctionWords(it: { field: string; was: string | null; now: string }, t: ReturnType<typeof useWords>): string {
  const key = `results.field_${it.field}`;
  const field = hasWord(key) ? t(key) : it.field;
  return it.was === null || it.was === "" ? t("results.added", { field, now: visible(it.now) }) : t("results.corrected", { field, was: visible(it.was), now: visible(it.now) });
}

/** The moments of the call with what passed between them. */
function Course({ call }: { call: Call }) {
  const t = useWords();
  const moments: [string | null, ReactNode][] = [
    [call.at, t(call.direction === "out" ? "results.placed" : "results.arrived")],
    [call.answered_at, t("results.answered")],
    [call.connected_at, call.agent === null ? t("results.connected") : t("results.connectedTo", { agent: `${call.agent} ${visible(call.agent_name ?? "")}` })],
    [call.ended_at, <EndWords key="end" call={call} />],
  ];
  const steps = moments.flatMap(([at, words]): [Date, ReactNode][] => (at === null ? [] : [[new Date(at), words]]));
  const talk = talked(call);
  return (
    <>
      <p className="hint">{day(new Date(call.at))}</p>
      <ol className="path">
        {steps.map(([at, words], n) => {
          const before = steps[n - 1]?.[0];
          return <li key={n}><time dateTime={at.toISOString()} title={at.toISOString()}>{clockMs(at)}</time><span className="second">{before === undefined ? "" : t("results.later", { n: ((at.getTime() - before.getTime()) / 1000).toFixed(1) })}</span><span>{words}</span></li>;
        })}
      </ol>
      {talk === undefined ? null : <p>{t("results.talked", { time: duration(talk) })}</p>}
    </>
  );
}

/** How the call ended: by which side, and the cause as signalling has it. */
function EndWords({ call }: { call: Call }) {
  const t = useWords();
  const language = useLanguage();
  const ended = `results.by_${call.ended_by ?? ""}`;
  return <>{hasWord(ended) ? t(ended) : t("results.ended")}{call.cause === "" ? null : <span className="hint"> {visible(call.cause_words[language])}</span>}</>;
}
