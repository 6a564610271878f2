import "../../kit/form.css";
import "../../kit/table.css";
import "../../pages/results/results.css";
import "./call.css";
import { Fragment, useEffect, useState, type ReactNode } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import { CopyButton } from "../../kit/Copy";
import { Button } from "../../kit/Button";
import { Drawer } from "../../kit/Drawer";
import { Failed, Gone, Loading } from "../../kit/States";
import { useCampaignWords } from "../../pages/campaigns/titles";
import { callId, parseCallId } from "../../pages/results/filters";
import { OutcomeInk } from "../../pages/results/Results";
import { useMe } from "../../session";
import { useDrawerLink } from "../../use-search";
import { useLanguage, useWords } from "../../words";
import { duration, telephone, visible } from "../../words/format";
import { AgentsAtAnswer } from "./AgentsAtAnswer";
import { CallActions } from "./CallActions";
import { useCallDetail, type CallDetail } from "./call-data";
import { CallPlayer } from "./player/CallPlayer";
import { Story } from "./Story";
import { Summaries } from "./Summaries";
import { Timeline } from "./Timeline";
import { TraceOf } from "./TraceOf";

/** `?call=out-812`: one call told whole: its course, recording, wrap-up, signalling, and the agents at the answer. */
export default function CallDrawer({ id }: { id: string }) {
  const t = useWords();
  const parsed = parseCallId(id);
  const { data: call, error, refetch } = useCallDetail(parsed);
  const [prints, setPrints] = useState(false);
  const isGone = parsed === undefined || (error instanceof ApiProblem && error.status === 404);
  // What is folded is part of the printed page.
  useEffect(() => {
    if (!prints) return;
    const timer = setTimeout(() => {
      window.print();
      setPrints(false);
    }, 400);
    return () => clearTimeout(timer);
  }, [prints]);
  return (
    <Drawer parameter="call" isWide title={call === undefined || isGone ? t("results.callTitle", { id }) : <Title call={call} />} detail={call === undefined || isGone ? undefined : <OutcomeInk call={call} />}
      buttons={call === undefined || isGone ? undefined : (
        <>
          <CallActions call={call} />
          <CopyButton text={`${window.location.origin}/results?call=${callId(call)}`}>{t("results.copyLink")}</CopyButton>
          <span className="space" />
          <Button busy={prints} onClick={() => setPrints(true)}>{t("results.print")}</Button>
        </>
      )}>
      {isGone ? <Gone>{t("results.callGone", { id })}</Gone> : call === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={360} />) : <Details key={callId(call)} call={call} isWhole={prints} isStale={error !== null} />}
    </Drawer>
  );
}

function Title({ call }: { call: CallDetail }) {
  const t = useWords();
  return <>{call.number === null ? t("results.noNumber") : telephone(call.number)}{call.name === null || call.name === "" ? null : <> {visible(call.name)}</>}</>;
}

interface DetailsProps {
  call: CallDetail;
  /** Nothing is folded: it is printed. */
  isWhole: boolean;
  /** The last reading failed: what is shown may have changed. */
  isStale: boolean;
}

function Details({ call, isWhole, isStale }: DetailsProps) {
  const t = useWords();
  const language = useLanguage();
  const { rights } = useMe();
  return (
    <>
      {isStale ? <p className="refusal no-print" role="status">{t("call.stale")}</p> : null}
      <Subline call={call} />
      <section><h3>{t("results.course")}</h3><Timeline call={call} /></section>
      <section>
        <h3>{t("results.recording")}</h3>
        {call.no_recording !== null ? <p className="hint">{call.no_recording.words[language]}</p>
          : rights.has("recordings.play") ? <CallPlayer call={call} /> : <p className="hint">{t("results.mayNotPlay")}</p>}
      </section>
      <Facts call={call} />
      <Summaries call={call} />
      {call.direction === "in" ? null : <Fold title={t("call.ladder")} isOpen={isWhole}><TraceOf attempt={call.id} /></Fold>}
      {call.agents_at_answer.length === 0 ? null : <Fold title={t("call.agentsAtAnswer")} isOpen={isWhole}><AgentsAtAnswer call={call} /></Fold>}
      {call.direction === "in" || !rights.has("campaigns.read") ? null : <div className="no-print"><Fold title={t("call.why")} isOpen={false}><Story attempt={call.id} /></Fold></div>}
    </>
  );
}

/** Campaign, which attempt, and the disposition, in one line below the title. */
function Subline({ call }: { call: CallDetail }) {
  const t = useWords();
  const { rights } = useMe();
  const words = useCampaignWords([call.campaign]);
  const parts: ReactNode[] = [
    call.campaign === null ? null : rights.has("campaigns.read") ? <Link to={`/campaigns/${encodeURIComponent(call.campaign)}/live`}>{words.title(call.campaign)}</Link> : words.title(call.campaign),
    call.direction === "in" ? t("results.in") : null,
    call.ordinal === null ? null : t("call.attempt", { n: call.ordinal }),
    call.disposition === null ? null : words.disposition(call.campaign, call.disposition),
  ].filter((it) => it !== null);
  return <p className="subline">{parts.map((it, n) => <Fragment key={n}>{n === 0 ? null : " · "}{it}</Fragment>)}</p>;
}

/** What is known of the call beside its moments. */
function Facts({ call }: { call: CallDetail }) {
  const t = useWords();
  const link = useDrawerLink();
  const words = useCampaignWords([call.campaign]);
  const facts: [string, ReactNode][] = [
    [t("results.lead"), call.lead === null ? "–" : <Link to={link({ lead: String(call.lead) })}>{visible(call.name ?? t("results.leadNumber", { id: call.lead }))}</Link>],
    [t("results.column_agent"), call.agent === null ? t("results.noAgent") : <Link to={link({ agent: call.agent, call: null })}>{call.agent} {visible(call.agent_name ?? "")}</Link>],
    ...(call.direction === "in" ? [] : [
      [t("results.column_result"), call.result === null ? (call.keys === "" ? t("results.noKey") : t("call.keys", { keys: visible(call.keys) })) : words.result(call.campaign, call.result)],
      [t("call.trunk"), visible(call.trunk ?? "–")],
      [t("call.callerId"), call.caller_id === null ? "–" : telephone(call.caller_id)],
    ] satisfies [string, ReactNode][]),
    ...call.legs.filter((it) => it.kind === "consulted").map((it): [string, ReactNode] => [t("call.consulted"), <>{it.number === null ? "–" : telephone(it.number)}{it.began_at !== null && it.ended_at !== null ? <span className="hint"> {duration((Date.parse(it.ended_at) - Date.parse(it.began_at)) / 1000)}</span> : null}</>]),
  ];
  return <section><h3>{t("results.about")}</h3><dl className="facts">{facts.map(([name, value], n) => <Fragment key={n}><dt>{name}</dt><dd>{value}</dd></Fragment>)}</dl></section>;
}

/** A part that is read seldom: asked for when it is opened. */
function Fold({ title, isOpen, children }: { title: string; isOpen: boolean; children: ReactNode }) {
  const [opened, setOpened] = useState(false);
  const shown = opened || isOpen;
  return (
    <details className="fold" open={shown} onToggle={(event) => { if (!isOpen) setOpened(event.currentTarget.open); }}>
      <summary>{title}</summary>
      {shown ? children : null}
    </details>
  );
}
